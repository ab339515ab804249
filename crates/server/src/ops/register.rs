//! Register: the client brings an object (KMIP 2.1 §6.1.42, KMIP 1.4 §4.3).

use claviger_crypto::generate;
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{CryptographicAlgorithm, UniqueIdentifier as Producer};
use claviger_kmip::objects::{Certificate, Key, KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{RegisterRequest, RegisterResponse};

use super::Context;
use super::new_object::{Origin, check_storage, new_object};
use super::{certificate, key};
use crate::failure::{Failure, Reason};
use crate::object::rules;

/// Carries out Register.
///
/// # Errors
/// The object is not of the type that the request says, or its attributes are wrong.
pub fn register(
    context: &mut Context<'_, '_>,
    request: RegisterRequest,
) -> Result<RegisterResponse, Failure> {
    context.about.object_type = Some(request.object_type);
    if request.object.object_type() != request.object_type {
        let message = "the Object Type is not that of the object in the request";
        return Err(Failure::new(Reason::InvalidField, message));
    }
    let limits = &context.resources.limits;
    let given = without_the_obvious(request.attributes, &request.object)?;
    let mut attributes = rules::for_new(context.tx, given, limits)?;
    check_storage(request.protection_storage_masks.as_ref())?;
    let mut object = request.object;
    if let Object::Template(template) = &object {
        // A template's own attributes are also found and read as the object's.
        rules::give(&mut attributes, template.attributes.clone(), limits)?;
    }
    examine(&mut object, &mut attributes)?;
    let object = new_object(context, object, attributes, Origin::Client)?;
    let unique_identifier = object.id.to_string().into();
    context.produced(Producer::REGISTER, object.id);
    context.tx.insert(object);
    Ok(RegisterResponse { unique_identifier, template_attribute: TemplateAttributes::default() })
}

/// Checks an object that a client brings against its attributes, and fills in what follows from it.
///
/// # Errors
/// It has no value, or is not what it says.
pub(super) fn examine(object: &mut Object, attributes: &mut Attributes) -> Result<(), Failure> {
    check_value(object)?;
    match object {
        Object::Template(_) => {}
        Object::Certificate(it) => describe(it, attributes),
        other => {
            complete(other, attributes);
            check_key_length(other)?;
        }
    }
    Ok(())
}

/// The given attributes without those that the server sets itself and that the client says right:
/// the type of a certificate, and that a new object is fresh.
fn without_the_obvious(
    mut given: TemplateAttributes,
    object: &Object,
) -> Result<TemplateAttributes, Failure> {
    let mut contradiction = None;
    given.attributes.0.retain(|instance| match (&instance.attribute, object) {
        (Attribute::Fresh(true), _) => false,
        (Attribute::CertificateType(said), Object::Certificate(certificate)) => {
            if *said != certificate.certificate_type {
                contradiction = Some("the Certificate Type is not that of the certificate");
            }
            false
        }
        _ => true,
    });
    match contradiction {
        Some(message) => Err(Failure::new(Reason::InvalidField, message)),
        None => Ok(given),
    }
}

/// What a certificate says of itself goes before what the client says of it.
fn describe(certificate: &Certificate, attributes: &mut Attributes) {
    let found = certificate::attributes(certificate);
    for attribute in &found {
        attributes.remove(attribute.id());
    }
    for attribute in found {
        attributes.push(attribute);
    }
}

/// A key value may be left out where a Key Value Location says where it is; it may not be empty.
fn check_value(object: &Object) -> Result<(), Failure> {
    let empty = match object {
        Object::Certificate(certificate) => certificate.certificate_value.0.is_empty(),
        Object::OpaqueObject(_) | Object::Template(_) | Object::CertificateRequest(_) => false,
        other => match other.key_block() {
            None => return Err(Failure::new(Reason::InvalidMessage, "Key Block is missing")),
            Some(KeyBlock { key_value: None, .. }) => false,
            Some(KeyBlock { key_value: Some(KeyValue::Wrapped(bytes)), .. }) => bytes.is_empty(),
            Some(KeyBlock { key_value: Some(KeyValue::Plain { key_material, .. }), .. }) => {
                match key_material {
                    KeyMaterial::Bytes(bytes) => bytes.is_empty(),
                    KeyMaterial::TransparentSymmetricKey(key) => key.key.is_empty(),
                    _ => false,
                }
            }
        },
    };
    if empty {
        return Err(Failure::new(Reason::InvalidField, "the object has no value"));
    }
    Ok(())
}

/// What the key block leaves out follows from the attributes or from the key itself.
fn complete(object: &mut Object, attributes: &Attributes) {
    let inferred = inferred(object, attributes);
    let Some(block) = object.key_block_mut() else { return };
    let (algorithm, length) = inferred.unzip();
    block.cryptographic_algorithm =
        block.cryptographic_algorithm.or(attributes.cryptographic_algorithm()).or(algorithm);
    block.cryptographic_length =
        block.cryptographic_length.or(attributes.cryptographic_length()).or(length.flatten());
}

/// A symmetric key in the clear is as long as it says, with or without parity bits.
fn check_key_length(object: &Object) -> Result<(), Failure> {
    let Object::SymmetricKey(Key { key_block: Some(block) }) = object else { return Ok(()) };
    let (Some(length), None) = (block.cryptographic_length, &block.key_wrapping_data) else {
        return Ok(());
    };
    let Some(bytes) = key::secret(block).ok().map(|secret| secret.len()) else { return Ok(()) };
    let bits = block
        .cryptographic_algorithm
        .map_or(bytes * 8, |algorithm| generate::cryptographic_length(algorithm, bytes));
    let length = usize::try_from(length).unwrap_or(0);
    if length == bits || length == bytes.saturating_mul(8) {
        return Ok(());
    }
    let message = format!("the key has {bits} bits, and its Cryptographic Length says {length}");
    Err(Failure::new(Reason::InvalidAttributeValue, message))
}

/// Algorithm and length that the key itself shows: the parts of a pair say both, a symmetric key
/// only how long it is.
fn inferred(
    object: &Object,
    attributes: &Attributes,
) -> Option<(CryptographicAlgorithm, Option<i32>)> {
    let block = object.key_block()?;
    let algorithm = block.cryptographic_algorithm.or(attributes.cryptographic_algorithm());
    if block.cryptographic_length.is_some() && algorithm.is_some() {
        return None;
    }
    if let Object::SymmetricKey(_) = object {
        let algorithm = algorithm?;
        let bytes = key::secret(block).ok()?.len();
        let bits = generate::cryptographic_length(algorithm, bytes);
        return Some((algorithm, i32::try_from(bits).ok()));
    }
    let (algorithm, length) = key::algorithm_and_length(object, attributes)?;
    Some((algorithm, Some(length)))
}
