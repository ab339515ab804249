//! Cancel: give up a pending operation (KMIP 2.1 §6.1.5, KMIP 1.4 §4.27).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::ByteString;
use crate::codec::structure::structure;
use crate::enums::CancellationResult;

structure! {
    /// Request payload.
    pub struct CancelRequest {
        /// Which pending operation.
        asynchronous_correlation_value: ByteString = ASYNCHRONOUS_CORRELATION_VALUE,
    }

    /// Response payload.
    pub struct CancelResponse {
        /// Which pending operation.
        asynchronous_correlation_value: ByteString = ASYNCHRONOUS_CORRELATION_VALUE,
        /// What became of it.
        cancellation_result: CancellationResult = CANCELLATION_RESULT,
    }
}
