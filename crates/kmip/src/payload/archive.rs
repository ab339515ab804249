//! Archive: let the server put an object into the archive (KMIP 2.1 §6.1.4, KMIP 1.4 §4.22).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ArchiveRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }

    /// Response payload.
    pub struct ArchiveResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
