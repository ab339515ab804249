//! Set Constraints: say what the server demands of new objects (KMIP 2.1 §6.1.52).
//!
//! Shapes only: it must never know what the operation does.

use super::constraint::Constraints;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct SetConstraintsRequest {
        /// The constraints; absent takes them away.
        constraints: Option<Constraints> = CONSTRAINTS,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct SetConstraintsResponse {}
}
