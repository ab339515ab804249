//! Get Attribute List (KMIP 2.1 §6.1.21, KMIP 1.4 §4.13).

use claviger_kmip::compat::References;
use claviger_kmip::payload::{GetAttributeListRequest, GetAttributeListResponse};

use super::Context;
use crate::failure::Failure;

/// Carries out Get Attribute List: every attribute once, however many values it has.
///
/// # Errors
/// There is no such object.
pub fn get_attribute_list(
    context: &mut Context<'_, '_>,
    request: GetAttributeListRequest,
) -> Result<GetAttributeListResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let mut references = Vec::new();
    for instance in object.all_attributes(context.now()) {
        let reference = instance.attribute.reference();
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    Ok(GetAttributeListResponse {
        unique_identifier: identifier.into(),
        attribute_reference: References(references),
    })
}
