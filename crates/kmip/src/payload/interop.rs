//! Interop: mark the begin or end of a test case (KMIP 2.1 §6.1.26).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::structure::structure;
use crate::enums::InteropFunction;

structure! {
    /// Request payload.
    pub struct InteropRequest {
        /// Begin, end or reset.
        interop_function: InteropFunction = INTEROP_FUNCTION,
        /// The test case.
        interop_identifier: Option<String> = INTEROP_IDENTIFIER,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct InteropResponse {}
}
