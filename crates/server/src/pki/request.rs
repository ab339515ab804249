//! Certificate signing requests (PKCS#10, RFC 2986): reading one, checking its proof of possession
//! and the kind of its key.
//!
//! Only the public key of a request is used. Its subject and extensions are ignored: the server
//! alone decides what a certificate says.

use aws_lc_rs::signature::{
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, UnparsedPublicKey,
};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{
    OID_NIST_EC_P521, OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as ParsedKey;

use super::{KeySpec, KeyType, PkiError, pem};

/// The public key of a verified signing request.
#[derive(Debug)]
pub struct PublicKey {
    pub(super) info: rcgen::SubjectPublicKeyInfo,
    spec: KeySpec,
}

impl PublicKey {
    /// From a PEM signing request.
    ///
    /// # Errors
    /// [`PkiError::BadRequest`] when it does not parse, is not signed by its own key, or is signed
    /// with SHA-1; [`PkiError::UnsupportedKey`] for a kind of key that this server cannot certify.
    pub fn from_request_pem(text: &str) -> Result<Self, PkiError> {
        let labels = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
        let der = pem::decode(&labels, text)
            .ok_or_else(|| bad("the csr holds no PEM block \"CERTIFICATE REQUEST\""))?;
        Self::from_request_der(&der)
    }

    fn from_request_der(der: &[u8]) -> Result<Self, PkiError> {
        let (rest, request) = X509CertificationRequest::from_der(der)
            .map_err(|_| bad("the csr is not a PKCS#10 certification request"))?;
        if !rest.is_empty() {
            return Err(bad("the csr has bytes after its end"));
        }
        verify(&request)?;
        let key = &request.certification_request_info.subject_pki;
        let (key_type, bits) = match key.parsed() {
            Ok(ParsedKey::RSA(rsa)) => (KeyType::Rsa, rsa.key_size()),
            Ok(ParsedKey::EC(point)) => (KeyType::Ec, point.key_size()),
            _ => return Err(bad("the csr's key is neither RSA nor elliptic curve")),
        };
        let bits = match (key_type, bits) {
            // x509-parser counts a P-521 point by its 66 whole octets.
            (KeyType::Ec, 521..=528) => 521,
            (_, bits) => u32::try_from(bits).unwrap_or(u32::MAX),
        };
        Ok(Self {
            spec: KeySpec::new(key_type, bits)?,
            info: rcgen::SubjectPublicKeyInfo::from_der(key.raw)
                .map_err(|_| bad("the csr's key is on a curve that this server cannot certify"))?,
        })
    }

    /// The kind of the key.
    pub fn spec(&self) -> KeySpec {
        self.spec
    }

    /// Refuses a key that is not of the kind `expected`.
    ///
    /// # Errors
    /// [`PkiError::BadRequest`] naming both kinds.
    pub fn require(&self, expected: KeySpec) -> Result<(), PkiError> {
        if self.spec == expected {
            return Ok(());
        }
        Err(bad(&format!(
            "the csr's key is {} {} but the role requires {} {}",
            self.spec.key_type().name(),
            self.spec.bits(),
            expected.key_type().name(),
            expected.bits(),
        )))
    }
}

fn verify(request: &X509CertificationRequest<'_>) -> Result<(), PkiError> {
    let refused = || bad("the csr is not signed by its own key");
    let algorithm = &request.signature_algorithm.algorithm;
    if *algorithm == OID_PKCS1_SHA1WITHRSA || *algorithm == OID_SHA1_WITH_RSA {
        return Err(bad("the csr is signed with SHA-1: sign it with SHA-256"));
    }
    let info = &request.certification_request_info;
    let curve = info.subject_pki.algorithm.parameters.as_ref();
    let is_p521 = curve
        .and_then(|parameters| parameters.as_oid().ok())
        .is_some_and(|oid| oid == OID_NIST_EC_P521);
    if !is_p521 {
        return request.verify_signature().map_err(|_| refused());
    }
    // x509-parser does not verify P-521.
    let verification = if *algorithm == OID_SIG_ECDSA_WITH_SHA256 {
        &ECDSA_P521_SHA256_ASN1
    } else if *algorithm == OID_SIG_ECDSA_WITH_SHA384 {
        &ECDSA_P521_SHA384_ASN1
    } else if *algorithm == OID_SIG_ECDSA_WITH_SHA512 {
        &ECDSA_P521_SHA512_ASN1
    } else {
        return Err(refused());
    };
    UnparsedPublicKey::new(verification, &info.subject_pki.subject_public_key.data)
        .verify(info.raw, &request.signature_value.data)
        .map_err(|_| refused())
}

fn bad(text: &str) -> PkiError {
    PkiError::BadRequest(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::PrivateKey;

    fn request_pem(spec: KeySpec) -> String {
        crate::pki::testing::request_pem(&PrivateKey::generate(spec).unwrap())
    }

    #[test]
    fn every_kind_of_key_is_recognised() {
        for spec in [KeySpec::Ec256, KeySpec::Ec384, KeySpec::Ec521, KeySpec::Rsa2048] {
            let key = PublicKey::from_request_pem(&request_pem(spec)).unwrap();
            assert_eq!(key.spec(), spec);
            key.require(spec).unwrap();
        }
    }

    #[test]
    fn another_kind_than_the_role_wants_is_refused_in_words() {
        let key = PublicKey::from_request_pem(&request_pem(KeySpec::Ec256)).unwrap();
        let error = key.require(KeySpec::Rsa2048).unwrap_err();
        assert!(error.is_callers());
        assert_eq!(error.to_string(), "the csr's key is ec 256 but the role requires rsa 2048");
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_is_refused() {
        for spec in [KeySpec::Ec256, KeySpec::Ec521] {
            let text = request_pem(spec);
            let mut der = pem::decode(&["CERTIFICATE REQUEST"], &text).unwrap();
            // The last octet belongs to the signature.
            *der.last_mut().unwrap() ^= 1;
            assert!(PublicKey::from_request_der(&der).unwrap_err().is_callers());
        }
        for text in [
            "",
            "garbage",
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        ] {
            assert!(PublicKey::from_request_pem(text).unwrap_err().is_callers());
        }
    }
}
