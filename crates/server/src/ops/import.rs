//! Import: an object comes from elsewhere, with its identifier and all its attributes (KMIP 2.1
//! §6.1.25, KMIP 1.4 §4.41).

use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{KeyWrapType, UniqueIdentifier as Producer};
use claviger_kmip::payload::{ImportRequest, ImportResponse};

use super::new_object::{Origin, new_object};
use super::register::examine;
use super::{Context, wrapping};
use crate::failure::{Failure, Reason};
use crate::object::lifecycle::State;
use crate::object::{ManagedObject, ObjectId, adoption};

/// Carries out Import.
///
/// A tombstone is an existing object too: only Replace Existing puts another in its place.
///
/// # Errors
/// The identifier is taken, or none of this server's; object and attributes contradict each other;
/// the object cannot be unwrapped.
pub fn import(
    context: &mut Context<'_, '_>,
    request: ImportRequest,
) -> Result<ImportResponse, Failure> {
    let identifier = context.identifier(Some(&request.unique_identifier))?;
    let Some(id) = ObjectId::parse(&identifier) else {
        let message = "a Unique Identifier of this server is a UUID in lower case";
        return Err(Failure::new(Reason::InvalidField, message));
    };
    let mut object = request.object;
    let object_type = object.object_type();
    context.about.object_type = Some(object_type);
    if request.object_type.is_some_and(|said| said != object_type) {
        let message = "the Object Type is not that of the object in the request";
        return Err(Failure::new(Reason::InvalidField, message));
    }
    let existing = context.tx.find(id)?;
    if existing.is_some() && request.replace_existing != Some(true) {
        let message = "there is an object with this Unique Identifier, or there was one";
        return Err(Failure::new(Reason::ObjectAlreadyExists, message));
    }
    let is_compromised = |state| matches!(state, State::Compromised | State::DestroyedCompromised);
    if existing.as_ref().is_some_and(|it| is_compromised(it.state(context.now()))) {
        let message = "what is compromised is not replaced under its Unique Identifier";
        return Err(Failure::new(Reason::WrongState, message));
    }
    let AttributeList(given) = request.attributes;
    let limits = &context.resources.limits;
    let mut attributes = adoption::adopt(id, object_type, given, context.now(), limits)?;
    match request.key_wrap_type {
        None | Some(KeyWrapType::AS_REGISTERED) => {}
        Some(KeyWrapType::NOT_WRAPPED) => {
            let attributes = attributes.clone();
            let wrapped = ManagedObject { id, object_type, object: Some(object), attributes };
            object = wrapping::plain(context, &wrapped)?;
        }
        Some(_) => {
            let message = "the Key Wrap Type is not known";
            return Err(Failure::new(Reason::KeyWrapTypeNotSupported, message));
        }
    }
    examine(&mut object, &mut attributes)?;
    let object = ManagedObject { id, ..new_object(context, object, attributes, Origin::Client)? };
    match existing {
        Some(_) => context.tx.supplant(object),
        None => context.tx.insert(object),
    }
    context.produced(Producer::IMPORT, id);
    Ok(ImportResponse { unique_identifier: identifier.into() })
}
