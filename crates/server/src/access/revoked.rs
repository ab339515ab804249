//! Revoked serials: remembered until their certificates have expired, and told in revocation lists
//! (RFC 5280 §5), one for each authority.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::credential::CredentialRecord;
use super::index::lock;
use super::{Access, AccessError, Refusal};
use crate::mount::revoked::{
    RevokedRecord, denied_key, revoked_key, revoked_prefix, revoked_serials,
};
use crate::mount::{Denied, Mount, NamedAuthority, Source};
use crate::pki::{Revoked, Serial, vouches};
use crate::record::{AuthorityId, Edit, MountId, RecordError};

/// How long clients may use a list: Vault's default of 72 hours.
const LIST_SECONDS: i64 = 72 * 3600;

/// When a list is made anew although nothing changed.
const LIST_KEPT_SECONDS: i64 = 12 * 3600;

/// Rows deleted in one commit.
const DELETE_ROWS: usize = 1000;

/// The lists made last, so that asking for one costs nothing: anybody may ask.
#[derive(Debug, Default)]
pub(super) struct RevocationLists {
    made: Mutex<HashMap<(MountId, AuthorityId), Made>>,
}

#[derive(Debug)]
struct Made {
    at: i64,
    der: Arc<[u8]>,
}

impl RevocationLists {
    /// Something was revoked in a mount.
    pub(super) fn forget(&self, mount: MountId) {
        lock(&self.made).retain(|(of, _), _| *of != mount);
    }
}

impl Access {
    /// The list of an authority's revoked certificates, in DER; `None` when the mount has no such
    /// authority, or one that cannot sign.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn revocation_list(
        &self,
        mount: &Mount,
        authority: AuthorityId,
    ) -> Result<Option<Arc<[u8]>>, AccessError> {
        let Some(issuer) = mount.issuer(authority) else {
            return Ok(None);
        };
        let now = self.clock.now();
        // Held while a list is made: whoever asks for the same one meanwhile waits for it.
        let mut made = lock(&self.lists.made);
        let at = (mount.id(), authority);
        if let Some(list) = made.get(&at)
            && (list.at..list.at.saturating_add(LIST_KEPT_SECONDS)).contains(&now)
        {
            return Ok(Some(list.der.clone()));
        }
        let stored = revoked_serials(&self.records, mount.id(), authority)?;
        let revoked: Vec<Revoked> = stored
            .into_iter()
            .filter(|(_, record)| !record.is_over(now))
            .map(|(serial, record)| Revoked { serial, at: record.revoked })
            .collect();
        let der: Arc<[u8]> =
            issuer.revocation_list(&revoked, now, now.saturating_add(LIST_SECONDS))?.into();
        made.insert(at, Made { at: now, der: der.clone() });
        Ok(Some(der))
    }

    /// Denies a certificate that an imported authority vouches for, on open connections too: the one
    /// with that serial and issuer (its distinguished name, in DER), or that of every issuer under it.
    ///
    /// # Errors
    /// [`AccessError::BadInput`] for a generated authority, whose credentials are revoked under
    /// their role.
    pub fn deny_imported(
        &self,
        mount: &Mount,
        authority: &NamedAuthority,
        serial: Serial,
        issuer: Option<&[u8]>,
        not_after: Option<i64>,
    ) -> Result<(), AccessError> {
        let Source::Imported { authority: imported, .. } = authority.source() else {
            return Err(AccessError::BadInput(format!(
                "the certificate authority {:?} is generated: revoke its credentials under their \
                 role",
                authority.name()
            )));
        };
        let _writer = self.writer();
        let denied = Denied { serial, issuer: issuer.map(|name| imported.issuer_hash(name)) };
        let at = denied_key(mount.id(), authority.id(), &denied);
        let mut edit = Edit::default();
        let revoked = self.clock.now();
        let not_after = not_after.unwrap_or(0);
        let record = RevokedRecord { revoked, not_after, with_role: false };
        if self.records.get::<RevokedRecord>(&at)?.is_none() {
            edit.expect(mount.authority_key(&self.records, authority.name()), authority.version());
            edit.create(at, &record)?;
            self.records.commit(edit)?;
        }
        imported.deny(denied);
        Ok(())
    }

    /// Why a serial of this mount's own authorities opens nothing any more, as far as that is
    /// remembered: until its certificate has expired.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn remembered(
        &self,
        mount: &Mount,
        serial: &Serial,
    ) -> Result<Option<Refusal>, AccessError> {
        for authority in mount.issuers() {
            let at = revoked_key(mount.id(), authority, serial);
            if let Some(stored) = self.records.get::<RevokedRecord>(&at)? {
                let with_role = stored.value.with_role;
                return Ok(Some(if with_role { Refusal::RoleDeleted } else { Refusal::Revoked }));
            }
        }
        Ok(None)
    }

    /// Whether one of these mounts issued the certificate that a chain begins with, and has revoked it.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn has_revoked(
        &self,
        mounts: &[Arc<Mount>],
        chain: &[Vec<u8>],
    ) -> Result<bool, RecordError> {
        let Some(serial) = chain.first().and_then(|leaf| Serial::of_certificate(leaf)) else {
            return Ok(false);
        };
        for mount in mounts {
            for id in mount.issuers() {
                // The serial of somebody else's certificate may be anything.
                if self
                    .records
                    .get::<RevokedRecord>(&revoked_key(mount.id(), id, &serial))?
                    .is_some()
                    && let Some(issuer) = mount.issuer(id)
                    && vouches(&issuer.chain(), chain, self.clock.now())
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Adds to an edit that the credential stored there is revoked, alone or with its role; `false`
    /// when there is none.
    pub(super) fn remember_revoked(
        &self,
        edit: &mut Edit,
        mount: MountId,
        credential: &[u8],
        with_role: bool,
    ) -> Result<bool, AccessError> {
        let Some(stored) = self.records.get::<CredentialRecord>(credential)? else {
            return Ok(false);
        };
        let now = self.clock.now();
        let not_after = stored.value.not_after;
        let record = RevokedRecord { revoked: now, not_after, with_role };
        let serial = credential.last_chunk().copied().map(Serial::from);
        if let Some(serial) = serial
            && !record.is_over(now)
        {
            edit.create(revoked_key(mount, stored.value.authority, &serial), &record)?;
        }
        Ok(true)
    }

    /// Forgets revoked serials of a mount whose certificates have expired by themselves; how many.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn forget_expired(&self, mount: MountId) -> Result<usize, AccessError> {
        let now = self.clock.now();
        let found = self.records.scan::<RevokedRecord>(&revoked_prefix(mount, None))?;
        let over: Vec<_> = found.into_iter().filter(|(_, it)| it.value.is_over(now)).collect();
        for chunk in over.chunks(DELETE_ROWS) {
            let mut edit = Edit::default();
            chunk.iter().for_each(|(key, _)| edit.delete(key.clone()));
            self.records.commit(edit)?;
        }
        Ok(over.len())
    }
}
