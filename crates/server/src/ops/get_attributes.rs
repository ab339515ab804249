//! Get Attributes (KMIP 2.1 §6.1.20, KMIP 1.4 §4.12).

use std::collections::HashSet;

use claviger_kmip::attributes::{Attribute, AttributeReference, Attributes, Instance};
use claviger_kmip::compat::AttributeList;
use claviger_kmip::payload::{GetAttributesRequest, GetAttributesResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::ManagedObject;

/// Carries out Get Attributes: those asked for, all if none is.
///
/// # Errors
/// There is no such object, or an attribute is asked for twice.
pub fn get_attributes(
    context: &mut Context<'_, '_>,
    request: GetAttributesRequest,
) -> Result<GetAttributesResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let references = request.attribute_reference.0;
    refuse_repetition(&references)?;
    let now = context.now();
    let mut instances: Vec<Instance> = if references.is_empty() {
        object.all_attributes(now)
    } else {
        references.iter().flat_map(|reference| object.attribute(reference, now)).collect()
    };
    refresh(context, &object, &mut instances)?;
    Ok(GetAttributesResponse {
        unique_identifier: identifier.into(),
        attributes: AttributeList(Attributes(instances)),
    })
}

/// Fresh as it is now: handing an object out does not write its record.
///
/// # Errors
/// Storage.
pub(super) fn refresh(
    context: &Context<'_, '_>,
    object: &ManagedObject,
    instances: &mut [Instance],
) -> Result<(), Failure> {
    for instance in instances {
        if let Attribute::Fresh(fresh) = &mut instance.attribute {
            *fresh = context.tx.is_fresh(object)?;
        }
    }
    Ok(())
}

fn refuse_repetition(references: &[AttributeReference]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    if references.iter().all(|reference| seen.insert(reference)) {
        return Ok(());
    }
    Err(Failure::new(Reason::InvalidMessage, "an attribute is asked for more than once"))
}
