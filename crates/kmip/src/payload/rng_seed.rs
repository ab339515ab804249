//! RNG Seed: seed the random number generator (KMIP 2.1 §6.1.50, KMIP 1.4 §4.36).
//!
//! Shapes only: it must never know what the operation does.

use super::data::Data;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct RngSeedRequest {
        /// The seed.
        data: Data = DATA,
    }

    /// Response payload.
    pub struct RngSeedResponse {
        /// How many bytes of it were used.
        data_length: i32 = DATA_LENGTH,
    }
}
