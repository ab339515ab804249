//! Modify Attribute (KMIP 2.1 §6.1.32, KMIP 1.4 §4.15).

use claviger_kmip::compat::{ChangedAttribute, NewAttribute};
use claviger_kmip::payload::{ModifyAttributeRequest, ModifyAttributeResponse};

use super::Context;
use crate::failure::Failure;
use crate::object::rules;

/// Carries out Modify Attribute.
///
/// # Errors
/// There is no such object, or the attribute cannot have that value now.
pub fn modify_attribute(
    context: &mut Context<'_, '_>,
    request: ModifyAttributeRequest,
) -> Result<ModifyAttributeResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let mut object = (*object).clone();
    let NewAttribute(new) = request.new_attribute;
    let current = request.current_attribute.0.as_ref();
    let limits = &context.resources.limits;
    let modified = rules::modify(&mut object, current, new, context.now(), limits)?;
    context.tx.update(object);
    Ok(ModifyAttributeResponse {
        unique_identifier: identifier.into(),
        attribute: ChangedAttribute(Some(modified)),
    })
}
