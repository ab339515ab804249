//! ECDSA (FIPS 186-5 §6) over a finished digest of any length.
//!
//! ECDSA uses the leftmost bits of a digest, as many as the order has; a digest is cut or filled
//! with zeros in front to the length that the provider expects, which changes nothing of the number.

use aws_lc_rs::digest::{Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1,
    ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, UnparsedPublicKey,
};

use crate::error::CryptoError;
use crate::format::{Curve, EcPrivateKey, EcPublicKey};
use crate::gaps;

const FAILED: CryptoError = CryptoError::Internal("ECDSA");
const NO_ECDSA: CryptoError = CryptoError::KeyMismatch("this curve is not for ECDSA");

/// A DER signature.
pub(super) fn sign(key: &EcPrivateKey, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if key.curve == Curve::P224 {
        return gaps::p224_sign(&key.d, &fit(digest, 28));
    }
    let digest = provider_digest(key.curve, digest)?;
    Ok(key_pair(key)?.sign_digest(&digest).map_err(|_| FAILED)?.as_ref().to_vec())
}

/// Whether a DER signature fits.
pub(super) fn verify(
    key: &EcPublicKey,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    if key.curve == Curve::P224 {
        return gaps::p224_verify(&key.q, &fit(digest, 28), signature);
    }
    let algorithm = verification(key.curve).ok_or(NO_ECDSA)?;
    let digest = provider_digest(key.curve, digest)?;
    Ok(UnparsedPublicKey::new(algorithm, &key.q).verify_digest(&digest, signature).is_ok())
}

/// The provider's form of a private key.
pub(crate) fn key_pair(key: &EcPrivateKey) -> Result<EcdsaKeyPair, CryptoError> {
    let algorithm: &'static EcdsaSigningAlgorithm = match key.curve {
        Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_ASN1_SIGNING,
        Curve::P224 | Curve::Ed25519 | Curve::X25519 => return Err(NO_ECDSA),
    };
    EcdsaKeyPair::from_private_key_der(algorithm, key.to_sec1_bare()?.expose())
        .map_err(|_| CryptoError::BadKey("EC private scalar"))
}

/// The provider's verification on a curve, if it has one.
pub(crate) fn verification(curve: Curve) -> Option<&'static EcdsaVerificationAlgorithm> {
    match curve {
        Curve::P256 => Some(&ECDSA_P256_SHA256_ASN1),
        Curve::P384 => Some(&ECDSA_P384_SHA384_ASN1),
        Curve::P521 => Some(&ECDSA_P521_SHA512_ASN1),
        Curve::Secp256k1 => Some(&ECDSA_P256K1_SHA256_ASN1),
        Curve::P224 | Curve::Ed25519 | Curve::X25519 => None,
    }
}

fn provider_digest(curve: Curve, digest: &[u8]) -> Result<Digest, CryptoError> {
    let (algorithm, len) = match curve {
        Curve::P256 | Curve::Secp256k1 => (&SHA256, 32),
        Curve::P384 => (&SHA384, 48),
        Curve::P521 => (&SHA512, 64),
        Curve::P224 | Curve::Ed25519 | Curve::X25519 => return Err(NO_ECDSA),
    };
    Digest::import_less_safe(&fit(digest, len), algorithm).map_err(|_| FAILED)
}

/// The leftmost `len` bytes, or zeros in front.
fn fit(digest: &[u8], len: usize) -> Vec<u8> {
    match digest.get(..len) {
        Some(left) => left.to_vec(),
        None => {
            let mut out = vec![0; len.saturating_sub(digest.len())];
            out.extend_from_slice(digest);
            out
        }
    }
}
