//! Check: ask whether a use of an object would be allowed (KMIP 2.1 §6.1.7, KMIP 1.4 §4.10).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::Interval;
use crate::codec::structure::structure;
use crate::masks::CryptographicUsageMask;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct CheckRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// How many units of use.
        usage_limits_count: Option<i64> = USAGE_LIMITS_COUNT,
        /// Which uses.
        cryptographic_usage_mask: Option<CryptographicUsageMask> = CRYPTOGRAPHIC_USAGE_MASK,
        /// For how long.
        lease_time: Option<Interval> = LEASE_TIME,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct CheckResponse {
        /// The object.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// The count that was asked for and is too much.
        usage_limits_count: Option<i64> = USAGE_LIMITS_COUNT,
        /// The uses that were asked for and are not allowed.
        cryptographic_usage_mask: Option<CryptographicUsageMask> = CRYPTOGRAPHIC_USAGE_MASK,
        /// The longest lease, where a longer one was asked for.
        lease_time: Option<Interval> = LEASE_TIME,
    }
}
