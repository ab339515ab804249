//! Process: run a pending operation to its end (KMIP 2.1 §6.1.39).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::ByteString;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct ProcessRequest {
        /// Which pending operation.
        asynchronous_correlation_value: ByteString = ASYNCHRONOUS_CORRELATION_VALUE,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct ProcessResponse {}
}
