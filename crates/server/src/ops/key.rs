//! Managed objects as the keys that cryptography works with (KMIP 2.1 §2 and §3.1).
//!
//! Reads the plain key block of any format that the cryptography knows. It must never unwrap: a
//! wrapped object comes through [`super::wrapping`] first.

use claviger_crypto::KeyMaterialRef;
use claviger_crypto::format::{
    Curve, EcPrivateKey, EcPublicKey, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey,
    TransparentRsaPrivateKey as RsaParts, big_integer, certificate,
};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::{BigInteger, Secret};
use claviger_kmip::enums::CryptographicAlgorithm;
use claviger_kmip::objects::{
    KeyBlock, KeyMaterial, KeyValue, Object, TransparentEcPrivateKey, TransparentRsaPrivateKey,
};
use zeroize::Zeroizing;

use crate::failure::{Failure, Reason};

/// A key that was read from an object.
pub(super) enum Key {
    /// An algorithm and its key.
    Symmetric {
        /// What the key is for.
        algorithm: CryptographicAlgorithm,
        /// The key.
        bytes: Secret,
    },
    /// A secret that is no key.
    SecretData(Secret),
    /// The public half of a pair.
    Public(PublicKey),
    /// The private half of a pair.
    Private(PrivateKey),
}

impl Key {
    /// The key of an object that is not wrapped.
    ///
    /// # Errors
    /// The object is no key, has no value here, or has it in a form that is not understood.
    pub(super) fn of(object: &Object, attributes: &Attributes) -> Result<Self, Failure> {
        match object {
            Object::SymmetricKey(_) => {
                let block = block_of(object)?;
                let algorithm = block
                    .cryptographic_algorithm
                    .or_else(|| attributes.cryptographic_algorithm())
                    .ok_or_else(|| {
                        let message = "the key has no Cryptographic Algorithm";
                        Failure::new(Reason::BadCryptographicParameters, message)
                    })?;
                Ok(Self::Symmetric { algorithm, bytes: secret(block)?.clone() })
            }
            Object::SecretData(_) => Ok(Self::SecretData(secret(block_of(object)?)?.clone())),
            Object::PublicKey(_) => public(block_of(object)?, attributes).map(Self::Public),
            Object::PrivateKey(_) => private(block_of(object)?, attributes).map(Self::Private),
            Object::Certificate(it) => match certificate::inspect(&it.certificate_value.0) {
                Ok(inspected) => inspected.public_key.map(Self::Public).ok_or_else(|| {
                    let message = "the key that the certificate is for is of an unknown kind";
                    Failure::new(Reason::UnsupportedCryptographicParameters, message)
                }),
                Err(error) => Err(error.into()),
            },
            other => {
                let message = format!("a {:?} is not a key", other.object_type());
                Err(Failure::new(Reason::InvalidObjectType, message))
            }
        }
    }

    /// The key as the operations take it.
    pub(super) fn borrow(&self) -> KeyMaterialRef<'_> {
        match self {
            Self::Symmetric { algorithm, bytes } => {
                KeyMaterialRef::Symmetric { algorithm: *algorithm, bytes: bytes.expose() }
            }
            Self::SecretData(bytes) => KeyMaterialRef::SecretData(bytes.expose()),
            Self::Public(key) => KeyMaterialRef::Public(key),
            Self::Private(key) => KeyMaterialRef::Private(key),
        }
    }
}

/// The key block of an object that has one.
pub(super) fn block_of(object: &Object) -> Result<&KeyBlock, Failure> {
    object
        .key_block()
        .ok_or_else(|| Failure::new(Reason::InvalidObjectType, "the object has no Key Block"))
}

/// The plain key material of a block.
pub(super) fn material(block: &KeyBlock) -> Result<&KeyMaterial, Failure> {
    match &block.key_value {
        Some(KeyValue::Plain { key_material, .. }) if block.key_wrapping_data.is_none() => {
            Ok(key_material)
        }
        Some(_) => Err(Failure::new(Reason::KeyWrapTypeNotSupported, "the key is wrapped")),
        None => {
            let message = "the object was registered without its value";
            Err(Failure::new(Reason::KeyValueNotPresent, message))
        }
    }
}

/// The bytes of a symmetric key or secret.
pub(super) fn secret(block: &KeyBlock) -> Result<&Secret, Failure> {
    match material(block)? {
        KeyMaterial::Bytes(bytes) => Ok(bytes),
        KeyMaterial::TransparentSymmetricKey(key) => Ok(&key.key),
        _ => Err(not_understood()),
    }
}

fn not_understood() -> Failure {
    let message = "keys of this Key Format Type are kept, but not used";
    Failure::new(Reason::UnsupportedCryptographicParameters, message)
}

/// The private key of a block.
pub(super) fn private(block: &KeyBlock, attributes: &Attributes) -> Result<PrivateKey, Failure> {
    let curve = || curve_of(block, attributes);
    match material(block)? {
        KeyMaterial::Bytes(bytes) => {
            Ok(PrivateKey::parse(block.key_format_type, bytes.expose(), curve())?)
        }
        KeyMaterial::TransparentRsaPrivateKey(key) => {
            Ok(PrivateKey::Rsa(RsaPrivateKey::from_transparent(&rsa_parts(key)?)?))
        }
        KeyMaterial::TransparentEcPrivateKey(key) => ec_private(key, block, attributes),
        _ => Err(not_understood()),
    }
}

/// The public key of a block.
pub(super) fn public(block: &KeyBlock, attributes: &Attributes) -> Result<PublicKey, Failure> {
    let algorithm = algorithm_of(block, attributes);
    match material(block)? {
        KeyMaterial::Bytes(bytes) => {
            let curve = curve_of(block, attributes);
            Ok(PublicKey::parse(block.key_format_type, bytes.expose(), curve)?)
        }
        KeyMaterial::TransparentRsaPublicKey(key) => {
            let modulus = big_integer::to_magnitude(&key.modulus.0)?;
            let exponent = big_integer::to_magnitude(&key.public_exponent.0)?;
            Ok(PublicKey::Rsa(RsaPublicKey::new(&modulus, &exponent)?))
        }
        KeyMaterial::TransparentEcPublicKey(key) => {
            let curve = used_curve(Curve::from_recommended(key.recommended_curve)?, algorithm);
            Ok(PublicKey::Ec(EcPublicKey::new(curve, &key.q_string.0)?))
        }
        _ => Err(not_understood()),
    }
}

fn ec_private(
    key: &TransparentEcPrivateKey,
    block: &KeyBlock,
    attributes: &Attributes,
) -> Result<PrivateKey, Failure> {
    let algorithm = algorithm_of(block, attributes);
    let curve = used_curve(Curve::from_recommended(key.recommended_curve)?, algorithm);
    let d = big_integer::to_magnitude(&key.d.0)?;
    // RFC 8032's and RFC 7748's keys are strings: zeros in front belong to them.
    let zeros = curve.byte_len().saturating_sub(d.len());
    let mut string = Zeroizing::new(vec![0; zeros]);
    string.extend_from_slice(&d);
    Ok(PrivateKey::Ec(EcPrivateKey::new(curve, &string)?))
}

fn rsa_parts(key: &TransparentRsaPrivateKey) -> Result<RsaParts, Failure> {
    let part = |number: &Option<BigInteger>| {
        number.as_ref().map(|number| big_integer::to_magnitude(&number.0)).transpose()
    };
    Ok(RsaParts {
        modulus: big_integer::to_magnitude(&key.modulus.0)?.to_vec(),
        public_exponent: part(&key.public_exponent)?.map(|number| number.to_vec()),
        private_exponent: part(&key.private_exponent)?,
        p: part(&key.p)?,
        q: part(&key.q)?,
    })
}

fn algorithm_of(block: &KeyBlock, attributes: &Attributes) -> Option<CryptographicAlgorithm> {
    block.cryptographic_algorithm.or_else(|| attributes.cryptographic_algorithm())
}

/// The curve of a key whose encoding does not say it, from the object's domain parameters.
fn curve_of(block: &KeyBlock, attributes: &Attributes) -> Option<Curve> {
    let algorithm = algorithm_of(block, attributes);
    let named = match attributes.first(AttributeId::CryptographicDomainParameters) {
        Some(Attribute::CryptographicDomainParameters(domain)) => domain.recommended_curve,
        _ => None,
    };
    match named.map(Curve::from_recommended) {
        Some(Ok(curve)) => Some(used_curve(curve, algorithm)),
        Some(Err(_)) => None,
        None => (algorithm == Some(CryptographicAlgorithm::ED25519)).then_some(Curve::Ed25519),
    }
}

/// KMIP has one name for two curves over one field; the algorithm tells them apart.
fn used_curve(curve: Curve, algorithm: Option<CryptographicAlgorithm>) -> Curve {
    match (curve, algorithm) {
        (Curve::X25519, Some(CryptographicAlgorithm::ED25519)) => Curve::Ed25519,
        (curve, _) => curve,
    }
}

/// Algorithm and length in bits of a key block, as far as the key itself says them.
pub(super) fn algorithm_and_length(
    object: &Object,
    attributes: &Attributes,
) -> Option<(CryptographicAlgorithm, i32)> {
    let block = object.key_block()?;
    let (algorithm, bits) = match object {
        Object::PrivateKey(_) => {
            let key = private(block, attributes).ok()?;
            (key.cryptographic_algorithm(), key.cryptographic_length())
        }
        Object::PublicKey(_) => {
            let key = public(block, attributes).ok()?;
            (key.cryptographic_algorithm(), key.cryptographic_length())
        }
        _ => return None,
    };
    Some((algorithm, i32::try_from(bits).ok()?))
}
