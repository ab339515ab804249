//! Create: the server makes a symmetric key (KMIP 2.1 §6.1.8, KMIP 1.4 §4.1).

use claviger_crypto::generate;
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, ProtectionLevel, SecretDataType,
    UniqueIdentifier as Producer,
};
use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object, SecretData};
use claviger_kmip::payload::{CreateRequest, CreateResponse};
use zeroize::Zeroizing;

use super::Context;
use super::new_object::{Origin, check_storage, new_object};
use crate::failure::{Failure, Reason};
use crate::object::rules;

/// Carries out Create.
///
/// # Errors
/// Attributes are missing, contradict each other, or ask for a key that cannot be made.
pub fn create(
    context: &mut Context<'_, '_>,
    request: CreateRequest,
) -> Result<CreateResponse, Failure> {
    context.about.object_type = Some(request.object_type);
    let limits = &context.resources.limits;
    let mut attributes = rules::for_new(context.tx, request.attributes, limits)?;
    check_storage(request.protection_storage_masks.as_ref())?;
    let object = match request.object_type {
        ObjectType::SYMMETRIC_KEY => {
            let block = symmetric_key(context, &mut attributes)?;
            Object::SymmetricKey(Key { key_block: Some(block) })
        }
        ObjectType::SECRET_DATA => {
            let key_block = Some(seed(context, &attributes)?);
            Object::SecretData(SecretData { secret_data_type: SecretDataType::SEED, key_block })
        }
        other => {
            let message = format!("a {other:?} cannot be created; register it instead");
            return Err(Failure::new(Reason::InvalidObjectType, message));
        }
    };
    let object = new_object(context, object, attributes, Origin::Server)?;
    let unique_identifier = object.id.to_string().into();
    context.produced(Producer::CREATE, object.id);
    context.tx.insert(object);
    Ok(CreateResponse {
        object_type: request.object_type,
        unique_identifier,
        template_attribute: TemplateAttributes::default(),
    })
}

/// A new key of the algorithm and length that the attributes ask for.
///
/// # Errors
/// Attributes are missing, or there is no such key.
pub(super) fn symmetric_key(
    context: &Context<'_, '_>,
    attributes: &mut Attributes,
) -> Result<KeyBlock, Failure> {
    let missing = |name| {
        let message = format!("attribute {name} is missing");
        Failure::new(Reason::InvalidMessage, message)
    };
    let algorithm =
        attributes.cryptographic_algorithm().ok_or_else(|| missing("Cryptographic Algorithm"))?;
    if attributes.cryptographic_usage_mask().is_none() {
        return Err(missing("Cryptographic Usage Mask"));
    }
    let length = match (attributes.cryptographic_length(), algorithm) {
        (Some(length), _) => length,
        (None, CryptographicAlgorithm::AES) => {
            attributes.push(Attribute::CryptographicLength(256));
            256
        }
        (None, _) => return Err(missing("Cryptographic Length")),
    };
    refuse_what_is_not_quantum_safe(attributes, length)?;
    let bits = usize::try_from(length).unwrap_or(0);
    let bytes = generate::symmetric(algorithm, bits, &*context.resources.rng)
        .map_err(|error| Failure::new(Reason::InvalidAttributeValue, error.to_string()))?;
    Ok(KeyBlock {
        key_format_type: KeyFormatType::RAW,
        key_compression_type: None,
        key_value: Some(KeyValue::plain(KeyMaterial::Bytes(bytes.expose().to_vec().into()))),
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: Some(length),
        key_wrapping_data: None,
    })
}

/// Random bytes that are no key: their length is all that is asked for (KMIP 1.4 §4.1).
fn seed(context: &Context<'_, '_>, attributes: &Attributes) -> Result<KeyBlock, Failure> {
    let bits = attributes.cryptographic_length().and_then(|length| usize::try_from(length).ok());
    let missing = "attribute Cryptographic Length is missing";
    let bits = bits.ok_or_else(|| Failure::new(Reason::InvalidMessage, missing))?;
    let bytes_max = context.resources.limits.random_bytes_max;
    if bits == 0 || !bits.is_multiple_of(8) || bits / 8 > bytes_max {
        let message =
            format!("Cryptographic Length must be 8 to {} bits, whole bytes", bytes_max * 8);
        return Err(Failure::new(Reason::InvalidAttributeValue, message));
    }
    let mut bytes = Zeroizing::new(vec![0; bits / 8]);
    context
        .resources
        .rng
        .fill(&mut bytes)
        .map_err(|error| Failure::new(Reason::GeneralFailure, error.to_string()))?;
    Ok(KeyBlock {
        key_format_type: KeyFormatType::RAW,
        key_compression_type: None,
        key_value: Some(KeyValue::plain(KeyMaterial::Bytes(bytes.to_vec().into()))),
        cryptographic_algorithm: None,
        cryptographic_length: attributes.cryptographic_length(),
        key_wrapping_data: None,
    })
}

/// A symmetric key of fewer than 256 bits does not last against a quantum computer.
fn refuse_what_is_not_quantum_safe(attributes: &Attributes, length: i32) -> Result<(), Failure> {
    let asked = attributes.iter().any(|it| *it == Attribute::QuantumSafe(true));
    let high = attributes.protection_level() == Some(ProtectionLevel::HIGH);
    if (asked || high) && length < 256 {
        let message = "a key of fewer than 256 bits is not quantum safe";
        return Err(Failure::new(Reason::GeneralFailure, message));
    }
    Ok(())
}
