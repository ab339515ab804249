//! Get: an object leaves the server, in the format and wrapping that the client asks for (KMIP 2.1
//! §6.1.19, KMIP 1.4 §4.11 and §11.12).

use claviger_kmip::enums::KeyWrapType;
use claviger_kmip::objects::Object;
use claviger_kmip::payload::{GetRequest, GetResponse};

use super::Context;
use super::{key_format, wrapping};
use crate::failure::{Failure, Reason};
use crate::object::ManagedObject;

/// Carries out Get.
///
/// # Errors
/// There is no such object, it may not leave, or not in that format or wrapping.
pub fn get(context: &mut Context<'_, '_>, request: GetRequest) -> Result<GetResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let managed = context.tx.live(&identifier)?;
    context.concerns(&managed);
    key_format::check_compression(&managed, request.key_compression_type)?;
    let object = outgoing(context, &managed, &request)?;
    context.tx.serve(managed.id);
    Ok(GetResponse {
        object_type: managed.object_type,
        unique_identifier: identifier.into(),
        object,
    })
}

/// The object as the request wants it.
fn outgoing(
    context: &mut Context<'_, '_>,
    managed: &ManagedObject,
    request: &GetRequest,
) -> Result<Object, Failure> {
    let specification = request.key_wrapping_specification.as_ref();
    let is_wrapped = managed
        .object
        .as_ref()
        .and_then(Object::key_block)
        .is_some_and(|block| block.key_wrapping_data.is_some());
    let stays_wrapped = match request.key_wrap_type {
        None | Some(KeyWrapType::AS_REGISTERED) => is_wrapped,
        Some(KeyWrapType::NOT_WRAPPED) => false,
        Some(_) => {
            let message = "the Key Wrap Type is not known";
            return Err(Failure::new(Reason::KeyWrapTypeNotSupported, message));
        }
    };
    may_leave(managed, specification.is_some() || stays_wrapped)?;
    if stays_wrapped && specification.is_none() {
        return as_registered(managed, request);
    }
    let object = wrapping::plain(context, managed)?;
    let object = match request.key_format_type {
        Some(format) => key_format::convert(object, &managed.attributes, format)?,
        None => object,
    };
    match specification {
        Some(specification) => wrapping::wrapped(context, managed, object, specification),
        None => Ok(object),
    }
}

/// A wrapped object comes as it was registered: what is inside has no other format.
fn as_registered(managed: &ManagedObject, request: &GetRequest) -> Result<Object, Failure> {
    let gone = || Failure::new(Reason::ObjectDestroyed, "the object has been destroyed");
    let object = managed.object.clone().ok_or_else(gone)?;
    let stored = object.key_block().map(|block| block.key_format_type);
    if request.key_format_type.is_some() && request.key_format_type != stored {
        let message = "a wrapped key can be given in the Key Format Type of its registration only";
        return Err(Failure::new(Reason::KeyFormatTypeNotSupported, message));
    }
    Ok(object)
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
