//! Signing requests as clients make them, for tests here and elsewhere.

use super::{PrivateKey, pem};

/// A PKCS#10 request for a key.
pub(crate) fn request_pem(key: &PrivateKey) -> String {
    let params = rcgen::CertificateParams::default();
    let request = params.serialize_request(&key.signer().unwrap()).unwrap();
    pem::encode("CERTIFICATE REQUEST", request.der())
}
