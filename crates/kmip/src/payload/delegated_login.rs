//! Delegated Login: get a ticket with fewer rights for somebody else (KMIP 2.1 §6.1.12).
//!
//! Shapes only: it must never know what the operation does.

use super::ticket::{LeaseTime, Rights, Ticket};
use crate::attributes::values::UsageLimits;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct DelegatedLoginRequest {
        /// How long the ticket lives.
        lease_time: Option<LeaseTime> = LEASE_TIME,
        /// How many requests the ticket is good for.
        request_count: Option<i32> = REQUEST_COUNT,
        /// How much may be done with the ticket.
        usage_limits: Option<UsageLimits> = USAGE_LIMITS,
        /// What the ticket allows.
        rights: Rights = RIGHTS,
    }

    /// Response payload.
    pub struct DelegatedLoginResponse {
        /// The ticket.
        ticket: Ticket = TICKET,
    }
}
