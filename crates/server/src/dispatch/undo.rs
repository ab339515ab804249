//! Batches under Undo: all items in one transaction, done whole or not at all (KMIP 2.1 §8.6).

use claviger_kmip::enums::ResultStatus;
use claviger_kmip::message::RequestMessage;
use claviger_store::CommitError;

use super::Next;
use super::answer::Answer;
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
        let mut retries = self.service.resources.limits.conflict_retries_max;
        loop {
            let start = answer.checkpoint();
            let mut done = Vec::with_capacity(items.len());
            let failed = self.attempt_all(&items, &admitted, answer, &mut done).await;
            let failed = match failed {
                Err(Stopped::Conflict) if retries > 0 => {
                    retries = retries.saturating_sub(1);
                    answer.roll_back(start);
                    continue;
                }
                Err(Stopped::Conflict) => Some((
                    items.len().saturating_sub(1),
                    Failure::new(Reason::GeneralFailure, "too many concurrent changes; try again"),
                )),
                Err(Stopped::Failed(position, failure)) => Some((position, failure)),
                Ok(()) => None,
            };
            return self.conclude_all(&items, &admitted, answer, &done, failed, refused);
        }
    }

    async fn attempt_all(
        &self,
        items: &[Item<'_>],
        admitted: &[Admitted<'_>],
        answer: &mut Answer<'_>,
        done: &mut Vec<(usize, About)>,
    ) -> Result<(), Stopped> {
        let Some(first) = admitted.first() else { return Ok(()) };
        let mut tx = self.begin(&first.grant);
        let mut batch = Batch::default();
        for (position, (item, one)) in items.iter().zip(admitted).enumerate() {
            let open = open(item, answer);
            let (start, status) = (open.start, open.status);
            let (about, result) = self.handle(one, &mut tx, &mut batch, answer, open);
            batch.end_item();
            match result {
                Ok(open) => {
                    answer.end_item(open);
                    done.push((status, about));
                }
                Err(failure) => {
                    answer.writer.truncate(start);
                    return Err(Stopped::Failed(position, failure));
                }
            }
        }
        if admitted.len() < items.len() {
            // The next item was refused: nothing of this may last.
            return Ok(());
        }
        if tx.is_read_only() {
            tx.finish_reads();
            return Ok(());
        }
        self.commit(tx).await.map_err(|error| match error {
            CommitError::Conflict { .. } => Stopped::Conflict,
            other => Stopped::Failed(items.len().saturating_sub(1), commit_failed(&other)),
        })
    }

    fn conclude_all(
        &self,
        items: &[Item<'_>],
        admitted: &[Admitted<'_>],
        answer: &mut Answer<'_>,
        done: &[(usize, About)],
        failed: Option<(usize, Failure)>,
        refused: Option<(Failure, Next)>,
    ) -> Next {
        let undone = failed.is_some() || refused.is_some();
        let undone_failure =
            undone.then(|| Failure::new(Reason::GeneralFailure, "undone with its batch"));
        for ((item, one), (status, about)) in items.iter().zip(admitted).zip(done) {
            if undone {
                answer.writer.patch(*status, ResultStatus::OPERATION_UNDONE.0);
            }
            // Under Undo the changes are durable or gone by now; the record says which.
            let _ = self.record(Phase::Response, item, one, about, undone_failure.as_ref());
        }
        if let Some((position, failure)) = failed
            && let (Some(item), Some(one)) = (items.get(position), admitted.get(position))
            && done.len() <= position
        {
            let about = About::default();
            let _ = self.record(Phase::Response, item, one, &about, Some(&failure));
            self.fail(item, Some(&one.grant), &about, answer, &failure);
            return Next::Continue;
        }
        match refused {
            Some((failure, next)) => {
                if let Some(item) = items.get(admitted.len()) {
                    self.fail(item, None, &About::default(), answer, &failure);
                }
                next
            }
            None => Next::Continue,
        }
    }
}
