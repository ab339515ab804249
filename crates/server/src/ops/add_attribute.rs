//! Add Attribute (KMIP 2.1 §6.1.2, KMIP 1.4 §4.14).

use claviger_kmip::compat::{ChangedAttribute, NewAttribute};
use claviger_kmip::payload::{AddAttributeRequest, AddAttributeResponse};

use super::Context;
use crate::failure::Failure;
use crate::object::rules;

/// Carries out Add Attribute.
///
/// # Errors
/// There is no such object, or the attribute cannot be added to it.
pub fn add_attribute(
    context: &mut Context<'_, '_>,
    request: AddAttributeRequest,
) -> Result<AddAttributeResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let mut object = (*object).clone();
    let NewAttribute(new) = request.new_attribute;
    let added = rules::add(&mut object, new, context.now(), &context.resources.limits)?;
    context.tx.update(object);
    Ok(AddAttributeResponse {
        unique_identifier: identifier.into(),
        attribute: ChangedAttribute(Some(added)),
    })
}
