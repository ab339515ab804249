//! Activate (KMIP 2.1 §6.1.1, KMIP 1.4 §4.19).

use claviger_kmip::attributes::Attribute;
use claviger_kmip::codec::DateTime;
use claviger_kmip::payload::{ActivateRequest, ActivateResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::lifecycle::{self, Event};
use crate::object::usage;

/// Carries out Activate.
///
/// # Errors
/// There is no such object, or it is not Pre-Active.
pub fn activate(
    context: &mut Context<'_, '_>,
    request: ActivateRequest,
) -> Result<ActivateResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.live(&identifier)?;
    context.concerns(&object);
    usage::refuse_without_lifecycle(&object)?;
    let now = context.now();
    lifecycle::next(object.state(now), Event::Activate)
        .map_err(|_| Failure::new(Reason::WrongState, "the object is not Pre-Active"))?;
    let mut object = (*object).clone();
    object.attributes.set(Attribute::ActivationDate(DateTime(now)));
    context.tx.update(object);
    Ok(ActivateResponse { unique_identifier: identifier.into() })
}
