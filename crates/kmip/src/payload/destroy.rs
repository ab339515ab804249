//! Destroy: destroy the key material of an object (KMIP 2.1 §6.1.15, KMIP 1.4 §4.21).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct DestroyRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }

    /// Response payload.
    pub struct DestroyResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
