//! Derive Key (KMIP 2.1 §6.1.17): every derivation method of the table but AWS's.
//!
//! The result has exactly the length asked for: a method that gives more is cut on the right,
//! one that gives less is an error. The NIST SP 800-108 methods take Derivation Data as the whole fixed input, with
//! a 32-bit counter in front of it. This module must never stretch a short result.

use core::num::NonZeroU32;

use aws_lc_rs::{agreement, pbkdf2};
use claviger_kmip::enums::{DerivationMethod, HashingAlgorithm};
use zeroize::Zeroizing;

use crate::cipher::{self, CipherInput};
use crate::error::CryptoError;
use crate::format::{Curve, EcPrivateKey, EcPublicKey, PrivateKey, PublicKey};
use crate::gaps;
use crate::hash;
use crate::key::KeyMaterialRef;
use crate::mac::{self, MacStream};
use crate::parameters::Parameters;
use crate::random::Rng;
use crate::secret::Secret;

/// The longest derived key in bytes.
pub const DERIVED_LEN_MAX: usize = 8192;

/// The most iterations of PBKDF2: some seconds of one processor.
pub const ITERATION_COUNT_MAX: u32 = 10_000_000;

/// KMIP's Derivation Parameters.
#[derive(Debug, Clone, Copy)]
pub struct DerivationParameters<'a> {
    /// Cryptographic Parameters.
    pub cryptographic_parameters: &'a Parameters,
    /// Initialization Vector.
    pub initialization_vector: Option<&'a [u8]>,
    /// Derivation Data.
    pub derivation_data: Option<&'a [u8]>,
    /// Salt (PBKDF2, HKDF).
    pub salt: Option<&'a [u8]>,
    /// Iteration Count (PBKDF2).
    pub iteration_count: Option<i32>,
}

/// `len` bytes derived from `bases`: one symmetric key or secret, or a private and a public key for agreement.
pub fn derive(
    method: DerivationMethod,
    bases: &[KeyMaterialRef<'_>],
    parameters: &DerivationParameters<'_>,
    len: usize,
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    if !(1..=DERIVED_LEN_MAX).contains(&len) {
        return Err(CryptoError::BadParameters("length of the derived key"));
    }
    if method == DerivationMethod::ASYMMETRIC_KEY {
        return cut(agreed(bases)?, len);
    }
    let (base, key) = match bases {
        [base @ (KeyMaterialRef::Symmetric { bytes, .. } | KeyMaterialRef::SecretData(bytes))] => {
            (base, *bytes)
        }
        _ => {
            return Err(CryptoError::KeyMismatch(
                "this method derives from one symmetric key or secret",
            ));
        }
    };
    let digest = |default| hashing_algorithm(parameters.cryptographic_parameters, default);
    match method {
        DerivationMethod::PBKDF2 => pbkdf2(key, digest(HashingAlgorithm::SHA_1), parameters, len),
        DerivationMethod::HASH => match parameters.derivation_data {
            Some(data) if !data.is_empty() && !key.is_empty() => Err(CryptoError::BadParameters(
                "a hash is of the key or of derivation data, not of both",
            )),
            Some(data) if !data.is_empty() => {
                cut(Secret::new(hash::hash(digest(HashingAlgorithm::SHA_256), data)?), len)
            }
            _ => cut(Secret::new(hash::hash(digest(HashingAlgorithm::SHA_256), key)?), len),
        },
        DerivationMethod::HMAC => {
            cut(mac::hmac(digest(HashingAlgorithm::SHA_256), key, data(parameters)?)?, len)
        }
        DerivationMethod::ENCRYPT => {
            let input = CipherInput {
                data: data(parameters)?,
                iv: parameters.initialization_vector,
                ..CipherInput::default()
            };
            let sealed = cipher::encrypt(base, parameters.cryptographic_parameters, input, rng)?;
            cut(Secret::new(sealed.data), len)
        }
        DerivationMethod::NIST800_108_C
        | DerivationMethod::NIST800_108_F
        | DerivationMethod::NIST800_108_DPI => {
            nist800_108(method, key, digest(HashingAlgorithm::SHA_256), parameters, len)
        }
        DerivationMethod::HKDF => hkdf(key, digest(HashingAlgorithm::SHA_256), parameters, len),
        _ => Err(CryptoError::UnsupportedCombination("this derivation method")),
    }
}

/// The shared secret of a private and a public key on one curve: the x coordinate (SP 800-56A §5.7.1.2), or RFC 7748's string.
pub fn agree(private: &PrivateKey, public: &PublicKey) -> Result<Secret, CryptoError> {
    let (PrivateKey::Ec(private), PublicKey::Ec(public)) = (private, public) else {
        return Err(CryptoError::KeyMismatch("key agreement takes elliptic-curve keys"));
    };
    if private.curve != public.curve {
        return Err(CryptoError::KeyMismatch("the two keys are on different curves"));
    }
    match private.curve {
        Curve::P224 => gaps::p224_agree(&private.d, &public.q),
        Curve::Secp256k1 => gaps::secp256k1_agree(&private.d, &public.q),
        Curve::P256 => provider_agree(&agreement::ECDH_P256, private, public),
        Curve::P384 => provider_agree(&agreement::ECDH_P384, private, public),
        Curve::P521 => provider_agree(&agreement::ECDH_P521, private, public),
        Curve::X25519 => provider_agree(&agreement::X25519, private, public),
        Curve::Ed25519 => Err(CryptoError::KeyMismatch("Ed25519 keys sign and do not agree")),
    }
}

fn provider_agree(
    algorithm: &'static agreement::Algorithm,
    private: &EcPrivateKey,
    public: &EcPublicKey,
) -> Result<Secret, CryptoError> {
    let key = agreement::PrivateKey::from_private_key(algorithm, &private.d)
        .map_err(|_| CryptoError::BadKey("EC private scalar"))?;
    let peer = agreement::UnparsedPublicKey::new(algorithm, &public.q);
    agreement::agree(&key, peer, CryptoError::BadKey("EC public point"), |shared| {
        Ok(Secret::copy_of(shared))
    })
}

fn agreed(bases: &[KeyMaterialRef<'_>]) -> Result<Secret, CryptoError> {
    match bases {
        [KeyMaterialRef::Private(private), KeyMaterialRef::Public(public)]
        | [KeyMaterialRef::Public(public), KeyMaterialRef::Private(private)] => {
            agree(private, public)
        }
        _ => Err(CryptoError::KeyMismatch("key agreement takes one private and one public key")),
    }
}

/// The first `len` bytes.
fn cut(secret: Secret, len: usize) -> Result<Secret, CryptoError> {
    match secret.expose().get(..len) {
        Some(start) => Ok(Secret::copy_of(start)),
        None => Err(CryptoError::BadParameters("the method gives fewer bytes than asked for")),
    }
}

/// By Hashing Algorithm, or by an HMAC as Cryptographic Algorithm.
fn hashing_algorithm(parameters: &Parameters, default: HashingAlgorithm) -> HashingAlgorithm {
    let by_mac = || parameters.cryptographic_algorithm.and_then(mac::hmac_digest);
    parameters.hashing_algorithm.or_else(by_mac).unwrap_or(default)
}

fn data<'a>(parameters: &DerivationParameters<'a>) -> Result<&'a [u8], CryptoError> {
    parameters.derivation_data.ok_or(CryptoError::MissingParameter("derivation data"))
}

/// PKCS#5 (RFC 8018 §5.2).
fn pbkdf2(
    password: &[u8],
    hashing_algorithm: HashingAlgorithm,
    parameters: &DerivationParameters<'_>,
    len: usize,
) -> Result<Secret, CryptoError> {
    let algorithm = match hashing_algorithm {
        HashingAlgorithm::SHA_1 => pbkdf2::PBKDF2_HMAC_SHA1,
        HashingAlgorithm::SHA_256 => pbkdf2::PBKDF2_HMAC_SHA256,
        HashingAlgorithm::SHA_384 => pbkdf2::PBKDF2_HMAC_SHA384,
        HashingAlgorithm::SHA_512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(CryptoError::UnsupportedCombination("PBKDF2 with this hashing algorithm")),
    };
    let salt = parameters.salt.ok_or(CryptoError::MissingParameter("salt"))?;
    let count =
        parameters.iteration_count.ok_or(CryptoError::MissingParameter("iteration count"))?;
    let count = u32::try_from(count)
        .ok()
        .filter(|count| *count <= ITERATION_COUNT_MAX)
        .and_then(NonZeroU32::new)
        .ok_or(CryptoError::BadParameters("iteration count"))?;
    let mut out = Zeroizing::new(vec![0; len]);
    pbkdf2::derive(algorithm, count, salt, password, &mut out);
    Ok(out.into())
}

/// RFC 5869: Salt extracts, Derivation Data is the info.
fn hkdf(
    key: &[u8],
    hashing_algorithm: HashingAlgorithm,
    parameters: &DerivationParameters<'_>,
    len: usize,
) -> Result<Secret, CryptoError> {
    let digest_len = hash::output_len(hashing_algorithm)?;
    if len > 255 * digest_len {
        return Err(CryptoError::BadParameters("the method gives fewer bytes than asked for"));
    }
    let zeros = vec![0; digest_len];
    let salt = parameters.salt.filter(|salt| !salt.is_empty()).unwrap_or(&zeros);
    let extracted = mac::hmac(hashing_algorithm, salt, key)?;
    let info = parameters.derivation_data.unwrap_or_default();
    let mut out = Zeroizing::new(Vec::with_capacity(len + digest_len));
    let mut previous = Secret::default();
    for counter in 1..=u8::MAX {
        previous =
            prf(hashing_algorithm, extracted.expose(), &[previous.expose(), info, &[counter]])?;
        out.extend_from_slice(previous.expose());
        if out.len() >= len {
            break;
        }
    }
    out.truncate(len);
    Ok(out.into())
}

/// SP 800-108r1 §4.1 (counter), §4.2 (feedback, starting from the Initialization Vector), §4.3 (double pipeline).
fn nist800_108(
    method: DerivationMethod,
    key: &[u8],
    hashing_algorithm: HashingAlgorithm,
    parameters: &DerivationParameters<'_>,
    len: usize,
) -> Result<Secret, CryptoError> {
    let fixed = data(parameters)?;
    let digest_len = hash::output_len(hashing_algorithm)?;
    let mut out = Zeroizing::new(Vec::with_capacity(len + digest_len));
    let mut chain = match method {
        DerivationMethod::NIST800_108_F => {
            Secret::copy_of(parameters.initialization_vector.unwrap_or_default())
        }
        DerivationMethod::NIST800_108_DPI => Secret::copy_of(fixed),
        _ => Secret::default(),
    };
    for counter in 1_u32.. {
        if method == DerivationMethod::NIST800_108_DPI {
            chain = prf(hashing_algorithm, key, &[chain.expose()])?;
        }
        let block = prf(hashing_algorithm, key, &[chain.expose(), &counter.to_be_bytes(), fixed])?;
        out.extend_from_slice(block.expose());
        if out.len() >= len {
            break;
        }
        if method == DerivationMethod::NIST800_108_F {
            chain = block;
        }
    }
    out.truncate(len);
    Ok(out.into())
}

/// HMAC over several pieces.
fn prf(
    hashing_algorithm: HashingAlgorithm,
    key: &[u8],
    pieces: &[&[u8]],
) -> Result<Secret, CryptoError> {
    let mut stream = MacStream::hmac(hashing_algorithm, key)?;
    for piece in pieces {
        stream.update(piece)?;
    }
    stream.finish()
}

#[cfg(test)]
mod tests;
