//! Set Defaults: say what attributes new objects get (KMIP 2.1 §6.1.53).
//!
//! Shapes only: it must never know what the operation does.

use super::defaults::DefaultsInformation;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct SetDefaultsRequest {
        /// The defaults; absent restores those of the server.
        defaults_information: Option<DefaultsInformation> = DEFAULTS_INFORMATION,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct SetDefaultsResponse {}
}
