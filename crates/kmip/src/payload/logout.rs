//! Logout: give a ticket back (KMIP 2.1 §6.1.31).
//!
//! Shapes only: it must never know what the operation does.

use super::ticket::Ticket;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct LogoutRequest {
        /// The ticket.
        ticket: Ticket = TICKET,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct LogoutResponse {}
}
