//! The registry as a whole: what it holds, and how it is rebuilt from storage at start.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::credential::CredentialEnd;
use super::index::{Holder, Index, Role, Scope, lock};
use super::revoked::RevocationLists;
use super::role::RoleRecord;
use super::scope::ScopeRecord;
use super::{AccessError, Name, Objects};
use crate::clock::Clock;
use crate::pki::Serial;
use crate::record::{Kind, MountId, RecordError, Records, RoleId, ScopeId, key};

/// The registry of scopes, roles and credentials of every mount.
///
/// Administrative calls block on storage: call them where blocking is allowed.
pub struct Access {
    pub(super) records: Records,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) objects: Arc<dyn Objects>,
    pub(super) index: RwLock<Index>,
    pub(super) lists: RevocationLists,
    writer: Mutex<()>,
}

impl Access {
    /// Reads every record and builds the index.
    ///
    /// # Errors
    /// When a record cannot be read, or belongs to nothing.
    pub fn open(
        records: Records,
        clock: Arc<dyn Clock>,
        objects: Arc<dyn Objects>,
    ) -> Result<Self, AccessError> {
        let index = load(&records)?;
        Ok(Self {
            records,
            clock,
            objects,
            index: RwLock::new(index),
            lists: RevocationLists::default(),
            writer: Mutex::new(()),
        })
    }

    /// Whether any credential of the mount is alive.
    pub fn has_credentials(&self, mount: MountId) -> bool {
        let now = self.clock.now();
        let index = self.read();
        let mut holders = index.holders.iter();
        holders.any(|((of, _), holder)| *of == mount && holder.not_after > now)
    }

    /// Serialises administrative calls.
    pub(super) fn writer(&self) -> MutexGuard<'_, ()> {
        lock(&self.writer)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scope, which a caller expects to exist.
    pub(super) fn existing_scope(
        &self,
        mount: MountId,
        scope: &str,
    ) -> Result<Arc<Scope>, AccessError> {
        self.read().scope(mount, scope).ok_or_else(|| {
            AccessError::Missing(format!("scope {scope:?} does not exist: create it first"))
        })
    }

    /// The role, which a caller expects to exist.
    pub(super) fn existing_role(
        &self,
        mount: MountId,
        scope: &str,
        role: &str,
    ) -> Result<Arc<Role>, AccessError> {
        self.existing_scope(mount, scope)?.role(role).ok_or_else(|| {
            AccessError::Missing(format!(
                "role {role:?} does not exist in scope {scope:?}: create it first"
            ))
        })
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.read();
        f.debug_struct("Access")
            .field("mounts", &index.scopes.len())
            .field("credentials", &index.holders.len())
            .finish_non_exhaustive()
    }
}

fn load(records: &Records) -> Result<Index, AccessError> {
    let mut index = Index::default();
    let mut scopes: HashMap<(MountId, ScopeId), Arc<Scope>> = HashMap::new();
    let mut roles: HashMap<RoleId, Arc<Role>> = HashMap::new();
    records.each::<ScopeRecord, AccessError>(&key(Kind::Scope, &[]), |at, stored| {
        let mount = MountId::from(part(&at, 1)?);
        let name = Name::parse(&stored.value.name)?;
        let id = stored.value.id;
        let scope = Arc::new(Scope::new(mount, name.clone(), at, stored));
        scopes.insert((mount, id), scope.clone());
        index.scopes.entry(mount).or_default().insert(name, scope);
        Ok(())
    })?;
    records.each::<RoleRecord, AccessError>(&key(Kind::Role, &[]), |at, stored| {
        let (mount, id) = (MountId::from(part(&at, 1)?), ScopeId::from(part(&at, 17)?));
        let scope = scopes.get(&(mount, id)).ok_or_else(|| orphan("role"))?;
        let name = Name::parse(&stored.value.name)?;
        let role_id = stored.value.id;
        let role = Arc::new(Role::new(scope.clone(), name.clone(), at, stored));
        roles.insert(role_id, role.clone());
        lock(&scope.roles).insert(name, role);
        Ok(())
    })?;
    records.each::<CredentialEnd, AccessError>(&key(Kind::Credential, &[]), |at, stored| {
        let role_id = RoleId::from(part(&at, 33)?);
        let role = roles.get(&role_id).ok_or_else(|| orphan("credential"))?;
        let serial = Serial::from(part(&at, 49)?);
        index.admit(serial, Holder { role: role.clone(), not_after: stored.value.not_after });
        Ok(())
    })?;
    Ok(index)
}

/// `N` bytes of a key.
fn part<const N: usize>(at: &[u8], start: usize) -> Result<[u8; N], RecordError> {
    at.get(start..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or_else(|| RecordError::Corrupt("a key is too short".to_owned()))
}

fn orphan(what: &str) -> RecordError {
    RecordError::Corrupt(format!("a {what} belongs to nothing"))
}
