//! Key pairs in their neutral form, and the conversions among KMIP's key formats (KMIP 2.1 §4.29, §11.28).
//!
//! A key is parsed once into [`PrivateKey`] or [`PublicKey`] and written again in whatever
//! format is asked for. Integers are magnitudes: big-endian, unsigned, without leading zeros;
//! [`big_integer`] makes KMIP's two's complement of them. This module must never accept an
//! encoding that is not DER to the letter, and never panic on any bytes.

use zeroize::Zeroizing;

pub mod big_integer;
mod curve;

pub use curve::Curve;

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

/// A private scalar (or seed) on a curve.
pub struct EcPrivateKey {
    /// The curve.
    pub curve: Curve,
    /// d, as many bytes as the curve's order has; for Ed25519 and X25519 the 32 bytes of RFC 8032 and 7748.
    pub d: Zeroizing<Vec<u8>>,
}

/// A public point on a curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcPublicKey {
    /// The curve.
    pub curve: Curve,
    /// Q as an uncompressed X9.62 point; for Ed25519 and X25519 the 32 bytes of RFC 8032 and 7748.
    pub q: Vec<u8>,
}

impl core::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Rsa(_) => f.write_str("PrivateKey::Rsa(..)"),
            Self::Ec(key) => write!(f, "PrivateKey::Ec({:?}, ..)", key.curve),
        }
    }
}
