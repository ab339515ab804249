//! Destroy: the key material goes, a tombstone stays (KMIP 2.1 §6.1.15, KMIP 1.4 §4.21).

use claviger_kmip::attributes::Attribute;
use claviger_kmip::codec::DateTime;
use claviger_kmip::payload::{DestroyRequest, DestroyResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::lifecycle::{self, Event, Refused};

/// Carries out Destroy.
///
/// # Errors
/// There is no such object, it is Active, or it has been destroyed already.
pub fn destroy(
    context: &mut Context<'_, '_>,
    request: DestroyRequest,
) -> Result<DestroyResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    let now = context.now();
    lifecycle::next(object.state(now), Event::Destroy).map_err(refused)?;
    let mut object = (*object).clone();
    object.object = None;
    object.attributes.set(Attribute::DestroyDate(DateTime(now)));
    context.tx.update(object);
    Ok(DestroyResponse { unique_identifier: identifier.into() })
}

fn refused(refused: Refused) -> Failure {
    if refused.state.is_destroyed() {
        return Failure::new(Reason::AlreadyDestroyed, "the object has been destroyed already");
    }
    Failure::new(Reason::WrongState, "an Active object cannot be destroyed; revoke it first")
}
