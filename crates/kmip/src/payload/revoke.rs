//! Revoke: take an object out of use (KMIP 2.1 §6.1.44, KMIP 1.4 §4.20).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::{RevocationReason, UniqueIdentifier};
use crate::codec::DateTime;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct RevokeRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// Why.
        revocation_reason: RevocationReason = REVOCATION_REASON,
        /// When it was compromised, as far as known.
        compromise_occurrence_date: Option<DateTime> = COMPROMISE_OCCURRENCE_DATE,
    }

    /// Response payload.
    pub struct RevokeResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
