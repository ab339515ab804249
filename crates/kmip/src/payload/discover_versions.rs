//! Discover Versions: agree on a version of the protocol (KMIP 2.1 §6.1.16, KMIP 1.4 §4.26).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::structure::structure;
use crate::message::ProtocolVersion;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct DiscoverVersionsRequest {
        /// The versions that the sender speaks, best first; none asks for all.
        protocol_version: Vec<ProtocolVersion> = PROTOCOL_VERSION,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct DiscoverVersionsResponse {
        /// The versions that both speak, best first.
        protocol_version: Vec<ProtocolVersion> = PROTOCOL_VERSION,
    }
}
