//! Re-key: a new symmetric key in the place of another (KMIP 2.1 §6.1.46, KMIP 1.4 §4.4).

use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{LinkType, ObjectType, UniqueIdentifier as Producer};
use claviger_kmip::objects::{Key, Object};
use claviger_kmip::payload::{ReKeyRequest, ReKeyResponse};

use super::Context;
use super::create::symmetric_key;
use super::new_object::{Origin, check_storage, new_object};
use crate::failure::{Failure, Reason};
use crate::object::{ManagedObject, link, rules, succession};

/// Carries out Re-key. The ID Placeholder becomes the replacement.
///
/// # Errors
/// There is no such key, it is destroyed or no symmetric key, or the attributes and the Offset ask
/// for a key that cannot be made.
pub fn re_key(
    context: &mut Context<'_, '_>,
    request: ReKeyRequest,
) -> Result<ReKeyResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let existing = context.tx.live(&identifier)?;
    context.concerns(&existing);
    check_replaceable(&existing, ObjectType::SYMMETRIC_KEY)?;
    check_storage(request.protection_storage_masks.as_ref())?;
    let limits = &context.resources.limits;
    let asked = rules::for_new(context.tx, request.attributes, limits)?;
    let now = context.now();
    let mut attributes = succession::inherit(&existing, asked, request.offset, now, limits)?;
    let block = symmetric_key(context, &mut attributes)?;
    let object = Object::SymmetricKey(Key { key_block: Some(block) });
    let mut replacement = new_object(context, object, attributes, Origin::Server)?;
    replacement.attributes.push(link(LinkType::REPLACED_OBJECT_LINK, existing.id));
    let id = replacement.id;
    context.tx.update(succession::replaced(&existing, id, limits)?);
    context.tx.insert(replacement);
    context.about.unique_identifier = None;
    context.produced(Producer::RE_KEY, id);
    Ok(ReKeyResponse {
        unique_identifier: id.to_string().into(),
        template_attribute: TemplateAttributes::default(),
    })
}

/// What is replaced must be a key of that type whose value is here.
///
/// # Errors
/// It is not.
pub(super) fn check_replaceable(
    existing: &ManagedObject,
    object_type: ObjectType,
) -> Result<(), Failure> {
    if existing.object_type != object_type {
        let message = format!("a {:?} is not a {object_type:?}", existing.object_type);
        return Err(Failure::new(Reason::CannotBeReKeyed, message));
    }
    let block = existing.object.as_ref().and_then(Object::key_block);
    if block.is_none_or(|block| block.key_value.is_none()) {
        let message = "the key was registered without its value";
        return Err(Failure::new(Reason::KeyValueNotPresent, message));
    }
    Ok(())
}
