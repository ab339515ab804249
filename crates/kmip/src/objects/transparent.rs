//! Keys whose parts are items of their own: the Transparent Key structures (KMIP 2.1 §3.1).

use claviger_ttlv::{Item, ItemType};

use crate::Version;
use crate::codec::{BigInteger, ByteString, Encoder, Secret, Wire, structure::structure};
use crate::enums::{KeyFormatType, RecommendedCurve};
use crate::error::{Error, Problem};
use crate::tags;

structure! {
    /// Transparent Symmetric Key.
    pub struct TransparentSymmetricKey {
        /// The key.
        key: Secret = KEY,
    }

    /// Transparent DSA and DH private keys.
    pub struct TransparentDhPrivateKey {
        /// Prime.
        p: BigInteger = P,
        /// Order.
        q: Option<BigInteger> = Q,
        /// Generator.
        g: BigInteger = G,
        /// Cofactor (DH).
        j: Option<BigInteger> = J,
        /// Private value.
        x: BigInteger = X,
    }

    /// Transparent DSA and DH public keys.
    pub struct TransparentDhPublicKey {
        /// Prime.
        p: BigInteger = P,
        /// Order.
        q: Option<BigInteger> = Q,
        /// Generator.
        g: BigInteger = G,
        /// Cofactor (DH).
        j: Option<BigInteger> = J,
        /// Public value.
        y: BigInteger = Y,
    }

    /// Transparent RSA Private Key.
    pub struct TransparentRsaPrivateKey {
        /// Modulus.
        modulus: BigInteger = MODULUS,
        /// Private exponent.
        private_exponent: Option<BigInteger> = PRIVATE_EXPONENT,
        /// Public exponent.
        public_exponent: Option<BigInteger> = PUBLIC_EXPONENT,
        /// First prime.
        p: Option<BigInteger> = P,
        /// Second prime.
        q: Option<BigInteger> = Q,
        /// d mod (p-1).
        prime_exponent_p: Option<BigInteger> = PRIME_EXPONENT_P,
        /// d mod (q-1).
        prime_exponent_q: Option<BigInteger> = PRIME_EXPONENT_Q,
        /// Inverse of q mod p.
        crt_coefficient: Option<BigInteger> = CRT_COEFFICIENT,
    }

    /// Transparent RSA Public Key.
    pub struct TransparentRsaPublicKey {
        /// Modulus.
        modulus: BigInteger = MODULUS,
        /// Public exponent.
        public_exponent: BigInteger = PUBLIC_EXPONENT,
    }

    /// Transparent EC, ECDSA, ECDH and ECMQV private keys.
    pub struct TransparentEcPrivateKey {
        /// The curve.
        recommended_curve: RecommendedCurve = RECOMMENDED_CURVE,
        /// The private scalar.
        d: BigInteger = D,
    }

    /// Transparent EC, ECDSA, ECDH and ECMQV public keys.
    pub struct TransparentEcPublicKey {
        /// The curve.
        recommended_curve: RecommendedCurve = RECOMMENDED_CURVE,
        /// The point, X9.62 encoded.
        q_string: ByteString = Q_STRING,
    }
}

/// The key itself, in the form that the Key Format Type names (KMIP 2.1 §3.1).
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMaterial {
    /// Raw, Opaque, PKCS#1, PKCS#8, X.509, EC Private Key and extensions: an encoding.
    Bytes(Secret),
    /// Transparent Symmetric Key.
    TransparentSymmetricKey(TransparentSymmetricKey),
    /// Transparent DSA or DH private key.
    TransparentDhPrivateKey(TransparentDhPrivateKey),
    /// Transparent DSA or DH public key.
    TransparentDhPublicKey(TransparentDhPublicKey),
    /// Transparent RSA Private Key.
    TransparentRsaPrivateKey(TransparentRsaPrivateKey),
    /// Transparent RSA Public Key.
    TransparentRsaPublicKey(TransparentRsaPublicKey),
    /// Transparent EC private key of any use.
    TransparentEcPrivateKey(TransparentEcPrivateKey),
    /// Transparent EC public key of any use.
    TransparentEcPublicKey(TransparentEcPublicKey),
}

impl KeyMaterial {
    pub(super) fn decode(
        item: &Item<'_>,
        format: KeyFormatType,
        version: Version,
    ) -> Result<Self, Error> {
        if item.item_type != ItemType::Structure {
            return Secret::decode(item, version).map(Self::Bytes);
        }
        macro_rules! transparent {
            ($variant:ident, $type:ident) => {
                $type::decode(item, version).map(Self::$variant)
            };
        }
        match format {
            KeyFormatType::TRANSPARENT_SYMMETRIC_KEY => {
                transparent!(TransparentSymmetricKey, TransparentSymmetricKey)
            }
            KeyFormatType::TRANSPARENT_DSA_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_DH_PRIVATE_KEY => {
                transparent!(TransparentDhPrivateKey, TransparentDhPrivateKey)
            }
            KeyFormatType::TRANSPARENT_DSA_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_DH_PUBLIC_KEY => {
                transparent!(TransparentDhPublicKey, TransparentDhPublicKey)
            }
            KeyFormatType::TRANSPARENT_RSA_PRIVATE_KEY => {
                transparent!(TransparentRsaPrivateKey, TransparentRsaPrivateKey)
            }
            KeyFormatType::TRANSPARENT_RSA_PUBLIC_KEY => {
                transparent!(TransparentRsaPublicKey, TransparentRsaPublicKey)
            }
            KeyFormatType::TRANSPARENT_EC_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_ECDSA_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_ECDH_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_ECMQV_PRIVATE_KEY => {
                transparent!(TransparentEcPrivateKey, TransparentEcPrivateKey)
            }
            KeyFormatType::TRANSPARENT_EC_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_ECDSA_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_ECDH_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_ECMQV_PUBLIC_KEY => {
                transparent!(TransparentEcPublicKey, TransparentEcPublicKey)
            }
            _ => Err(Error::new(Problem::BadValue, tags::KEY_MATERIAL).within(tags::KEY_VALUE)),
        }
    }

    pub(super) fn encode(&self, encoder: &mut Encoder<'_>) {
        let tag = tags::KEY_MATERIAL;
        match self {
            Self::Bytes(bytes) => bytes.encode(encoder, tag),
            Self::TransparentSymmetricKey(key) => key.encode(encoder, tag),
            Self::TransparentDhPrivateKey(key) => key.encode(encoder, tag),
            Self::TransparentDhPublicKey(key) => key.encode(encoder, tag),
            Self::TransparentRsaPrivateKey(key) => key.encode(encoder, tag),
            Self::TransparentRsaPublicKey(key) => key.encode(encoder, tag),
            Self::TransparentEcPrivateKey(key) => key.encode(encoder, tag),
            Self::TransparentEcPublicKey(key) => key.encode(encoder, tag),
        }
    }
}
