//! Discover Versions (KMIP 2.1 §6.1.16, KMIP 1.4 §4.26).

use claviger_kmip::Version;
use claviger_kmip::payload::{DiscoverVersionsRequest, DiscoverVersionsResponse};

use super::Context;
use crate::failure::Failure;

/// Carries out Discover Versions: all versions, newest first, or those of the client's that are
/// spoken, in the client's order.
///
/// # Errors
/// Never.
pub fn discover_versions(
    _: &mut Context<'_, '_>,
    request: DiscoverVersionsRequest,
) -> Result<DiscoverVersionsResponse, Failure> {
    let protocol_version = if request.protocol_version.is_empty() {
        Version::ALL.into_iter().rev().map(Into::into).collect()
    } else {
        let asked = request.protocol_version.into_iter();
        asked.filter(|version| Version::from(version).is_supported()).collect()
    };
    Ok(DiscoverVersionsResponse { protocol_version })
}
