//! Batches under Undo: all items in one transaction, done whole or not at all (KMIP 2.1 §8.6).

use claviger_kmip::enums::ResultStatus;
use claviger_kmip::message::RequestMessage;
use claviger_kmip::tags;
use claviger_store::CommitError;

use super::Next;
use super::answer::{Answer, Checkpoint};
use super::item::{Admitted, Item, Request, commit_failed, open};
use crate::audit::Phase;
use crate::failure::{Failure, Reason};
use crate::ops::{About, Batch};

/// Why a batch was not done.
enum Stopped {
    Conflict,
    Failed(usize, Failure),
}

impl Request<'_> {
    /// Carries out all items in one transaction: under Undo, all happen or none.
    pub(super) async fn run_undoable(
        &self,
        message: &RequestMessage<'_>,
        answer: &mut Answer<'_>,
    ) -> Next {
        let items: Vec<Item<'_>> =
            message.items().enumerate().map(|(at, parsed)| Item::new(at, parsed)).collect();
        let mut admitted = Vec::with_capacity(items.len());
        let mut refused = None;
        for item in &items {
            match self.admit(item).and_then(|admitted| {
                self.record(Phase::Request, item, &admitted, &About::default(), None)
                    .map(|()| admitted)
                    .map_err(|failure| (failure, Next::Continue))
            }) {
                Ok(one) => admitted.push(one),
                Err(failure) => {
                    refused = Some(failure);
                    break;
                }
            }
        }
        let start = answer.checkpoint();
        if let Some((failure, next)) = refused {
            // What cannot be done whole is not begun.
            let done = vec![About::default(); admitted.len()];
            return self.undo(&items, &admitted, &done, answer, &failure).unwrap_or(next);
        }
        let mut retries = self.service.resources.limits.conflict_retries_max;
        loop {
            let mut done = Vec::with_capacity(items.len());
            let stopped = match self.attempt_all(&items, &admitted, answer, &mut done).await {
                Ok(()) => return self.confirm(&items, &admitted, &done, answer, start),
                Err(stopped) => stopped,
            };
            answer.roll_back(start);
            let (position, failure) = match stopped {
                Stopped::Conflict if retries > 0 => {
                    retries = retries.saturating_sub(1);
                    continue;
                }
                Stopped::Conflict => {
                    let text = "too many concurrent changes; try again";
                    let last = items.len().saturating_sub(1);
                    (last, Failure::new(Reason::GeneralFailure, text))
                }
                Stopped::Failed(position, failure) => (position, failure),
            };
            done.truncate(position);
            let undone = self.undo(&items, &admitted, &done, answer, &failure);
            return undone.unwrap_or(Next::Continue);
        }
    }

    async fn attempt_all(
        &self,
        items: &[Item<'_>],
        admitted: &[Admitted<'_>],
        answer: &mut Answer<'_>,
        done: &mut Vec<About>,
    ) -> Result<(), Stopped> {
        let Some(first) = admitted.first() else { return Ok(()) };
        let last = items.len().saturating_sub(1);
        let mut tx = self.begin(&first.grant);
        let mut batch = Batch::default();
        for (position, (item, one)) in items.iter().zip(admitted).enumerate() {
            let open = open(item, answer);
            let (about, result) = self.handle(one, &mut tx, &mut batch, answer, open);
            batch.end_item();
            match result {
                Ok(open) => {
                    answer.end_item(open);
                    done.push(about);
                }
                Err(failure) => return Err(Stopped::Failed(position, failure)),
            }
        }
        // A long batch may outlive its credential.
        for item in items {
            if let Err((failure, _)) = self.admit(item) {
                return Err(Stopped::Failed(last, failure));
            }
        }
        if tx.is_read_only() {
            tx.finish_reads();
            return Ok(());
        }
        self.commit(tx).await.map_err(|error| match error {
            CommitError::Conflict { .. } => Stopped::Conflict,
            other => Stopped::Failed(last, commit_failed(&other)),
        })
    }

    /// Records that all of it was done. What cannot be recorded does not leave.
    fn confirm(
        &self,
        items: &[Item<'_>],
        admitted: &[Admitted<'_>],
        done: &[About],
        answer: &mut Answer<'_>,
        start: Checkpoint,
    ) -> Next {
        for ((item, one), about) in items.iter().zip(admitted).zip(done) {
            if let Err(failure) = self.record(Phase::Response, item, one, about, None) {
                answer.roll_back(start);
                self.fail(item, Some(&one.grant), about, answer, &failure);
                return Next::Close;
            }
        }
        Next::Continue
    }

    /// Answers that nothing of it was done. Undone items say which object they were about and
    /// nothing else: a result that was computed for nothing must not leave.
    fn undo(
        &self,
        items: &[Item<'_>],
        admitted: &[Admitted<'_>],
        done: &[About],
        answer: &mut Answer<'_>,
        failure: &Failure,
    ) -> Option<Next> {
        let undone = Failure::new(Reason::GeneralFailure, "undone with its batch");
        let mut next = None;
        for ((item, one), about) in items.iter().zip(admitted).zip(done) {
            let status = ResultStatus::OPERATION_UNDONE;
            let open = answer.begin_item(item.operation(), item.unique_batch_item_id(), status);
            if let Some(identifier) = &about.unique_identifier {
                let mark = answer.writer.begin(tags::RESPONSE_PAYLOAD);
                answer.writer.text(tags::UNIQUE_IDENTIFIER, identifier);
                answer.writer.end(mark);
            }
            answer.end_item(open);
            if self.record(Phase::Response, item, one, about, Some(&undone)).is_err() {
                next = Some(Next::Close);
            }
        }
        let Some(item) = items.get(done.len()) else { return next };
        let one = admitted.get(done.len());
        let about = About::default();
        if let Some(one) = one
            && self.record(Phase::Response, item, one, &about, Some(failure)).is_err()
        {
            next = Some(Next::Close);
        }
        self.fail(item, one.map(|one| &one.grant), &about, answer, failure);
        next
    }
}
