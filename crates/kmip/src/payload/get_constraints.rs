//! Get Constraints: ask what the server demands of new objects (KMIP 2.1 §6.1.22).
//!
//! Shapes only: it must never know what the operation does.

use super::constraint::Constraints;
use crate::codec::structure::structure;

structure! {
    /// Request payload: empty.
    #[derive(Default)]
    pub struct GetConstraintsRequest {}

    /// Response payload.
    pub struct GetConstraintsResponse {
        /// The constraints.
        constraints: Constraints = CONSTRAINTS,
    }
}
