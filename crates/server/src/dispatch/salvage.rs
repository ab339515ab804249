//! What can still be read of a request that is not well-formed: enough to tell the client which
//! of its requests failed. Some clients check that before they look at the error, and drop the
//! connection with everything in flight otherwise.

use claviger_kmip::enums::Operation;
use claviger_kmip::{Version, tags};
use claviger_ttlv::Reader;

/// The readable parts of a broken request.
#[derive(Copy, Clone, Debug)]
pub(super) struct Salvaged<'a> {
    /// The version to answer in.
    pub version: Version,
    /// The operation of the only batch item.
    pub operation: Option<Operation>,
    /// The client's name for it.
    pub unique_batch_item_id: Option<&'a [u8]>,
}

/// Reads as far as it goes.
pub(super) fn salvage(request: &[u8]) -> Salvaged<'_> {
    let mut found =
        Salvaged { version: Version::V1_0, operation: None, unique_batch_item_id: None };
    let mut items = 0_usize;
    let Some(mut parts) = Reader::inside(request) else { return found };
    while let Ok(Some(part)) = parts.next_item() {
        let Ok(mut fields) = part.structure() else { continue };
        if part.tag == tags::REQUEST_HEADER {
            if let Some(version) = version(&mut fields) {
                found.version = version;
            }
        } else if part.tag == tags::BATCH_ITEM {
            items = items.saturating_add(1);
            while let Ok(Some(field)) = fields.next_item() {
                match field.tag {
                    tags::OPERATION => found.operation = field.enumeration().ok().map(Operation),
                    tags::UNIQUE_BATCH_ITEM_ID => found.unique_batch_item_id = field.bytes().ok(),
                    _ => {}
                }
            }
        }
    }
    if items > 1 {
        // Which of them is broken is not known.
        found.operation = None;
        found.unique_batch_item_id = None;
    }
    found
}

fn version(header: &mut Reader<'_>) -> Option<Version> {
    let mut numbers = header.next_item().ok()??.structure().ok()?;
    let major = numbers.next_item().ok()??.integer().ok()?;
    let minor = numbers.next_item().ok()??.integer().ok()?;
    let version = Version::new(major, minor);
    version.is_supported().then_some(version)
}
