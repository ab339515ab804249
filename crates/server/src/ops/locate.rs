//! Locate (KMIP 2.1 §6.1.27, KMIP 1.4 §4.9).

use claviger_kmip::Version;
use claviger_kmip::enums::UniqueIdentifier as Producer;
use claviger_kmip::payload::{LocateRequest, LocateResponse};

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::{ObjectId, Query};

/// Carries out Locate. It sets the ID Placeholder if exactly one identifier is answered, else it
/// empties it.
///
/// # Errors
/// A count is negative.
pub fn locate(
    context: &mut Context<'_, '_>,
    request: LocateRequest,
) -> Result<LocateResponse, Failure> {
    let offset = count(request.offset_items)?.unwrap_or(0);
    let limit = context.resources.limits.locate_items_max;
    let maximum = count(request.maximum_items)?.unwrap_or(limit).min(limit);
    // From 1.3 on, a client that pages is told how many objects there are in all.
    let pages = request.maximum_items.is_some() || request.offset_items.is_some();
    let counts_all = pages && context.version >= Version::V1_3;
    let query = Query {
        attributes: request.attributes.0.0.into_iter().map(|it| it.attribute).collect(),
        storage_status_mask: request.storage_status_mask,
        object_group_member: request.object_group_member,
        hits_max: (!counts_all).then(|| offset.saturating_add(maximum)),
    };
    let hits = context.tx.locate(&query)?;
    let located = i32::try_from(hits.len()).unwrap_or(i32::MAX);
    let page: Vec<ObjectId> = hits.into_iter().skip(offset).take(maximum).collect();
    context.batch.clear_placeholder();
    if let [only] = page.as_slice() {
        context.produced(Producer::LOCATE, *only);
    }
    Ok(LocateResponse {
        located_items: counts_all.then_some(located),
        unique_identifier: page.into_iter().map(|id| id.to_string().into()).collect(),
    })
}

fn count(given: Option<i32>) -> Result<Option<usize>, Failure> {
    let negative = |_| Failure::new(Reason::InvalidField, "a number of items is negative");
    given.map(usize::try_from).transpose().map_err(negative)
}
