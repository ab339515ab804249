//! Elliptic-curve keys: SEC 1 (RFC 5915) and the bare scalar and point of KMIP's Transparent forms.

use aws_lc_rs::agreement;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, ParsedPublicKey};
use pkcs8::der::{Decode, Encode};
use sec1::{EcParameters, EcPrivateKey as Sec1};
use zeroize::Zeroizing;

use super::Curve;
use super::big_integer::fixed;
use crate::error::CryptoError;
use crate::gaps;
use crate::secret::Secret;
use crate::signature::ecdsa;

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

impl EcPrivateKey {
    /// From a magnitude (a string, for Ed25519 and X25519); whether it is below the order shows when it is used.
    pub fn new(curve: Curve, d: &[u8]) -> Result<Self, CryptoError> {
        let d = if curve.is_edwards_or_montgomery() {
            if d.len() != curve.byte_len() {
                return Err(CryptoError::BadKey("length of the private key"));
            }
            Zeroizing::new(d.to_vec())
        } else {
            fixed(d, curve.byte_len())?
        };
        Ok(Self { curve, d })
    }

    /// Reads SEC 1 DER. `curve` is used where the key names none, and must agree where it does.
    pub fn from_sec1(der: &[u8], curve: Option<Curve>) -> Result<Self, CryptoError> {
        let key = Sec1::from_der(der).map_err(|_| CryptoError::BadKey("EC private key"))?;
        let named = match key.parameters.and_then(EcParameters::named_curve) {
            Some(identifier) => Some(Curve::from_object_identifier(&identifier)?),
            None => None,
        };
        let curve = match (named, curve) {
            (Some(named), Some(expected)) if named != expected => {
                return Err(CryptoError::KeyMismatch("the key is on another curve"));
            }
            (Some(curve), _) | (None, Some(curve)) => curve,
            (None, None) => return Err(CryptoError::MissingParameter("the key's curve")),
        };
        Self::new(curve, key.private_key)
    }

    /// Writes SEC 1 DER with curve and public point.
    pub fn to_sec1(&self) -> Result<Secret, CryptoError> {
        let identifier = self.named_curve()?;
        self.sec1(Some(EcParameters::NamedCurve(identifier)))
    }

    /// Writes SEC 1 DER for inside PKCS#8, which names the curve itself.
    pub(super) fn to_sec1_without_curve(&self) -> Result<Secret, CryptoError> {
        self.named_curve()?;
        self.sec1(None)
    }

    fn named_curve(&self) -> Result<pkcs8::ObjectIdentifier, CryptoError> {
        if self.curve.is_edwards_or_montgomery() {
            return Err(CryptoError::UnsupportedCombination(
                "this curve in the ECPrivateKey format",
            ));
        }
        self.curve.object_identifier()
    }

    fn sec1(&self, parameters: Option<EcParameters>) -> Result<Secret, CryptoError> {
        let public = self.public()?;
        let key = Sec1 { private_key: &self.d, parameters, public_key: Some(&public.q) };
        key.to_der().map(Secret::new).map_err(|_| CryptoError::Internal("writing an EC key"))
    }

    /// SEC 1 DER with the curve but without the public point, as the provider reads it.
    pub(crate) fn to_sec1_bare(&self) -> Result<Secret, CryptoError> {
        let parameters = Some(EcParameters::NamedCurve(self.named_curve()?));
        let key = Sec1 { private_key: &self.d, parameters, public_key: None };
        key.to_der().map(Secret::new).map_err(|_| CryptoError::Internal("writing an EC key"))
    }

    /// The other half.
    pub fn public(&self) -> Result<EcPublicKey, CryptoError> {
        const BAD: CryptoError = CryptoError::BadKey("EC private scalar");
        let q = match self.curve {
            Curve::P224 => gaps::p224_public(&self.d)?,
            Curve::P256 | Curve::P384 | Curve::P521 | Curve::Secp256k1 => {
                ecdsa::key_pair(self)?.public_key().as_ref().to_vec()
            }
            Curve::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&self.d).map_err(|_| BAD)?;
                pair.public_key().as_ref().to_vec()
            }
            Curve::X25519 => {
                let key = agreement::PrivateKey::from_private_key(&agreement::X25519, &self.d)
                    .map_err(|_| BAD)?;
                key.compute_public_key().map_err(|_| BAD)?.as_ref().to_vec()
            }
        };
        Ok(EcPublicKey { curve: self.curve, q })
    }
}

impl EcPublicKey {
    /// From an uncompressed point (a string, for Ed25519 and X25519) that must lie on the curve.
    pub fn new(curve: Curve, q: &[u8]) -> Result<Self, CryptoError> {
        const OFF: CryptoError = CryptoError::BadKey("EC public point");
        let len = if curve.is_edwards_or_montgomery() { 32 } else { 1 + 2 * curve.byte_len() };
        if q.len() != len {
            let compressed = matches!(q.first(), Some(2 | 3)) && q.len() == 1 + curve.byte_len();
            return Err(if compressed {
                CryptoError::UnsupportedCombination("a compressed EC point")
            } else {
                OFF
            });
        }
        let on_curve = match ecdsa::verification(curve) {
            Some(algorithm) => q.first() == Some(&4) && ParsedPublicKey::new(algorithm, q).is_ok(),
            None if curve == Curve::P224 => q.first() == Some(&4) && gaps::p224_is_point(q),
            None => true,
        };
        if on_curve { Ok(Self { curve, q: q.to_vec() }) } else { Err(OFF) }
    }
}
