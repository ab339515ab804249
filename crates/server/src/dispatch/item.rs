//! One batch item: authorise, audit, carry out, commit, answer.

use std::sync::atomic::{AtomicBool, Ordering};

use claviger_kmip::Version;
use claviger_kmip::codec::Encoder;
use claviger_kmip::enums::{Operation, ResultStatus};
use claviger_kmip::message::{RefusedItem, RequestItem};
use claviger_store::CommitError;

use super::answer::{Answer, OpenItem};
use super::recorder::Asked;
use super::table::{self, Kind, Row};
use super::{Next, Peer, Service};
use crate::access::{Grant, Refusal};
use crate::aside::aside;
use crate::audit::Phase;
use crate::failure::{Failure, Reason};
use crate::object::{Holder, Partition, Tx};
use crate::ops::{About, Batch, Context};

/// A request message that is being answered.
pub(super) struct Request<'r> {
    pub service: &'r Service,
    pub peer: &'r Peer,
    /// Our number of it, for the audit.
    pub number: u64,
    pub now_us: i64,
    pub version: Version,
    /// How long the writer may become.
    pub response_end_max: usize,
    /// Whether the scope wants its messages in the log.
    pub traced: AtomicBool,
}

/// A batch item as it came.
pub(super) struct Item<'i> {
    pub(super) position: usize,
    parsed: Result<RequestItem<'i>, RefusedItem<'i>>,
}

/// What became of a batch item.
#[derive(Copy, Clone, Debug)]
pub(super) struct Outcome {
    pub succeeded: bool,
    pub next: Next,
}

/// An item that may be carried out.
pub(super) struct Admitted<'i> {
    item: &'i RequestItem<'i>,
    row: &'static Row,
    pub grant: Grant,
}

impl<'i> Item<'i> {
    pub(super) const fn new(
        position: usize,
        parsed: Result<RequestItem<'i>, RefusedItem<'i>>,
    ) -> Self {
        Self { position, parsed }
    }

    pub(super) const fn operation(&self) -> Option<Operation> {
        match &self.parsed {
            Ok(item) => Some(item.operation),
            Err(refused) => refused.operation,
        }
    }

    pub(super) const fn unique_batch_item_id(&self) -> Option<&'i [u8]> {
        match &self.parsed {
            Ok(item) => item.unique_batch_item_id,
            Err(refused) => refused.unique_batch_item_id,
        }
    }
}

impl Request<'_> {
    /// Carries out one item in a transaction of its own and writes its answer.
    pub(super) async fn run(
        &self,
        item: &Item<'_>,
        batch: &mut Batch,
        answer: &mut Answer<'_>,
    ) -> Outcome {
        let (admitted, next) = match self.admit(item) {
            Ok(admitted) => (admitted, Next::Continue),
            Err((failure, next)) => {
                self.fail(item, None, &About::default(), answer, &failure);
                return Outcome { succeeded: false, next };
            }
        };
        let recorded = match admitted.row.kind {
            Kind::Read => Ok(Asked::Unrecorded(self.service.clock.now_us())),
            Kind::Write => self
                .record(Phase::Request, item, &admitted, &About::default(), None)
                .map(|()| Asked::Recorded),
        };
        let asked = match recorded {
            Ok(asked) => asked,
            Err(failure) => {
                self.fail(item, Some(&admitted.grant), &About::default(), answer, &failure);
                return Outcome { succeeded: false, next };
            }
        };
        let mut retries = self.service.resources.limits.conflict_retries_max;
        let (about, result) = loop {
            let mut attempt = batch.clone();
            let mut tx = self.begin(&admitted.grant);
            let open = open(item, answer);
            let start = open.start;
            let (about, mut result) = self.handle(&admitted, &mut tx, &mut attempt, answer, open);
            let mut conflict = false;
            if result.is_ok() {
                if tx.is_read_only() {
                    tx.finish_reads();
                } else if let Err(error) = self.commit(tx).await {
                    conflict = matches!(error, CommitError::Conflict { .. });
                    answer.writer.truncate(start);
                    result = Err(commit_failed(&error));
                }
            }
            if conflict && retries > 0 {
                retries = retries.saturating_sub(1);
                continue;
            }
            if result.is_ok() {
                *batch = attempt;
            } else {
                answer.writer.truncate(start);
            }
            break (about, result);
        };
        let recorded = self.record_outcome(item, &admitted, asked, &about, result.as_ref().err());
        // What changed something cannot be taken back.
        let unrecorded = if admitted.row.kind == Kind::Read { next } else { Next::Close };
        match (result, recorded) {
            (Ok(open), Ok(())) => {
                answer.end_item(open);
                Outcome { succeeded: true, next }
            }
            (Ok(open), Err(failure)) => {
                // Nothing of it leaves unrecorded.
                answer.writer.truncate(open.start);
                self.fail(item, Some(&admitted.grant), &about, answer, &failure);
                Outcome { succeeded: false, next: unrecorded }
            }
            (Err(failure), Ok(())) => {
                self.fail(item, Some(&admitted.grant), &about, answer, &failure);
                Outcome { succeeded: false, next }
            }
            (Err(_), Err(failure)) => {
                self.fail(item, Some(&admitted.grant), &about, answer, &failure);
                Outcome { succeeded: false, next: unrecorded }
            }
        }
    }

    pub(super) fn begin<'t>(&'t self, grant: &'t Grant) -> Tx<'t> {
        let partition =
            Partition { mount: *grant.mount().as_bytes(), scope: *grant.scope().as_bytes() };
        let (serial, role) = (*grant.serial().as_bytes(), grant.role_name().as_str());
        let tx = self.service.resources.objects.begin(partition, self.now_us.div_euclid(1_000_000));
        let tx = match grant.imported() {
            None => {
                tx.on_behalf_of(Holder { authority: [0; 16], serial, issuer: [0; 16] }, role, "")
            }
            Some(client) => {
                let authority = *client.authority.id.as_bytes();
                let holder = Holder { authority, serial, issuer: client.issuer };
                tx.on_behalf_of(holder, role, &client.subject.issuer_text)
            }
        };
        tx.with_unique_names(grant.has_unique_names())
    }

    /// Whether the item may be carried out.
    pub(super) fn admit<'i>(&self, item: &'i Item<'i>) -> Result<Admitted<'i>, (Failure, Next)> {
        let parsed = match &item.parsed {
            Ok(parsed) => parsed,
            Err(refused) => return Err((refused.error.into(), Next::Continue)),
        };
        let access = &self.service.access;
        let (mount, identity) = (self.peer.mount, &self.peer.identity);
        let row = table::row(parsed.operation).filter(|row| row.since <= self.version);
        let Some(row) = row else {
            // Nobody is told what there is before it is known who asks.
            access.authenticate(mount, identity).map_err(refused)?;
            let text = format!("{:?} is not an operation of {}", parsed.operation, self.version);
            return Err((Failure::new(Reason::OperationNotSupported, text), Next::Continue));
        };
        let grant = access.authorize(mount, identity, parsed.operation).map_err(refused)?;
        if grant.is_traced() {
            self.traced.store(true, Ordering::Relaxed);
        }
        if parsed.message_extensions.iter().any(|extension| extension.criticality_indicator) {
            let text = "a critical Message Extension is not understood";
            return Err((Failure::new(Reason::FeatureNotSupported, text), Next::Continue));
        }
        Ok(Admitted { item: parsed, row, grant })
    }

    /// Runs the handler; what it wrote is left open behind [`OpenItem`] for the caller.
    pub(super) fn handle(
        &self,
        admitted: &Admitted<'_>,
        tx: &mut Tx<'_>,
        batch: &mut Batch,
        answer: &mut Answer<'_>,
        open: OpenItem,
    ) -> (About, Result<OpenItem, Failure>) {
        let mut context = Context {
            tx,
            version: self.version,
            grant: &admitted.grant,
            resources: &self.service.resources,
            operations: table::operations,
            batch,
            number: self.number,
            now_us: self.now_us,
            about: About::default(),
        };
        let mut encoder = Encoder::new(answer.writer, self.version);
        let mut run = || (admitted.row.handler)(&mut context, admitted.item, &mut encoder);
        let mut result = if is_long(admitted.item.operation) { aside(run) } else { run() };
        let about = context.about;
        if let Err(too_young) = encoder.finish()
            && result.is_ok()
        {
            tracing::error!(?too_young, version = %self.version, "an answer does not fit its version");
            let text = "the answer cannot be said in this protocol version";
            result = Err(Failure::new(Reason::GeneralFailure, text));
        }
        if result.is_ok() && answer.writer.len() > self.response_end_max {
            let text = "the answer is larger than the Maximum Response Size";
            result = Err(Failure::new(Reason::ResponseTooLarge, text));
        }
        let result = result.and_then(|()| context.tx.check_names());
        (about, result.map(|()| open))
    }

    pub(super) async fn commit(&self, tx: Tx<'_>) -> Result<(), CommitError> {
        // The record of the request reaches the disk beside the change that it announces.
        let recorded = self.service.audit.sync();
        let commit = if tx.waits_to_commit() { aside(|| tx.commit()) } else { tx.commit() };
        commit.done().await?;
        recorded.await.map_err(|error| CommitError::Failed(error.to_string()))
    }

    pub(super) fn fail(
        &self,
        item: &Item<'_>,
        grant: Option<&Grant>,
        about: &About,
        answer: &mut Answer<'_>,
        failure: &Failure,
    ) {
        log(self.peer, grant, self.version, item.operation(), failure);
        // What was not admitted is not in the audit yet, and its reason leaves only if it is.
        let unrecorded = match grant {
            Some(_) => None,
            None => self.record_as(Phase::Response, item, None, about, Some(failure)).err(),
        };
        let failure = unrecorded.as_ref().unwrap_or(failure);
        answer.fail_item(item.operation(), item.unique_batch_item_id(), failure);
    }
}

/// Whether the operation may compute for so long that others would notice.
const fn is_long(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::CREATE_KEY_PAIR | Operation::RE_KEY_KEY_PAIR | Operation::DERIVE_KEY
    )
}

pub(super) fn open(item: &Item<'_>, answer: &mut Answer<'_>) -> OpenItem {
    answer.begin_item(item.operation(), item.unique_batch_item_id(), ResultStatus::SUCCESS)
}

fn refused(refusal: Refusal) -> (Failure, Next) {
    let (reason, next) = if refusal.is_final() {
        (Reason::CredentialRefused, Next::Close)
    } else {
        (Reason::PermissionDenied, Next::Continue)
    };
    (Failure::new(reason, refusal.to_string()), next)
}

pub(super) fn commit_failed(error: &CommitError) -> Failure {
    tracing::error!(%error, "commit");
    match error {
        CommitError::Conflict { .. } => {
            Failure::new(Reason::GeneralFailure, "too many concurrent changes; try again")
        }
        CommitError::Full => Failure::new(Reason::ServerLimit, "the server's storage is full"),
        _ => Failure::new(Reason::GeneralFailure, "the server's storage failed; see its log"),
    }
}

/// The support log: one line for each refused request.
pub(super) fn log(
    peer: &Peer,
    grant: Option<&Grant>,
    version: Version,
    operation: Option<Operation>,
    failure: &Failure,
) {
    tracing::info!(
        target: "claviger::refused",
        peer = %peer.remote,
        serial = %peer.serial_text,
        scope = grant.map(|grant| grant.scope_name().as_str()),
        role = grant.map(|grant| grant.role_name().as_str()),
        %version,
        operation = operation.and_then(|operation| operation.name()),
        reason = ?failure.reason.result_reason(version),
        hint = %failure.message,
        "request refused"
    );
}
