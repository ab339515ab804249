//! Register: the client brings an object (KMIP 2.1 §6.1.42, KMIP 1.4 §4.3).

use claviger_kmip::attributes::Attributes;
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{KeyFormatType, ObjectType, UniqueIdentifier as Producer};
use claviger_kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{RegisterRequest, RegisterResponse};

use super::new_object::{Origin, check_storage, new_object};
use crate::dispatch::Context;
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
    let limits = &context.service.limits;
    let mut attributes = rules::for_new(context.tx, request.attributes, limits)?;
    check_storage(request.protection_storage_masks.as_ref())?;
    let mut object = request.object;
    check_value(&object)?;
    match &mut object {
        Object::Template(template) => {
            // A template's own attributes are also found and read as the object's.
            for attribute in template.attributes.iter() {
                attributes.push(attribute.clone());
            }
        }
        other => complete(other, &attributes),
    }
    let object = new_object(context, object, attributes, Origin::Client)?;
    let unique_identifier = object.id.to_string().into();
    context.produced(Producer::REGISTER, object.id);
    context.tx.insert(object);
    Ok(RegisterResponse { unique_identifier, template_attribute: TemplateAttributes::default() })
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
                matches!(key_material, KeyMaterial::Bytes(bytes) if bytes.is_empty())
            }
        },
    };
    if empty {
        return Err(Failure::new(Reason::InvalidField, "the object has no value"));
    }
    Ok(())
}

/// What the key block leaves out follows from the attributes or from the key: algorithm and length
/// of a raw key.
fn complete(object: &mut Object, attributes: &Attributes) {
    let is_symmetric = object.object_type() == ObjectType::SYMMETRIC_KEY;
    let Some(block) = object.key_block_mut() else { return };
    if block.cryptographic_algorithm.is_none() {
        block.cryptographic_algorithm = attributes.cryptographic_algorithm();
    }
    if block.cryptographic_length.is_none() {
        block.cryptographic_length = attributes.cryptographic_length();
    }
    if !is_symmetric || block.cryptographic_length.is_some() || block.key_wrapping_data.is_some() {
        return;
    }
    let bytes = match &block.key_value {
        Some(KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. })
            if block.key_format_type == KeyFormatType::RAW =>
        {
            bytes.len()
        }
        Some(KeyValue::Plain {
            key_material: KeyMaterial::TransparentSymmetricKey(key), ..
        }) => key.key.len(),
        _ => return,
    };
    block.cryptographic_length = i32::try_from(bytes.saturating_mul(8)).ok();
}
