//! Log: write a line into the log of the server (KMIP 2.1 §6.1.29).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct LogRequest {
        /// The line.
        log_message: String = LOG_MESSAGE,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct LogResponse {}
}
