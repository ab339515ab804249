//! Serials that are not to be trusted any more: what is stored of them, until their certificates
//! have expired (docs/formats.md §8).

use serde::{Deserialize, Serialize};

use super::imported::{Denied, IssuerHash};
use crate::pki::Serial;
use crate::record::{AuthorityId, Edit, Kind, MountId, RecordError, Records, key};

/// Rows deleted in one commit.
const DELETE_ROWS: usize = 1000;

/// A revoked serial.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RevokedRecord {
    /// When, in seconds since 1970.
    pub(crate) revoked: i64,
    /// Last second of the certificate's life, since 1970; 0 when nobody knows it.
    pub(crate) not_after: i64,
    /// Whether it went with its role.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) with_role: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl RevokedRecord {
    /// Whether the certificate has expired by itself.
    pub(crate) fn is_over(&self, now: i64) -> bool {
        self.not_after != 0 && self.not_after < now
    }
}

/// Where the revoked serials of an authority are; without one, those of the mount.
pub(crate) fn revoked_prefix(mount: MountId, authority: Option<AuthorityId>) -> Vec<u8> {
    match authority {
        Some(authority) => key(Kind::Revoked, &[mount.as_bytes(), authority.as_bytes()]),
        None => key(Kind::Revoked, &[mount.as_bytes()]),
    }
}

/// Where a revoked serial is: of an authority of ours, or of every issuer under an imported one.
pub(crate) fn revoked_key(mount: MountId, authority: AuthorityId, serial: &Serial) -> Vec<u8> {
    key(Kind::Revoked, &[mount.as_bytes(), authority.as_bytes(), serial.as_bytes()])
}

/// Where a certificate is that is denied under an imported authority.
pub(crate) fn denied_key(mount: MountId, authority: AuthorityId, denied: &Denied) -> Vec<u8> {
    let mut at = revoked_key(mount, authority, &denied.serial);
    at.extend_from_slice(denied.issuer.as_ref().map_or(&[], IssuerHash::as_slice));
    at
}

/// Deletes the revoked serials of an authority, or of a whole mount: nobody asks for them any more.
pub(super) fn forget_revoked(
    records: &Records,
    mount: MountId,
    authority: Option<AuthorityId>,
) -> Result<(), RecordError> {
    for chunk in records.keys(&revoked_prefix(mount, authority))?.chunks(DELETE_ROWS) {
        let mut edit = Edit::default();
        chunk.iter().for_each(|key| edit.delete(key.clone()));
        records.commit(edit)?;
    }
    Ok(())
}

/// Every certificate that is denied under an imported authority.
pub(super) fn denied(
    records: &Records,
    mount: MountId,
    authority: AuthorityId,
) -> Result<Vec<Denied>, RecordError> {
    let prefix = revoked_prefix(mount, Some(authority));
    let keys = records.keys(&prefix)?.into_iter();
    keys.map(|at| {
        let rest = at.get(prefix.len()..).and_then(|rest| rest.split_first_chunk());
        let (serial, issuer) = rest.ok_or_else(too_short)?;
        let issuer = match issuer {
            [] => None,
            hash => Some(hash.try_into().map_err(|_| too_short())?),
        };
        Ok(Denied { serial: Serial::from(*serial), issuer })
    })
    .collect()
}

fn too_short() -> RecordError {
    RecordError::Corrupt("the key of a revoked serial is too short".to_owned())
}

/// Every revoked serial of an authority of ours.
pub(crate) fn revoked_serials(
    records: &Records,
    mount: MountId,
    authority: AuthorityId,
) -> Result<Vec<(Serial, RevokedRecord)>, RecordError> {
    let found = records.scan::<RevokedRecord>(&revoked_prefix(mount, Some(authority)))?;
    found
        .into_iter()
        .map(|(at, stored)| {
            let serial = at.last_chunk().copied().map(Serial::from);
            Ok((serial.ok_or_else(too_short)?, stored.value))
        })
        .collect()
}
