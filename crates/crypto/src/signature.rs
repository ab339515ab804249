//! Sign and Signature Verify (KMIP 2.1 §6.1.59, §6.1.60): RSA, ECDSA and Ed25519.
//!
//! The message comes as data or as a finished digest. A signature that does not fit the message, or is no
//! signature at all, is the answer `false`; an error means that the question could not be asked. This module must
//! never sign with a public key's algorithm guessed from the signature.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use claviger_kmip::enums::{DigitalSignatureAlgorithm, HashingAlgorithm, PaddingMethod};

use crate::error::CryptoError;
use crate::format::{Curve, EcPrivateKey, PrivateKey, PublicKey};
use crate::hash;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::random::Rng;

pub(crate) mod ecdsa;
mod rsa;

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// The data itself.
    Data(&'a [u8]),
    /// Digested Data: the hash, made by the caller.
    Digest(&'a [u8]),
}

/// Signs. ECDSA signatures are DER (RFC 3279 §2.2.3), RSA ones as long as the modulus.
pub fn sign(
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    message: Message<'_>,
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    match key {
        KeyMaterialRef::Private(PrivateKey::Rsa(key)) => {
            let scheme = Scheme::of(parameters, PaddingMethod::PKCS1V1_5)?;
            rsa::sign(key, &scheme, parameters, message, rng)
        }
        KeyMaterialRef::Private(PrivateKey::Ec(key)) if key.curve == Curve::Ed25519 => {
            sign_ed25519(key, message)
        }
        KeyMaterialRef::Private(PrivateKey::Ec(key)) => {
            ecdsa::sign(key, &Scheme::of(parameters, PaddingMethod::NONE)?.digest(message)?)
        }
        _ => Err(CryptoError::KeyMismatch("signing takes a private key")),
    }
}

/// Whether `signature` is one of `message` under `key`.
pub fn verify(
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    match key {
        KeyMaterialRef::Public(PublicKey::Rsa(key)) => {
            let scheme = Scheme::of(parameters, PaddingMethod::PKCS1V1_5)?;
            rsa::verify(key, &scheme, parameters, message, signature)
        }
        KeyMaterialRef::Public(PublicKey::Ec(key)) if key.curve == Curve::Ed25519 => {
            match message {
                Message::Data(data) => {
                    Ok(UnparsedPublicKey::new(&ED25519, &key.q).verify(data, signature).is_ok())
                }
                Message::Digest(_) => Err(WHOLE),
            }
        }
        KeyMaterialRef::Public(PublicKey::Ec(key)) => {
            let digest = Scheme::of(parameters, PaddingMethod::NONE)?.digest(message)?;
            ecdsa::verify(key, &digest, signature)
        }
        _ => Err(CryptoError::KeyMismatch("verifying takes a public key")),
    }
}

const WHOLE: CryptoError = CryptoError::UnsupportedCombination("Ed25519 over digested data");

fn sign_ed25519(key: &EcPrivateKey, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
    let Message::Data(data) = message else { return Err(WHOLE) };
    let pair = Ed25519KeyPair::from_seed_unchecked(&key.d)
        .map_err(|_| CryptoError::BadKey("Ed25519 private key"))?;
    let signature = pair.try_sign(data).map_err(|_| CryptoError::Internal("Ed25519"))?;
    Ok(signature.as_ref().to_vec())
}

/// Padding and digest, from wherever the parameters name them.
struct Scheme {
    padding_method: PaddingMethod,
    /// `None` if nothing names one.
    hashing_algorithm: Option<HashingAlgorithm>,
}

impl Scheme {
    /// A Digital Signature Algorithm decides both, and must not contradict what stands beside it.
    fn of(parameters: &Parameters, default: PaddingMethod) -> Result<Self, CryptoError> {
        use DigitalSignatureAlgorithm as D;
        use HashingAlgorithm as H;
        let rsa = PaddingMethod::PKCS1V1_5;
        let none = PaddingMethod::NONE;
        let named = match parameters.digital_signature_algorithm {
            None => (None, None),
            Some(D::RSASSA_PSS) => (Some(PaddingMethod::PSS), None),
            Some(D::MD5_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::MD5)),
            Some(D::SHA_1_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA_1)),
            Some(D::SHA_224_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA_224)),
            Some(D::SHA_256_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA_256)),
            Some(D::SHA_384_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA_384)),
            Some(D::SHA_512_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA_512)),
            Some(D::SHA3_256_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA3_256)),
            Some(D::SHA3_384_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA3_384)),
            Some(D::SHA3_512_WITH_RSA_ENCRYPTION) => (Some(rsa), Some(H::SHA3_512)),
            Some(D::ECDSA_WITH_SHA_1) => (Some(none), Some(H::SHA_1)),
            Some(D::ECDSA_WITH_SHA224) => (Some(none), Some(H::SHA_224)),
            Some(D::ECDSA_WITH_SHA256) => (Some(none), Some(H::SHA_256)),
            Some(D::ECDSA_WITH_SHA384) => (Some(none), Some(H::SHA_384)),
            Some(D::ECDSA_WITH_SHA512) => (Some(none), Some(H::SHA_512)),
            Some(_) => return Err(CryptoError::UnsupportedCombination("this signature algorithm")),
        };
        let one = |named, given, what| match (named, given) {
            (Some(named), Some(given)) if named != given => Err(CryptoError::BadParameters(what)),
            (named, given) => Ok(named.or(given)),
        };
        if let (Some(named), Some(given)) = (named.1, parameters.hashing_algorithm)
            && named != given
        {
            return Err(CryptoError::BadParameters("two hashing algorithms"));
        }
        let padding = one(named.0, parameters.padding_method, "two padding methods")?;
        let padding_method = padding.unwrap_or(default);
        if (default == none) != (padding_method == none) {
            return Err(CryptoError::KeyMismatch(
                "the signature algorithm is for another kind of key",
            ));
        }
        Ok(Self { padding_method, hashing_algorithm: named.1.or(parameters.hashing_algorithm) })
    }

    /// The digest of the message. Data without a named digest is hashed with SHA-256; a finished digest must have
    /// the named one's length.
    fn digest(&self, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        match (message, self.hashing_algorithm) {
            (Message::Data(data), algorithm) => {
                hash::hash(algorithm.unwrap_or(HashingAlgorithm::SHA_256), data)
            }
            (Message::Digest(digest), Some(algorithm))
                if hash::output_len(algorithm)? != digest.len() =>
            {
                Err(CryptoError::BadParameters("length of the digested data"))
            }
            (Message::Digest(digest), _) => Ok(digest.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests;
