//! Login: get a ticket for later requests (KMIP 2.1 §6.1.30).
//!
//! Shapes only: it must never know what the operation does.

use super::ticket::{LeaseTime, Ticket};
use crate::attributes::values::UsageLimits;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct LoginRequest {
        /// How long the ticket lives.
        lease_time: Option<LeaseTime> = LEASE_TIME,
        /// How many requests the ticket is good for.
        request_count: Option<i32> = REQUEST_COUNT,
        /// How much may be done with the ticket.
        usage_limits: Option<UsageLimits> = USAGE_LIMITS,
    }

    /// Response payload.
    pub struct LoginResponse {
        /// The ticket.
        ticket: Ticket = TICKET,
    }
}
