//! Roles: write (create or merge), read, list, delete.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::index::{Gone, Role, Scope, lock};
use super::permissions::{PermissionChange, Permissions};
use super::scope::CERTIFICATE_ID_CHARS;
use super::{Access, AccessError, Name};
use crate::mount::{Config, Mount, MountError};
use crate::pki::{KeySpec, KeyType};
use crate::record::{Change, Edit, FIRST_VERSION, Kind, MountId, RoleId, Stored, base62, key};

/// Rows deleted in one commit: a long deletion leaves room for requests of other scopes.
pub(super) const DELETE_ROWS: usize = 1000;

/// What is stored of a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RoleRecord {
    pub(super) id: RoleId,
    pub(super) name: String,
    /// CN of the role's certificates.
    pub(super) certificate_id: String,
    pub(super) permissions: Permissions,
    #[serde(flatten)]
    pub(super) tls: ClientTls,
    /// Seconds since 1970.
    pub(super) created: i64,
}

/// What a role says about the certificates issued under it; unset means the mount's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClientTls {
    /// `ec`, `rsa` or empty.
    key_type: String,
    /// 0 when unset.
    key_bits: u32,
    /// 0 when unset.
    pub(super) ttl_seconds: i64,
    /// The named authority that issues; empty for the engine's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) ca: String,
}

impl ClientTls {
    /// The kind of key of the role's certificates, under the mount's defaults.
    pub(super) fn key_spec(&self, config: &Config) -> Result<KeySpec, AccessError> {
        let default = config.default_tls_client;
        let key_type = match self.key_type.as_str() {
            "" => default.key_type(),
            name => KeyType::from_name(name)?,
        };
        let bits = match self.key_bits {
            0 if key_type == default.key_type() => default.bits(),
            0 => key_type.default_bits(),
            bits => bits,
        };
        Ok(KeySpec::new(key_type, bits)?)
    }
}

/// What a write says about a role.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// The operations.
    pub permissions: PermissionChange,
    /// `tls_client_key_type`.
    pub key_type: Change<KeyType>,
    /// `tls_client_key_bits`; 0 for the mount's default.
    pub key_bits: Change<u32>,
    /// `tls_client_ttl` in seconds; 0 for the mount's default.
    pub ttl_seconds: Change<i64>,
    /// `ca`: the named authority that issues; empty for the engine's own.
    pub ca: Change<String>,
}

impl RoleChange {
    /// A role that grants every operation.
    pub fn everything() -> Self {
        Self { permissions: PermissionChange::everything(), ..Self::default() }
    }
}

/// What a read of a role shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleView {
    /// Operations without the prefix `operation_`, see [`Permissions::granted`].
    pub granted: Vec<&'static str>,
    /// Operations refused in so many words.
    pub withheld: Vec<&'static str>,
    /// Empty when unset.
    pub tls_client_key_type: String,
    /// 0 when unset.
    pub tls_client_key_bits: u32,
    /// In seconds; 0 when unset.
    pub tls_client_ttl: i64,
    /// Empty when unset.
    pub ca: String,
}

impl Access {
    /// Creates a role, or merges the change into it. Acts on open connections at once.
    ///
    /// # Errors
    /// [`AccessError::Missing`] without the scope, [`AccessError::BadInput`] for contradictions.
    pub fn write_role(
        &self,
        mount: &Mount,
        scope: &str,
        name: &Name,
        change: RoleChange,
    ) -> Result<(), AccessError> {
        let _writer = self.writer();
        let scope = self.existing_scope(mount.id(), scope)?;
        let mut edit = Edit::default();
        if let Some(role) = scope.role(name.as_str()) {
            let mut stored = lock(&role.stored);
            let record = changed(stored.value.clone(), change, mount)?;
            self.expect_authority(&mut edit, mount, &record)?;
            let version = edit.update(role.key.clone(), stored.version, &record)?;
            self.records.commit(edit)?;
            role.permit(record.permissions.effective());
            *stored = Stored { version, value: record };
            return Ok(());
        }
        let record = RoleRecord {
            id: RoleId::random()?,
            name: name.as_str().to_owned(),
            certificate_id: unused_role_id(&scope)?,
            permissions: Permissions::default(),
            tls: ClientTls::default(),
            created: self.clock.now(),
        };
        let record = changed(record, change, mount)?;
        self.expect_authority(&mut edit, mount, &record)?;
        let blind = self.records.blind("role", name.as_str());
        let parts: [&[u8]; 3] = [scope.mount.as_bytes(), scope.record_id.as_bytes(), &blind];
        let at = key(Kind::Role, &parts);
        edit.expect(scope.key.clone(), lock(&scope.stored).version);
        edit.create(at.clone(), &record)?;
        self.records.commit(edit)?;
        let stored = Stored { version: FIRST_VERSION, value: record };
        let role = Arc::new(Role::new(scope.clone(), name.clone(), at, stored));
        lock(&scope.roles).insert(name.clone(), role);
        Ok(())
    }

    /// Demands that the role's authority is still there when the role is written.
    fn expect_authority(
        &self,
        edit: &mut Edit,
        mount: &Mount,
        record: &RoleRecord,
    ) -> Result<(), AccessError> {
        let name = record.tls.ca.as_str();
        if name.is_empty() {
            return Ok(());
        }
        let authority = mount.authority(name).ok_or_else(|| {
            AccessError::BadInput(format!("there is no certificate authority {name:?}"))
        })?;
        if authority.issuer().is_none() {
            return Err(AccessError::BadInput(format!(
                "the certificate authority {name:?} is imported: it cannot issue certificates"
            )));
        }
        edit.expect(mount.authority_key(&self.records, name), authority.version());
        Ok(())
    }

    /// Carries out the deletion of a named authority unless a role uses it.
    ///
    /// # Errors
    /// [`AccessError::Refused`] naming a role that does, and what the deletion says.
    pub fn guard_authority<E: From<AccessError> + From<MountError>>(
        &self,
        mount: MountId,
        name: &str,
        delete: &dyn Fn() -> Result<(), MountError>,
    ) -> Result<(), E> {
        let _writer = self.writer();
        if let Some((scope, role)) = self.role_using(mount, name) {
            return Err(AccessError::Refused(format!(
                "the certificate authority {name:?} is in use by the role {:?} of scope {:?}",
                role.as_str(),
                scope.as_str()
            ))
            .into());
        }
        Ok(delete()?)
    }

    fn role_using(&self, mount: MountId, authority: &str) -> Option<(Name, Name)> {
        let index = self.read();
        index.scopes.get(&mount)?.values().find_map(|scope| {
            let roles = lock(&scope.roles);
            let mut roles = roles.values();
            let user = roles.find(|role| lock(&role.stored).value.tls.ca == authority)?;
            Some((scope.name.clone(), user.name.clone()))
        })
    }

    /// What a role is, if it exists.
    pub fn read_role(&self, mount: MountId, scope: &str, role: &str) -> Option<RoleView> {
        let role = self.read().scope(mount, scope)?.role(role)?;
        let stored = lock(&role.stored);
        let RoleRecord { permissions, tls, .. } = &stored.value;
        Some(RoleView {
            granted: permissions.granted(),
            withheld: permissions.withheld(),
            tls_client_key_type: tls.key_type.clone(),
            tls_client_key_bits: tls.key_bits,
            tls_client_ttl: tls.ttl_seconds,
            ca: tls.ca.clone(),
        })
    }

    /// Names of the scope's roles, sorted; none when there is no such scope.
    pub fn list_roles(&self, mount: MountId, scope: &str) -> Vec<Name> {
        let scope = self.read().scope(mount, scope);
        scope.map_or_else(Vec::new, |scope| lock(&scope.roles).keys().cloned().collect())
    }

    /// Deletes a role and its credentials; objects stay, they belong to the scope. Deleting what is
    /// not there is no error.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn delete_role(&self, mount: MountId, scope: &str, role: &str) -> Result<(), AccessError> {
        let _writer = self.writer();
        let found = self.read().scope(mount, scope).and_then(|scope| scope.role(role));
        match found {
            Some(role) => self.delete_role_record(&role, Gone::RoleDeleted, true),
            None => Ok(()),
        }
    }

    /// `remember` says whether the serials are to stand in the revocation lists.
    pub(super) fn delete_role_record(
        &self,
        role: &Arc<Role>,
        why: Gone,
        remember: bool,
    ) -> Result<(), AccessError> {
        // Credentials leave memory first: from here on none of them opens anything, whatever
        // happens to storage meanwhile.
        self.write().withdraw_role(role, why);
        let mount = role.scope.mount;
        let keys = self.records.keys(&self.credential_prefix(role))?;
        for chunk in keys.chunks(DELETE_ROWS) {
            let mut edit = Edit::default();
            for key in chunk {
                if remember {
                    self.remember_revoked(&mut edit, mount, key, why == Gone::RoleDeleted)?;
                }
                edit.delete(key.clone());
            }
            self.records.commit(edit)?;
        }
        if remember && !keys.is_empty() {
            self.lists.forget(mount);
        }
        let mut edit = Edit::default();
        edit.delete(role.key.clone());
        self.records.commit(edit)?;
        lock(&role.scope.roles).remove(&role.name);
        Ok(())
    }
}

fn changed(
    mut record: RoleRecord,
    change: RoleChange,
    mount: &Mount,
) -> Result<RoleRecord, AccessError> {
    record.permissions = record.permissions.apply(&change.permissions)?;
    let tls = &mut record.tls;
    match change.key_type {
        Change::Keep => {}
        Change::Reset => tls.key_type.clear(),
        Change::To(key_type) => tls.key_type = key_type.name().to_owned(),
    }
    tls.key_bits = change.key_bits.apply(tls.key_bits, 0);
    tls.ttl_seconds = change.ttl_seconds.apply(tls.ttl_seconds, 0);
    tls.ca = change.ca.apply(std::mem::take(&mut tls.ca), String::new());
    if tls.ttl_seconds < 0 {
        return Err(AccessError::BadInput("tls_client_ttl must not be negative".to_owned()));
    }
    tls.key_spec(&mount.config())?;
    Ok(record)
}

fn unused_role_id(scope: &Scope) -> Result<String, AccessError> {
    let roles = lock(&scope.roles);
    loop {
        let id = base62(CERTIFICATE_ID_CHARS)?;
        if !roles.values().any(|role| lock(&role.stored).value.certificate_id == id) {
            return Ok(id);
        }
    }
}
