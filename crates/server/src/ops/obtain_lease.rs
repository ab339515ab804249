//! Obtain Lease: how long a client may use its copy of an object (KMIP 2.1 §6.1.35, KMIP 1.4 §4.17).

use claviger_kmip::attributes::Attribute;
use claviger_kmip::codec::{DateTime, Interval};
use claviger_kmip::payload::{ObtainLeaseRequest, ObtainLeaseResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::lifecycle::State;

/// Carries out Obtain Lease. A compromised key gets none: nobody is to go on using a copy of it.
///
/// # Errors
/// There is no such object, or it is destroyed or compromised.
pub fn obtain_lease(
    context: &mut Context<'_, '_>,
    request: ObtainLeaseRequest,
) -> Result<ObtainLeaseResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.live(&identifier)?;
    context.concerns(&object);
    if object.state(context.now()) == State::Compromised {
        let message = "there is no lease of a compromised object";
        return Err(Failure::new(Reason::WrongState, message));
    }
    let mut response = ObtainLeaseResponse {
        unique_identifier: identifier.into(),
        lease_time: Interval(0),
        last_change_date: DateTime(0),
    };
    for attribute in object.attributes.iter() {
        match attribute {
            Attribute::LeaseTime(time) => response.lease_time = *time,
            Attribute::LastChangeDate(date) => response.last_change_date = *date,
            _ => {}
        }
    }
    Ok(response)
}
