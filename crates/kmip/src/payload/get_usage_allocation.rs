//! Get Usage Allocation: take a share of the usage limits of an object (KMIP 2.1 §6.1.23, KMIP 1.4 §4.18).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct GetUsageAllocationRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// How many units.
        usage_limits_count: i64 = USAGE_LIMITS_COUNT,
    }

    /// Response payload.
    pub struct GetUsageAllocationResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
