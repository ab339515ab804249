//! Key pairs in their neutral form, and the conversions among KMIP's key formats (KMIP 2.1 §4.29, §11.28).
//!
//! A key is parsed once into [`PrivateKey`] or [`PublicKey`] and written again in whatever
//! format is asked for. Integers are magnitudes: big-endian, unsigned, without leading zeros;
//! [`big_integer`] makes KMIP's two's complement of them. This module must never accept an
//! encoding that is not DER to the letter, and never panic on any bytes.

use claviger_kmip::enums::{CryptographicAlgorithm, KeyFormatType};

use crate::error::CryptoError;
use crate::secret::Secret;

pub mod big_integer;
pub mod certificate;
mod curve;
mod ec;
mod pkcs8;
mod rsa;

pub use curve::Curve;
pub use ec::{EcPrivateKey, EcPublicKey};
pub use rsa::{RsaPrivateKey, RsaPublicKey, TransparentRsaPrivateKey};

/// The private half of a pair.
pub enum PrivateKey {
    /// RSA.
    Rsa(RsaPrivateKey),
    /// An elliptic-curve key, Ed25519 and X25519 among them.
    Ec(EcPrivateKey),
}

/// The public half of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(RsaPublicKey),
    /// An elliptic-curve key, Ed25519 and X25519 among them.
    Ec(EcPublicKey),
}

impl PrivateKey {
    /// Reads PKCS#1, PKCS#8 (unencrypted) or ECPrivateKey. `curve` is for an ECPrivateKey that does not name its own.
    pub fn parse(
        format: KeyFormatType,
        bytes: &[u8],
        curve: Option<Curve>,
    ) -> Result<Self, CryptoError> {
        match format {
            KeyFormatType::PKCS_1 => RsaPrivateKey::from_pkcs1(bytes).map(Self::Rsa),
            KeyFormatType::PKCS_8 => pkcs8::read_private(bytes),
            KeyFormatType::EC_PRIVATE_KEY => EcPrivateKey::from_sec1(bytes, curve).map(Self::Ec),
            KeyFormatType::RAW => match curve {
                Some(curve) => EcPrivateKey::new(curve, bytes).map(Self::Ec),
                None => {
                    Err(CryptoError::UnsupportedCombination("a raw private key without a curve"))
                }
            },
            _ => Err(CryptoError::UnsupportedCombination("a private key in this format")),
        }
    }

    /// Writes PKCS#1 (RSA), PKCS#8, ECPrivateKey (X9.62 curves) or Raw (the bare scalar or seed).
    pub fn write(&self, format: KeyFormatType) -> Result<Secret, CryptoError> {
        match (self, format) {
            (Self::Rsa(key), KeyFormatType::PKCS_1) => key.to_pkcs1(),
            (Self::Ec(key), KeyFormatType::EC_PRIVATE_KEY) => key.to_sec1(),
            (Self::Ec(key), KeyFormatType::RAW) => Ok(Secret::copy_of(&key.d)),
            (_, KeyFormatType::PKCS_8) => pkcs8::write_private(self),
            _ => Err(CryptoError::UnsupportedCombination("this private key in this format")),
        }
    }

    /// The other half.
    pub fn public(&self) -> Result<PublicKey, CryptoError> {
        match self {
            Self::Rsa(key) => Ok(PublicKey::Rsa(key.public())),
            Self::Ec(key) => key.public().map(PublicKey::Ec),
        }
    }

    /// RSA, EC or Ed25519. KMIP's ECDSA and ECDH are not told apart by a key's bytes.
    pub fn cryptographic_algorithm(&self) -> CryptographicAlgorithm {
        match self {
            Self::Rsa(_) => CryptographicAlgorithm::RSA,
            Self::Ec(key) => key.curve.cryptographic_algorithm(),
        }
    }

    /// The bits of the modulus or of the curve's field.
    pub fn cryptographic_length(&self) -> usize {
        match self {
            Self::Rsa(key) => big_integer::bits(&key.modulus),
            Self::Ec(key) => key.curve.bits(),
        }
    }

    /// The curve, if there is one.
    pub fn curve(&self) -> Option<Curve> {
        match self {
            Self::Rsa(_) => None,
            Self::Ec(key) => Some(key.curve),
        }
    }
}

impl PublicKey {
    /// Reads PKCS#1, X.509 (a SubjectPublicKeyInfo) or Raw (a point, with its `curve`).
    pub fn parse(
        format: KeyFormatType,
        bytes: &[u8],
        curve: Option<Curve>,
    ) -> Result<Self, CryptoError> {
        match format {
            KeyFormatType::PKCS_1 => RsaPublicKey::from_pkcs1(bytes).map(Self::Rsa),
            KeyFormatType::X_509 | KeyFormatType::PKCS_8 => pkcs8::read_public(bytes),
            KeyFormatType::RAW => match curve {
                Some(curve) => EcPublicKey::new(curve, bytes).map(Self::Ec),
                None => {
                    Err(CryptoError::UnsupportedCombination("a raw public key without a curve"))
                }
            },
            _ => Err(CryptoError::UnsupportedCombination("a public key in this format")),
        }
    }

    /// Writes PKCS#1 (RSA), X.509 (a SubjectPublicKeyInfo) or Raw (the bare point).
    pub fn write(&self, format: KeyFormatType) -> Result<Vec<u8>, CryptoError> {
        match (self, format) {
            (Self::Rsa(key), KeyFormatType::PKCS_1) => key.to_pkcs1(),
            (Self::Ec(key), KeyFormatType::RAW) => Ok(key.q.clone()),
            (_, KeyFormatType::X_509 | KeyFormatType::PKCS_8) => pkcs8::write_public(self),
            _ => Err(CryptoError::UnsupportedCombination("this public key in this format")),
        }
    }

    /// RSA, EC or Ed25519.
    pub fn cryptographic_algorithm(&self) -> CryptographicAlgorithm {
        match self {
            Self::Rsa(_) => CryptographicAlgorithm::RSA,
            Self::Ec(key) => key.curve.cryptographic_algorithm(),
        }
    }

    /// The bits of the modulus or of the curve's field.
    pub fn cryptographic_length(&self) -> usize {
        match self {
            Self::Rsa(key) => big_integer::bits(&key.modulus),
            Self::Ec(key) => key.curve.bits(),
        }
    }

    /// The curve, if there is one.
    pub fn curve(&self) -> Option<Curve> {
        match self {
            Self::Rsa(_) => None,
            Self::Ec(key) => Some(key.curve),
        }
    }
}

impl core::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Rsa(_) => f.write_str("PrivateKey::Rsa(..)"),
            Self::Ec(key) => write!(f, "PrivateKey::Ec({:?}, ..)", key.curve),
        }
    }
}

#[cfg(test)]
mod tests;
