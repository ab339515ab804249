//! What the audit is told of a batch item.

use super::item::{Admitted, Item, Request};
use crate::access::Grant;
use crate::aside::aside;
use crate::audit::{Entry, Kmip, Phase};
use crate::failure::{Failure, Reason};
use crate::ops::About;

/// Whether the audit has an admitted item's request.
#[derive(Copy, Clone, Debug)]
pub(super) enum Asked {
    /// It has.
    Recorded,
    /// Not yet, as it only looks: it came at this time, in microseconds since 1970, and is recorded
    /// with its outcome, before anything of it leaves.
    Unrecorded(i64),
}

impl Request<'_> {
    pub(super) fn record(
        &self,
        phase: Phase,
        item: &Item<'_>,
        admitted: &Admitted<'_>,
        about: &About,
        failure: Option<&Failure>,
    ) -> Result<(), Failure> {
        self.record_as(phase, item, Some(&admitted.grant), about, failure)
    }

    /// Records what became of an item, after its request unless that is recorded already.
    pub(super) fn record_outcome(
        &self,
        item: &Item<'_>,
        admitted: &Admitted<'_>,
        asked: Asked,
        about: &About,
        failure: Option<&Failure>,
    ) -> Result<(), Failure> {
        let Asked::Unrecorded(asked_us) = asked else {
            return self.record(Phase::Response, item, admitted, about, failure);
        };
        if !self.service.audit.is_enabled() {
            return Ok(());
        }
        let number = self.number.to_string();
        let response = self.entry(item, &number, Some(&admitted.grant), about, failure);
        let request = Kmip {
            phase: Phase::Request,
            time_us: asked_us,
            unique_identifier: None,
            object_type: None,
            result_reason: None,
            ..response.clone()
        };
        self.hand_over(&[Entry::Kmip(request), Entry::Kmip(response)])
    }

    /// Records an item of whoever holds the grant, or of somebody who got none.
    pub(super) fn record_as(
        &self,
        phase: Phase,
        item: &Item<'_>,
        grant: Option<&Grant>,
        about: &About,
        failure: Option<&Failure>,
    ) -> Result<(), Failure> {
        if !self.service.audit.is_enabled() {
            return Ok(());
        }
        let number = self.number.to_string();
        let entry = Kmip { phase, ..self.entry(item, &number, grant, about, failure) };
        self.hand_over(&[Entry::Kmip(entry)])
    }

    /// What a response's entry says, now.
    fn entry<'e>(
        &'e self,
        item: &Item<'_>,
        number: &'e str,
        grant: Option<&'e Grant>,
        about: &'e About,
        failure: Option<&Failure>,
    ) -> Kmip<'e> {
        let reason = failure.map(|failure| failure.reason.result_reason(self.version));
        Kmip {
            phase: Phase::Response,
            time_us: self.service.clock.now_us(),
            id: number,
            item: u32::try_from(item.position).unwrap_or(u32::MAX),
            mount: &self.peer.mount_path,
            scope: grant.map(|grant| grant.scope_name().as_str()),
            role: grant.map(|grant| grant.role_name().as_str()),
            serial: Some(&self.peer.serial_text),
            operation: item.operation().and_then(|operation| operation.name()).unwrap_or("unknown"),
            unique_identifier: about.unique_identifier.as_deref(),
            object_type: about.object_type.and_then(|object_type| object_type.name()),
            version: (self.version.major.unsigned_abs(), self.version.minor.unsigned_abs()),
            result_reason: reason.and_then(|reason| reason.name()),
            remote: Some(self.peer.remote),
        }
    }

    fn hand_over(&self, entries: &[Entry<'_>]) -> Result<(), Failure> {
        let record = || self.service.audit.record_all(entries);
        let recorded = if self.service.audit.may_wait() { aside(record) } else { record() };
        recorded.map_err(|error| {
            // Which device fails is in the log already, and not once for each request.
            tracing::debug!(%error, "the audit does not take a request");
            Failure::new(Reason::GeneralFailure, "the audit does not take the request")
        })
    }
}
