//! The curves this crate works on: their names in KMIP and their object identifiers, in one table.

use claviger_kmip::enums::{CryptographicAlgorithm, RecommendedCurve};
use pkcs8::ObjectIdentifier;

use crate::error::CryptoError;

/// A curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-224.
    P224,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// SEC 2 secp256k1.
    Secp256k1,
    /// Edwards25519, for signatures (RFC 8032).
    Ed25519,
    /// Curve25519, for key agreement (RFC 7748).
    X25519,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 7] = [
        Self::P224,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Secp256k1,
        Self::Ed25519,
        Self::X25519,
    ];

    /// The curve of a Recommended Curve. `CURVE25519` is X25519; Ed25519 is a Cryptographic Algorithm in KMIP.
    pub fn from_recommended(curve: RecommendedCurve) -> Result<Self, CryptoError> {
        Ok(match curve {
            RecommendedCurve::P_224 => Self::P224,
            RecommendedCurve::P_256 => Self::P256,
            RecommendedCurve::P_384 => Self::P384,
            RecommendedCurve::P_521 => Self::P521,
            RecommendedCurve::SECP256K1 => Self::Secp256k1,
            RecommendedCurve::CURVE25519 => Self::X25519,
            _ => return Err(CryptoError::UnsupportedCombination("this recommended curve")),
        })
    }

    /// The Recommended Curve of a curve.
    pub fn recommended(self) -> RecommendedCurve {
        match self {
            Self::P224 => RecommendedCurve::P_224,
            Self::P256 => RecommendedCurve::P_256,
            Self::P384 => RecommendedCurve::P_384,
            Self::P521 => RecommendedCurve::P_521,
            Self::Secp256k1 => RecommendedCurve::SECP256K1,
            Self::Ed25519 | Self::X25519 => RecommendedCurve::CURVE25519,
        }
    }

    /// The Cryptographic Length in bits: the size of the field.
    pub fn bits(self) -> usize {
        match self {
            Self::P224 => 224,
            Self::P256 | Self::Secp256k1 | Self::Ed25519 | Self::X25519 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// The length of a scalar, and of one coordinate, in bytes.
    pub fn byte_len(self) -> usize {
        self.bits().div_ceil(8)
    }

    /// Whether keys are RFC 8410's (a bare 32-byte string) and not X9.62's (a point with two coordinates).
    pub fn is_edwards_or_montgomery(self) -> bool {
        matches!(self, Self::Ed25519 | Self::X25519)
    }

    /// The Cryptographic Algorithm of its keys.
    pub fn cryptographic_algorithm(self) -> CryptographicAlgorithm {
        match self {
            Self::Ed25519 => CryptographicAlgorithm::ED25519,
            _ => CryptographicAlgorithm::EC,
        }
    }

    /// The object identifier in dotted form: of the curve, or of the algorithm for RFC 8410 keys.
    pub fn dotted_identifier(self) -> &'static str {
        match self {
            Self::P224 => "1.3.132.0.33",
            Self::P256 => "1.2.840.10045.3.1.7",
            Self::P384 => "1.3.132.0.34",
            Self::P521 => "1.3.132.0.35",
            Self::Secp256k1 => "1.3.132.0.10",
            Self::Ed25519 => "1.3.101.112",
            Self::X25519 => "1.3.101.110",
        }
    }

    /// The same, as the DER library has it.
    pub(super) fn object_identifier(self) -> Result<ObjectIdentifier, CryptoError> {
        ObjectIdentifier::new(self.dotted_identifier())
            .map_err(|_| CryptoError::Internal("object identifier"))
    }

    /// The curve of an object identifier.
    pub(super) fn from_object_identifier(
        identifier: &ObjectIdentifier,
    ) -> Result<Self, CryptoError> {
        Self::ALL
            .into_iter()
            .find(|curve| curve.object_identifier().as_ref() == Ok(identifier))
            .ok_or(CryptoError::UnsupportedCombination("a key of this algorithm or curve"))
    }
}
