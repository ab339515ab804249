//! Set Attribute (KMIP 2.1 §6.1.50; KMIP 2.0 and later).

use claviger_kmip::compat::NewAttribute;
use claviger_kmip::payload::{SetAttributeRequest, SetAttributeResponse};

use super::Context;
use crate::failure::Failure;
use crate::object::rules;

/// Carries out Set Attribute.
///
/// # Errors
/// There is no such object, or the attribute cannot have that value now.
pub fn set_attribute(
    context: &mut Context<'_, '_>,
    request: SetAttributeRequest,
) -> Result<SetAttributeResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let mut object = (*object).clone();
    let NewAttribute(new) = request.new_attribute;
    rules::set(&mut object, new.attribute, context.now(), &context.resources.limits)?;
    context.tx.update(object);
    Ok(SetAttributeResponse { unique_identifier: identifier.into() })
}
