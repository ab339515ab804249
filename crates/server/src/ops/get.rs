//! Get: an object leaves the server (KMIP 2.1 §6.1.19, KMIP 1.4 §4.11).

use claviger_kmip::enums::KeyFormatType;
use claviger_kmip::objects::Object;
use claviger_kmip::payload::{GetRequest, GetResponse};

use crate::dispatch::Context;
use crate::failure::{Failure, Reason};
use crate::object::ManagedObject;

/// Carries out Get.
///
/// # Errors
/// There is no such object, it may not leave, or not in that format.
pub fn get(context: &mut Context<'_, '_>, request: GetRequest) -> Result<GetResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let managed = context.tx.live(&identifier)?;
    context.concerns(&managed);
    may_leave(&managed, request.key_wrapping_specification.is_some())?;
    let object = in_format(&managed, request.key_format_type)?;
    context.tx.serve(managed.id);
    Ok(GetResponse {
        object_type: managed.object_type,
        unique_identifier: identifier.into(),
        object,
    })
}

/// A sensitive object leaves wrapped only; one that is not extractable does not leave.
fn may_leave(managed: &ManagedObject, wrapped: bool) -> Result<(), Failure> {
    if managed.attributes.extractable() == Some(false) {
        return Err(Failure::new(Reason::NotExtractable, "the object is not Extractable"));
    }
    if managed.attributes.sensitive() == Some(true) && !wrapped {
        return Err(Failure::new(
            Reason::Sensitive,
            "the object is Sensitive: it is given wrapped only",
        ));
    }
    Ok(())
}

fn in_format(managed: &ManagedObject, format: Option<KeyFormatType>) -> Result<Object, Failure> {
    let gone = || Failure::new(Reason::ObjectDestroyed, "the object has been destroyed");
    let object = managed.object.clone().ok_or_else(gone)?;
    let stored = object.key_block().map(|block| block.key_format_type);
    if format.is_none() || format == stored {
        return Ok(object);
    }
    Err(Failure::new(
        Reason::KeyFormatTypeNotSupported,
        "the object cannot be given in this Key Format Type",
    ))
}
