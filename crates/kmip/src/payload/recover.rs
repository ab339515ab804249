//! Recover: fetch an object from the archive (KMIP 2.1 §6.1.42, KMIP 1.4 §4.23).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct RecoverRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }

    /// Response payload.
    pub struct RecoverResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
