//! Check: may this object be used so? (KMIP 2.1 §6.1.6, KMIP 1.4 §4.10)

use claviger_kmip::attributes::{Attribute, AttributeId};
use claviger_kmip::payload::{CheckRequest, CheckResponse};

use super::Context;
use crate::failure::{Failure, Reason};

/// Carries out Check. A failing Check empties the ID Placeholder.
///
/// # Errors
/// There is no such object, or it may not be used so.
pub fn check(
    context: &mut Context<'_, '_>,
    request: CheckRequest,
) -> Result<CheckResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.object(&identifier)?;
    context.concerns(&object);
    if let Some(usage) = request.cryptographic_usage_mask {
        let mask = object.attributes.cryptographic_usage_mask().unwrap_or_default();
        if !mask.contains(usage) {
            let message = "the Cryptographic Usage Mask does not allow that use";
            return Err(Failure::new(Reason::UsageMask, message));
        }
    }
    if let Some(wanted) = request.usage_limits_count
        && let Some(Attribute::UsageLimits(limits)) =
            object.attributes.first(AttributeId::UsageLimits)
        && limits.usage_limits_count.unwrap_or(limits.usage_limits_total) < wanted
    {
        let message = "the Usage Limits do not leave that much";
        return Err(Failure::new(Reason::UsageLimit, message));
    }
    if let Some(wanted) = request.lease_time
        && let Some(Attribute::LeaseTime(lease)) = object.attributes.first(AttributeId::LeaseTime)
        && lease.0 < wanted.0
    {
        let message = "the Lease Time is not that long";
        return Err(Failure::new(Reason::PermissionDenied, message));
    }
    Ok(CheckResponse {
        unique_identifier: Some(identifier.into()),
        usage_limits_count: None,
        cryptographic_usage_mask: None,
        lease_time: None,
    })
}
