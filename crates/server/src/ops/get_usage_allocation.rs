//! Get Usage Allocation: a share of the Usage Limits for a client that protects with its own copy
//! (KMIP 2.1 §6.1.23, KMIP 1.4 §4.18).

use claviger_kmip::payload::{GetUsageAllocationRequest, GetUsageAllocationResponse};

use super::Context;
use crate::failure::Failure;
use crate::object::usage;

/// Carries out Get Usage Allocation: the whole amount counts as used.
///
/// # Errors
/// There is no such key, it has no Usage Limits, may not protect now, or not that much is left.
pub fn get_usage_allocation(
    context: &mut Context<'_, '_>,
    request: GetUsageAllocationRequest,
) -> Result<GetUsageAllocationResponse, Failure> {
    let identifier = context.identifier(request.unique_identifier.as_ref())?;
    let object = context.tx.live(&identifier)?;
    context.concerns(&object);
    let spent = usage::allocate(&object, request.usage_limits_count, context.now())?;
    context.tx.update(spent);
    Ok(GetUsageAllocationResponse { unique_identifier: identifier.into() })
}
