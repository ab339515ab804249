//! Revoke (KMIP 2.1 §6.1.48, KMIP 1.4 §4.20).

use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::RevocationReason;
use claviger_kmip::codec::DateTime;
use claviger_kmip::enums::RevocationReasonCode;
use claviger_kmip::payload::{RevokeRequest, RevokeResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::lifecycle::{self, Event};
use crate::object::{ManagedObject, usage};

/// What people write of a reason; more belongs elsewhere.
const MESSAGE_BYTES_MAX: usize = 4096;

/// Carries out Revoke.
///
/// # Errors
/// There is no such object, its state does not allow it, or a date lies in the future.
pub fn revoke(
    context: &mut Context<'_, '_>,
    request: RevokeRequest,
) -> Result<RevokeResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let occurrence = request.compromise_occurrence_date;
    let object = revoked(&object, request.revocation_reason, occurrence, context.now())?;
    context.tx.update(object);
    Ok(RevokeResponse { unique_identifier: identifier.into() })
}

/// The object once it is revoked. `occurrence` is when a compromise happened, now unless given.
///
/// # Errors
/// Its state does not allow it, or a date lies in the future.
pub fn revoked(
    object: &ManagedObject,
    reason: RevocationReason,
    occurrence: Option<DateTime>,
    now: i64,
) -> Result<ManagedObject, Failure> {
    usage::refuse_without_lifecycle(object)?;
    let message = reason.revocation_message.as_ref();
    if message.is_some_and(|message| message.len() > MESSAGE_BYTES_MAX) {
        let message = format!("the Revocation Message is longer than {MESSAGE_BYTES_MAX} bytes");
        return Err(Failure::new(Reason::InvalidField, message));
    }
    if reason.revocation_reason_code.row().is_none() {
        let message = "the Revocation Reason Code is not known";
        return Err(Failure::new(Reason::InvalidField, message));
    }
    let compromised = matches!(
        reason.revocation_reason_code,
        RevocationReasonCode::KEY_COMPROMISE | RevocationReasonCode::CA_COMPROMISE
    );
    let event = if compromised { Event::RevokeCompromised } else { Event::Revoke };
    lifecycle::next(object.state(now), event).map_err(|refused| {
        let message = format!("an object that is {:?} cannot be revoked so", refused.state);
        Failure::new(Reason::WrongState, message)
    })?;
    let mut object = object.clone();
    if compromised {
        let occurrence = occurrence.unwrap_or(DateTime(now));
        if occurrence.0 > now {
            let message = "the Compromise Occurrence Date lies in the future";
            return Err(Failure::new(Reason::InvalidField, message));
        }
        object.attributes.set(Attribute::CompromiseDate(DateTime(now)));
        object.attributes.set(Attribute::CompromiseOccurrenceDate(occurrence));
    } else {
        object.attributes.set(Attribute::DeactivationDate(DateTime(now)));
    }
    object.attributes.set(Attribute::RevocationReason(reason));
    Ok(object)
}
