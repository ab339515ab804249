//! RSA keys: PKCS#1 (RFC 8017 appendix A.1) and KMIP's Transparent forms (KMIP 2.1 §3.1).

use pkcs1::der::asn1::UintRef;
use pkcs1::der::{Decode, Encode};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use zeroize::Zeroizing;

use super::big_integer::{bits, trim};
use crate::error::CryptoError;
use crate::gaps;
use crate::secret::Secret;

/// The modulus lengths that are read, in bits. A use of a key of twice as many takes eight times as long: of 16,384
/// bits, that is most of a second of a processor that others wait for.
const MODULUS_BITS: core::ops::RangeInclusive<usize> = 512..=8_192;

/// RFC 8017's RSAPublicKey; KMIP's Transparent RSA Public Key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    /// n.
    pub modulus: Vec<u8>,
    /// e.
    pub public_exponent: Vec<u8>,
}

/// RFC 8017's RSAPrivateKey; KMIP's Transparent RSA Private Key with every field filled in.
pub struct RsaPrivateKey {
    /// n.
    pub modulus: Vec<u8>,
    /// e.
    pub public_exponent: Vec<u8>,
    /// d.
    pub private_exponent: Zeroizing<Vec<u8>>,
    /// The first prime.
    pub p: Zeroizing<Vec<u8>>,
    /// The second prime.
    pub q: Zeroizing<Vec<u8>>,
    /// d mod (p - 1).
    pub prime_exponent_p: Zeroizing<Vec<u8>>,
    /// d mod (q - 1).
    pub prime_exponent_q: Zeroizing<Vec<u8>>,
    /// The inverse of q mod p.
    pub crt_coefficient: Zeroizing<Vec<u8>>,
}

/// KMIP's Transparent RSA Private Key as it may come: all but the modulus is optional.
#[derive(Default)]
pub struct TransparentRsaPrivateKey {
    /// n.
    pub modulus: Vec<u8>,
    /// e; 65537 if it is not given.
    pub public_exponent: Option<Vec<u8>>,
    /// d.
    pub private_exponent: Option<Zeroizing<Vec<u8>>>,
    /// The first prime.
    pub p: Option<Zeroizing<Vec<u8>>>,
    /// The second prime.
    pub q: Option<Zeroizing<Vec<u8>>>,
}

impl RsaPublicKey {
    /// From n and e, which are trimmed and checked for size.
    pub fn new(modulus: &[u8], public_exponent: &[u8]) -> Result<Self, CryptoError> {
        let (modulus, public_exponent) = (trim(modulus), trim(public_exponent));
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !MODULUS_BITS.contains(&bits(modulus)) || !odd(modulus) {
            return Err(CryptoError::BadKey("RSA modulus"));
        }
        if !odd(public_exponent) || bits(public_exponent) < 2 || public_exponent.len() > 8 {
            return Err(CryptoError::BadKey("RSA public exponent"));
        }
        Ok(Self { modulus: modulus.to_vec(), public_exponent: public_exponent.to_vec() })
    }

    /// Reads DER.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, CryptoError> {
        let key =
            RsaPublicKeyRef::from_der(der).map_err(|_| CryptoError::BadKey("PKCS#1 public key"))?;
        Self::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// Writes DER.
    pub fn to_pkcs1(&self) -> Result<Vec<u8>, CryptoError> {
        let key = RsaPublicKeyRef {
            modulus: uint(&self.modulus)?,
            public_exponent: uint(&self.public_exponent)?,
        };
        key.to_der().map_err(|_| WRITING)
    }
}

impl RsaPrivateKey {
    /// Reads DER. Keys of more than two primes are refused.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, CryptoError> {
        let key = RsaPrivateKeyRef::from_der(der)
            .map_err(|_| CryptoError::BadKey("PKCS#1 private key"))?;
        if key.other_prime_infos.is_some() {
            return Err(CryptoError::UnsupportedCombination("RSA with more than two primes"));
        }
        let public = RsaPublicKey::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        let secret = |number: UintRef<'_>| Zeroizing::new(trim(number.as_bytes()).to_vec());
        Ok(Self {
            modulus: public.modulus,
            public_exponent: public.public_exponent,
            private_exponent: secret(key.private_exponent),
            p: secret(key.prime1),
            q: secret(key.prime2),
            prime_exponent_p: secret(key.exponent1),
            prime_exponent_q: secret(key.exponent2),
            crt_coefficient: secret(key.coefficient),
        })
    }

    /// Writes DER.
    pub fn to_pkcs1(&self) -> Result<Secret, CryptoError> {
        let key = RsaPrivateKeyRef {
            modulus: uint(&self.modulus)?,
            public_exponent: uint(&self.public_exponent)?,
            private_exponent: uint(&self.private_exponent)?,
            prime1: uint(&self.p)?,
            prime2: uint(&self.q)?,
            exponent1: uint(&self.prime_exponent_p)?,
            exponent2: uint(&self.prime_exponent_q)?,
            coefficient: uint(&self.crt_coefficient)?,
            other_prime_infos: None,
        };
        key.to_der().map(Secret::new).map_err(|_| WRITING)
    }

    /// Completes a transparent key: the exponent or the primes are enough beside the modulus. What is there is
    /// checked to be one key.
    pub fn from_transparent(key: &TransparentRsaPrivateKey) -> Result<Self, CryptoError> {
        let exponent = key.public_exponent.as_deref().unwrap_or(&[1, 0, 1]);
        let public = RsaPublicKey::new(&key.modulus, exponent)?;
        let primes = match (&key.p, &key.q) {
            (Some(p), Some(q)) => Some((p.as_slice(), q.as_slice())),
            _ => None,
        };
        gaps::rsa_complete(&public, key.private_exponent.as_deref().map(Vec::as_slice), primes)
    }

    /// The other half.
    pub fn public(&self) -> RsaPublicKey {
        RsaPublicKey {
            modulus: self.modulus.clone(),
            public_exponent: self.public_exponent.clone(),
        }
    }
}

const WRITING: CryptoError = CryptoError::Internal("writing an RSA key");

fn uint(magnitude: &[u8]) -> Result<UintRef<'_>, CryptoError> {
    let magnitude = trim(magnitude);
    UintRef::new(if magnitude.is_empty() { &[0] } else { magnitude }).map_err(|_| WRITING)
}
