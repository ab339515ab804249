//! Obtain Lease: renew the lease of an object (KMIP 2.1 §6.1.35, KMIP 1.4 §4.17).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::codec::{DateTime, Interval};

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ObtainLeaseRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }

    /// Response payload.
    pub struct ObtainLeaseResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// How long the lease is.
        lease_time: Interval = LEASE_TIME,
        /// When the object last changed.
        last_change_date: DateTime = LAST_CHANGE_DATE,
    }
}
