//! RNG Retrieve: get random bytes (KMIP 2.1 §6.1.49, KMIP 1.4 §4.35).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::Secret;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct RngRetrieveRequest {
        /// How many bytes.
        data_length: i32 = DATA_LENGTH,
    }

    /// Response payload.
    pub struct RngRetrieveResponse {
        /// The bytes.
        data: Secret = DATA,
    }
}
