//! Poll: ask for the outcome of a pending operation (KMIP 2.1 §6.1.38, KMIP 1.4 §4.28).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::ByteString;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct PollRequest {
        /// Which pending operation.
        asynchronous_correlation_value: ByteString = ASYNCHRONOUS_CORRELATION_VALUE,
    }
}
