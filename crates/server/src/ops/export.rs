//! Export: an object leaves the server with all its attributes (KMIP 2.1 §6.1.18, KMIP 1.4 §4.40).

use claviger_kmip::attributes::Attributes;
use claviger_kmip::compat::AttributeList;
use claviger_kmip::payload::{ExportRequest, ExportResponse, GetRequest};

use super::Context;
use super::get::get;
use super::get_attributes::refresh;
use crate::failure::Failure;

/// Carries out Export: what Get gives, under the same conditions, and the attributes. Of a destroyed
/// object they are all that is left.
///
/// # Errors
/// There is no such object, it may not leave, or not in that format or wrapping.
pub fn export(
    context: &mut Context<'_, '_>,
    request: ExportRequest,
) -> Result<ExportResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let managed = context.tx.object(&identifier)?;
    context.concerns(&managed);
    let object = match managed.object {
        None => None,
        Some(_) => {
            let request = GetRequest {
                unique_identifier: Some(identifier.as_str().into()),
                key_format_type: request.key_format_type,
                key_wrap_type: request.key_wrap_type,
                key_compression_type: request.key_compression_type,
                key_wrapping_specification: request.key_wrapping_specification,
            };
            Some(get(context, request)?.object)
        }
    };
    let mut instances = managed.all_attributes(context.now());
    refresh(context, &managed, &mut instances)?;
    context.batch.set_placeholder(identifier.clone());
    Ok(ExportResponse {
        object_type: managed.object_type,
        unique_identifier: identifier.into(),
        attributes: AttributeList(Attributes(instances)),
        object,
    })
}
