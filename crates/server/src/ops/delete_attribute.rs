//! Delete Attribute (KMIP 2.1 §6.1.13, KMIP 1.4 §4.16).

use claviger_kmip::compat::ChangedAttribute;
use claviger_kmip::payload::{DeleteAttributeRequest, DeleteAttributeResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::rules;

/// Carries out Delete Attribute.
///
/// # Errors
/// There is no such object, or the attribute cannot be deleted from it.
pub fn delete_attribute(
    context: &mut Context<'_, '_>,
    request: DeleteAttributeRequest,
) -> Result<DeleteAttributeResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let mut object = (*object).clone();
    let asked = request.attribute;
    let named = asked.reference.or_else(|| asked.current.as_ref().map(|it| it.reference()));
    let reference = named.ok_or_else(|| {
        Failure::new(Reason::InvalidMessage, "the request does not say which attribute")
    })?;
    let is_1x = context.version.is_1x();
    let deleted =
        rules::delete(&mut object, &reference, asked.current.as_ref(), asked.index, is_1x)?;
    context.tx.update(object);
    Ok(DeleteAttributeResponse {
        unique_identifier: identifier.into(),
        attribute: ChangedAttribute(deleted),
    })
}
