//! Activate, Revoke, Destroy.

use clap::Args;
use claviger_kmip::attributes::values::{RevocationReason, UniqueIdentifier};
use claviger_kmip::codec::DateTime;
use claviger_kmip::enums::RevocationReasonCode;
use claviger_kmip::payload::{ActivateRequest, DestroyRequest, RevokeRequest};

use super::{report, words};
use crate::connection::Session;
use crate::failure::Outcome;
use crate::output::Format;

/// An object, by its identifier.
#[derive(Args, Debug)]
pub(super) struct UniqueIdentifierArgument {
    /// Unique Identifier of the object
    #[arg(value_name = "UID")]
    pub(super) unique_identifier: String,
}

impl UniqueIdentifierArgument {
    pub(super) fn wire(&self) -> Option<UniqueIdentifier> {
        Some(UniqueIdentifier::from(self.unique_identifier.as_str()))
    }
}

/// What to revoke and why.
#[derive(Args, Debug)]
pub(super) struct RevokeArguments {
    #[command(flatten)]
    object: UniqueIdentifierArgument,
    /// Why: cessation-of-operation, key-compromise, superseded, …
    #[arg(long, default_value = "cessation-of-operation",
          value_parser = words::enumeration::<RevocationReasonCode>)]
    reason: RevocationReasonCode,
    /// Why, in your words
    #[arg(long)]
    message: Option<String>,
    /// When it was compromised, POSIX seconds [default with a compromise: now]
    #[arg(long, value_name = "SECONDS")]
    compromised_at: Option<i64>,
}

/// Makes an object Active.
pub(super) fn activate(
    session: &mut Session,
    arguments: &UniqueIdentifierArgument,
    format: Format,
) -> Outcome {
    let request = ActivateRequest { unique_identifier: arguments.wire() };
    report(format, &session.call(&request)?.unique_identifier)
}

/// Takes an object out of use.
pub(super) fn revoke(
    session: &mut Session,
    arguments: &RevokeArguments,
    format: Format,
) -> Outcome {
    let is_compromise = matches!(
        arguments.reason,
        RevocationReasonCode::KEY_COMPROMISE | RevocationReasonCode::CA_COMPROMISE
    );
    let now = is_compromise.then(now);
    let request = RevokeRequest {
        unique_identifier: arguments.object.wire(),
        revocation_reason: RevocationReason {
            revocation_reason_code: arguments.reason,
            revocation_message: arguments.message.clone(),
        },
        compromise_occurrence_date: arguments.compromised_at.or(now).map(DateTime),
    };
    report(format, &session.call(&request)?.unique_identifier)
}

/// POSIX seconds.
pub(super) fn now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}

/// Destroys the key material of an object.
pub(super) fn destroy(
    session: &mut Session,
    arguments: &UniqueIdentifierArgument,
    format: Format,
) -> Outcome {
    let request = DestroyRequest { unique_identifier: arguments.wire() };
    report(format, &session.call(&request)?.unique_identifier)
}
