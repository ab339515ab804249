//! Derive Key (KMIP 2.1 §6.1.14, KMIP 1.4 §4.6): a key or secret computed from others.
//!
//! The bases and the new object are linked to each other. The ID Placeholder is set, and never
//! read.

use std::sync::Arc;

use claviger_crypto::derive::{self, DerivationParameters as Inputs};
use claviger_crypto::{KeyMaterialRef, Parameters, generate};
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::codec::Secret;
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{
    DerivationMethod, KeyFormatType, LinkType, ObjectType, SecretDataType,
    UniqueIdentifier as Producer,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object, SecretData};
use claviger_kmip::payload::{DerivationParameters, DeriveKeyRequest, DeriveKeyResponse};

use super::Context;
use super::key;
use super::new_object::{Origin, new_object};
use super::{parameters, use_of_key};
use crate::failure::{Failure, Reason};
use crate::object::usage::Protecting;
use crate::object::{ManagedObject, ObjectId, link, rules};

/// Carries out Derive Key.
///
/// # Errors
/// A base is not there or may not be derived from; attributes or parameters are missing, or the
/// method does not give what is asked for.
pub fn derive_key(
    context: &mut Context<'_, '_>,
    request: DeriveKeyRequest,
) -> Result<DeriveKeyResponse, Failure> {
    let limits = &context.resources.limits;
    let attributes = rules::for_new(context.tx, request.attributes, limits)?;
    let length = byte_length(request.object_type, &attributes)?;
    let mut bases = Vec::with_capacity(request.unique_identifier.len());
    for identifier in &request.unique_identifier {
        bases.push(base(context, identifier)?);
    }
    context.about.object_type = Some(request.object_type);
    let bytes = compute(
        context,
        request.derivation_method,
        &bases,
        &request.derivation_parameters,
        length,
    )?;
    let attributes = inherit(attributes, &bases);
    let object = object_of(request.object_type, &attributes, bytes);
    let mut object = new_object(context, object, attributes, Origin::Derived)?;
    for base in &bases {
        object.attributes.push(link(LinkType::DERIVATION_BASE_OBJECT_LINK, base.id));
    }
    for base in &bases {
        note_in_base(context, base, object.id, length)?;
    }
    let unique_identifier = object.id.to_string().into();
    context.about.unique_identifier = None;
    context.produced(Producer::DERIVE_KEY, object.id);
    context.tx.insert(object);
    Ok(DeriveKeyResponse { unique_identifier, template_attribute: TemplateAttributes::default() })
}

/// What is derived is kept as closely as the most closely kept of its bases: else deriving would be
/// a way around Sensitive and Extractable.
fn inherit(mut attributes: Attributes, bases: &[Arc<ManagedObject>]) -> Attributes {
    if bases.iter().any(|base| base.attributes.sensitive() == Some(true)) {
        attributes.set(Attribute::Sensitive(true));
    }
    if bases.iter().any(|base| base.attributes.extractable() == Some(false)) {
        attributes.set(Attribute::Extractable(false));
    }
    attributes
}

/// How many bytes the new object has.
fn byte_length(object_type: ObjectType, attributes: &Attributes) -> Result<usize, Failure> {
    let missing =
        |name| Failure::new(Reason::InvalidMessage, format!("attribute {name} is missing"));
    let bits = attributes.cryptographic_length().ok_or_else(|| missing("Cryptographic Length"))?;
    let bits = usize::try_from(bits).unwrap_or(0);
    let refused = |message: String| Failure::new(Reason::InvalidAttributeValue, message);
    match object_type {
        ObjectType::SYMMETRIC_KEY => {
            let algorithm = attributes
                .cryptographic_algorithm()
                .ok_or_else(|| missing("Cryptographic Algorithm"))?;
            generate::byte_len(algorithm, bits).map_err(|error| refused(error.to_string()))
        }
        ObjectType::SECRET_DATA if bits > 0 && bits.is_multiple_of(8) => Ok(bits / 8),
        ObjectType::SECRET_DATA => {
            Err(refused(String::from("the Cryptographic Length is not a number of bytes")))
        }
        other => {
            let message = format!("a {other:?} cannot be derived");
            Err(Failure::new(Reason::InvalidObjectType, message))
        }
    }
}

/// An object to derive from, which must be one that may be.
fn base(
    context: &mut Context<'_, '_>,
    identifier: &UniqueIdentifier,
) -> Result<Arc<ManagedObject>, Failure> {
    let (_, managed) = use_of_key::find(context, Some(identifier))?;
    let is_base = matches!(
        managed.object_type,
        ObjectType::SYMMETRIC_KEY
            | ObjectType::SECRET_DATA
            | ObjectType::PUBLIC_KEY
            | ObjectType::PRIVATE_KEY
    );
    if !is_base {
        let message = format!("nothing is derived from a {:?}", managed.object_type);
        return Err(Failure::new(Reason::IllegalOperation, message));
    }
    Protecting::prove(&managed, CryptographicUsageMask::DERIVE_KEY, context.now())?;
    Ok(managed)
}

fn compute(
    context: &mut Context<'_, '_>,
    method: DerivationMethod,
    bases: &[Arc<ManagedObject>],
    given: &DerivationParameters,
    length: usize,
) -> Result<Secret, Failure> {
    let Some(first) = bases.first() else {
        return Err(Failure::new(Reason::InvalidMessage, "Unique Identifier is missing"));
    };
    let data = match given.derivation_data.as_slice() {
        [] => None,
        [one] => Some(one),
        _ => {
            let message = "this method takes one Derivation Data";
            return Err(Failure::new(Reason::InvalidField, message));
        }
    };
    check_cost(given.iteration_count, length, context.resources.limits.iteration_count_max)?;
    let keys =
        bases.iter().map(|base| use_of_key::read(context, base)).collect::<Result<Vec<_>, _>>()?;
    // Where a method takes one key, a secret beside it is the data to derive with.
    let (keys, data) = match keys.as_slice() {
        [base, key::Key::SecretData(secret)]
            if method != DerivationMethod::ASYMMETRIC_KEY && data.is_none() =>
        {
            (std::slice::from_ref(base), Some(secret))
        }
        all => (all, data),
    };
    let keys: Vec<KeyMaterialRef<'_>> = keys.iter().map(key::Key::borrow).collect();
    let parameters = match &given.cryptographic_parameters {
        Some(parameters) => parameters::neutral(parameters),
        None if method == DerivationMethod::ENCRYPT => parameters::chosen(None, first),
        None => Parameters::default(),
    };
    let inputs = Inputs {
        cryptographic_parameters: &parameters,
        initialization_vector: given.initialization_vector.as_ref().map(|iv| iv.0.as_slice()),
        derivation_data: data.map(Secret::expose),
        salt: given.salt.as_ref().map(|salt| salt.0.as_slice()),
        iteration_count: given.iteration_count,
    };
    Ok(derive::derive(method, &keys, &inputs, length, &*context.resources.rng)?)
}

/// Iterations are counted for every block of the result: each has its own. No pseudo-random
/// function gives fewer than 16 bytes at once.
fn check_cost(
    iteration_count: Option<i32>,
    length: usize,
    iterations_max: usize,
) -> Result<(), Failure> {
    let count = iteration_count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let blocks = length.div_ceil(16);
    if count.saturating_mul(blocks) > iterations_max {
        let most = iterations_max.checked_div(blocks).unwrap_or(0);
        let message = format!("for a result of this length the Iteration Count can be {most}");
        return Err(Failure::new(Reason::ServerLimit, message));
    }
    Ok(())
}

fn object_of(object_type: ObjectType, attributes: &Attributes, bytes: Secret) -> Object {
    let block = KeyBlock {
        key_format_type: KeyFormatType::RAW,
        key_compression_type: None,
        key_value: Some(KeyValue::plain(KeyMaterial::Bytes(bytes))),
        cryptographic_algorithm: attributes.cryptographic_algorithm(),
        cryptographic_length: attributes.cryptographic_length(),
        key_wrapping_data: None,
    };
    if object_type == ObjectType::SECRET_DATA {
        let secret_data_type = SecretDataType::SEED;
        Object::SecretData(SecretData { secret_data_type, key_block: Some(block) })
    } else {
        Object::SymmetricKey(Key { key_block: Some(block) })
    }
}

/// Links a base to what was derived from it, and charges the use. A base that has as many
/// attributes as it can have is linked from the new object only.
fn note_in_base(
    context: &mut Context<'_, '_>,
    base: &ManagedObject,
    derived: ObjectId,
    length: usize,
) -> Result<(), Failure> {
    use_of_key::charge(context, base, length)?;
    let current = context.tx.object(&base.id.to_string())?;
    if current.attributes.0.len() < context.resources.limits.attributes_max {
        let mut current = (*current).clone();
        current.attributes.push(link(LinkType::DERIVED_KEY_LINK, derived));
        context.tx.update(current);
    }
    Ok(())
}
