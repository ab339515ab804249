//! Ping: see whether the server is there (KMIP 2.1 §6.1.36).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::structure::structure;

structure! {
    /// Request payload: empty.
    #[derive(Default)]
    pub struct PingRequest {}

    /// Response payload: empty.
    #[derive(Default)]
    pub struct PingResponse {}
}
