//! Get: an object leaves the server, in the format and wrapping that the client asks for (KMIP 2.1
//! §6.1.19, KMIP 1.4 §4.11 and §11.12).

use claviger_kmip::enums::KeyWrapType;
use claviger_kmip::objects::Object;
use claviger_kmip::payload::{GetRequest, GetResponse};

use super::Context;
use super::{key_format, wrapping};
use crate::failure::{Failure, Reason};
use crate::object::Outline;

/// Carries out Get.
///
/// # Errors
/// There is no such object, it may not leave, or not in that format or wrapping.
pub fn get(context: &mut Context<'_, '_>, request: GetRequest) -> Result<GetResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let outline = context.tx.serve(&identifier)?;
    let object_type = outline.object_type;
    context.about.object_type = Some(object_type);
    key_format::check_compression(object_type, request.key_compression_type)?;
    let object = outgoing(context, &identifier, outline, &request)?;
    Ok(GetResponse { object_type, unique_identifier: identifier.into(), object })
}

/// The object as the request wants it.
fn outgoing(
    context: &mut Context<'_, '_>,
    identifier: &str,
    outline: Outline,
    request: &GetRequest,
) -> Result<Object, Failure> {
    let specification = request.key_wrapping_specification.as_ref();
    let block = outline.object.as_ref().and_then(Object::key_block);
    let is_wrapped = block.is_some_and(|block| block.key_wrapping_data.is_some());
    let stored_format = block.map(|block| block.key_format_type);
    let stays_wrapped = match request.key_wrap_type {
        None | Some(KeyWrapType::AS_REGISTERED) => is_wrapped,
        Some(KeyWrapType::NOT_WRAPPED) => false,
        Some(_) => {
            let message = "the Key Wrap Type is not known";
            return Err(Failure::new(Reason::KeyWrapTypeNotSupported, message));
        }
    };
    may_leave(&outline, specification.is_some() || stays_wrapped)?;
    let keeps_format =
        request.key_format_type.is_none() || request.key_format_type == stored_format;
    if specification.is_none() && is_wrapped == stays_wrapped && keeps_format {
        let gone = || Failure::new(Reason::ObjectDestroyed, "the object has been destroyed");
        return outline.object.ok_or_else(gone);
    }
    if specification.is_none() && stays_wrapped {
        let message = "a wrapped key can be given in the Key Format Type of its registration only";
        return Err(Failure::new(Reason::KeyFormatTypeNotSupported, message));
    }
    let managed = context.tx.live(identifier)?;
    let object = wrapping::plain(context, &managed)?;
    let object = match request.key_format_type {
        Some(format) => key_format::convert(object, &managed.attributes, format)?,
        None => object,
    };
    match specification {
        Some(specification) => wrapping::wrapped(context, &managed, object, specification),
        None => Ok(object),
    }
}

/// A sensitive object leaves wrapped only; one that is not extractable does not leave.
fn may_leave(outline: &Outline, wrapped: bool) -> Result<(), Failure> {
    if outline.extractable == Some(false) {
        return Err(Failure::new(Reason::NotExtractable, "the object is not Extractable"));
    }
    if outline.sensitive == Some(true) && !wrapped {
        return Err(Failure::new(
            Reason::Sensitive,
            "the object is Sensitive: it is given wrapped only",
        ));
    }
    Ok(())
}
