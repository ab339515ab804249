//! Re-Provision: replace the client's own credential (KMIP 2.1 §6.1.48).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::ByteString;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ReProvisionRequest {
        /// A request for the new certificate.
        certificate_request: Option<ByteString> = CERTIFICATE_REQUEST,
        /// The new certificate.
        certificate: Option<ByteString> = CERTIFICATE,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct ReProvisionResponse {
        /// The new certificate or private key.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }
}
