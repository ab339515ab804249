//! A key in the Key Format Type that a client asks for (KMIP 2.1 §3.1 and §11.28, KMIP 1.4 §2.1.3).
//!
//! Knows which formats an object type can have. It must never unwrap, and never change the key
//! itself or the attributes inside its Key Value.

use claviger_crypto::CryptoError;
use claviger_crypto::format::{PrivateKey, PublicKey, RsaPrivateKey, big_integer};
use claviger_kmip::attributes::Attributes;
use claviger_kmip::codec::{BigInteger, ByteString, Secret};
use claviger_kmip::enums::{KeyCompressionType, KeyFormatType as Format, ObjectType};
use claviger_kmip::objects::{
    KeyMaterial, KeyValue, Object, TransparentEcPrivateKey, TransparentEcPublicKey,
    TransparentRsaPrivateKey, TransparentRsaPublicKey, TransparentSymmetricKey,
};

use super::key;
use crate::failure::{Failure, Reason};

/// The object with its key in that format.
///
/// # Errors
/// The object has no such format, or its key is not understood.
pub(super) fn convert(
    mut object: Object,
    attributes: &Attributes,
    format: Format,
) -> Result<Object, Failure> {
    if let Object::Certificate(_) = object {
        // A certificate has one encoding, which these two names mean.
        return match format {
            Format::X_509 | Format::RAW => Ok(object),
            _ => Err(unsupported()),
        };
    }
    let Some(block) = object.key_block() else { return Err(unsupported()) };
    if block.key_format_type == format {
        return Ok(object);
    }
    let material = match &object {
        Object::SymmetricKey(_) => match format {
            Format::RAW | Format::OPAQUE => KeyMaterial::Bytes(key::secret(block)?.clone()),
            Format::TRANSPARENT_SYMMETRIC_KEY => {
                let key = key::secret(block)?.clone();
                KeyMaterial::TransparentSymmetricKey(TransparentSymmetricKey { key })
            }
            _ => return Err(unsupported()),
        },
        Object::SecretData(_) if matches!(format, Format::RAW | Format::OPAQUE) => {
            KeyMaterial::Bytes(key::secret(block)?.clone())
        }
        Object::PrivateKey(_) => private(&key::private(block, attributes)?, format)?,
        Object::PublicKey(_) => public(&key::public(block, attributes)?, format)?,
        _ => return Err(unsupported()),
    };
    if let Some(block) = object.key_block_mut() {
        block.key_format_type = format;
        if let Some(KeyValue::Plain { key_material, .. }) = &mut block.key_value {
            *key_material = material;
        }
    }
    Ok(object)
}

/// The compression of a curve's point: points are kept and given uncompressed only. Of other
/// objects some clients ask it without need.
///
/// # Errors
/// A public key is asked for in another compression.
pub(super) fn check_compression(
    object_type: ObjectType,
    asked: Option<KeyCompressionType>,
) -> Result<(), Failure> {
    match asked {
        None | Some(KeyCompressionType::EC_PUBLIC_KEY_TYPE_UNCOMPRESSED) => Ok(()),
        Some(_) if object_type != ObjectType::PUBLIC_KEY => Ok(()),
        Some(_) => Err(Failure::new(
            Reason::KeyCompressionTypeNotSupported,
            "points of elliptic curves are given uncompressed only",
        )),
    }
}

fn unsupported() -> Failure {
    Failure::new(
        Reason::KeyFormatTypeNotSupported,
        "the object cannot be given in this Key Format Type",
    )
}

/// An encoding that this key does not have is not asked for rightly.
fn encoding_failed(error: CryptoError) -> Failure {
    match error {
        CryptoError::UnsupportedCombination(_) => unsupported(),
        other => other.into(),
    }
}

fn private(key: &PrivateKey, format: Format) -> Result<KeyMaterial, Failure> {
    match (key, format) {
        (PrivateKey::Rsa(key), Format::TRANSPARENT_RSA_PRIVATE_KEY) => {
            Ok(KeyMaterial::TransparentRsaPrivateKey(transparent_rsa(key)))
        }
        (
            PrivateKey::Ec(key),
            Format::TRANSPARENT_EC_PRIVATE_KEY
            | Format::TRANSPARENT_ECDSA_PRIVATE_KEY
            | Format::TRANSPARENT_ECDH_PRIVATE_KEY
            | Format::TRANSPARENT_ECMQV_PRIVATE_KEY,
        ) => Ok(KeyMaterial::TransparentEcPrivateKey(TransparentEcPrivateKey {
            recommended_curve: key.curve.recommended(),
            d: number(&key.d),
        })),
        (_, Format::PKCS_1 | Format::PKCS_8 | Format::EC_PRIVATE_KEY | Format::RAW) => {
            key.write(format).map(KeyMaterial::Bytes).map_err(encoding_failed)
        }
        _ => Err(unsupported()),
    }
}

fn public(key: &PublicKey, format: Format) -> Result<KeyMaterial, Failure> {
    match (key, format) {
        (PublicKey::Rsa(key), Format::TRANSPARENT_RSA_PUBLIC_KEY) => {
            Ok(KeyMaterial::TransparentRsaPublicKey(TransparentRsaPublicKey {
                modulus: number(&key.modulus),
                public_exponent: number(&key.public_exponent),
            }))
        }
        (
            PublicKey::Ec(key),
            Format::TRANSPARENT_EC_PUBLIC_KEY
            | Format::TRANSPARENT_ECDSA_PUBLIC_KEY
            | Format::TRANSPARENT_ECDH_PUBLIC_KEY
            | Format::TRANSPARENT_ECMQV_PUBLIC_KEY,
        ) => Ok(KeyMaterial::TransparentEcPublicKey(TransparentEcPublicKey {
            recommended_curve: key.curve.recommended(),
            q_string: ByteString(key.q.clone()),
        })),
        (_, Format::PKCS_1 | Format::X_509 | Format::RAW) => {
            let bytes = key.write(format).map_err(encoding_failed)?;
            Ok(KeyMaterial::Bytes(Secret::new(bytes)))
        }
        _ => Err(unsupported()),
    }
}

fn transparent_rsa(key: &RsaPrivateKey) -> TransparentRsaPrivateKey {
    TransparentRsaPrivateKey {
        modulus: number(&key.modulus),
        private_exponent: Some(number(&key.private_exponent)),
        public_exponent: Some(number(&key.public_exponent)),
        p: Some(number(&key.p)),
        q: Some(number(&key.q)),
        prime_exponent_p: Some(number(&key.prime_exponent_p)),
        prime_exponent_q: Some(number(&key.prime_exponent_q)),
        crt_coefficient: Some(number(&key.crt_coefficient)),
    }
}

fn number(magnitude: &[u8]) -> BigInteger {
    BigInteger(big_integer::from_magnitude(magnitude).to_vec())
}
