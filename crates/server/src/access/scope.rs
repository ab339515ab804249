//! Scopes: create, list, delete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::index::{Gone, Role, Scope, lock};
use super::{Access, AccessError, Name};
use crate::record::{Change, Edit, FIRST_VERSION, Kind, MountId, ScopeId, Stored, base62, key};

/// Length of the identifiers that stand in certificates.
pub(super) const CERTIFICATE_ID_CHARS: usize = 5;

/// How long a deletion waits for requests running in the scope.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// What is stored of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ScopeRecord {
    pub(super) id: ScopeId,
    pub(super) name: String,
    /// OU of the scope's certificates.
    pub(super) certificate_id: String,
    /// A deletion takes the scope's objects along even when it does not say so.
    pub(super) force: bool,
    /// Whether its requests and answers are written to the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) kmip_trace: bool,
    /// Whether two of its objects may not have a Name in common.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unique_names: bool,
    /// Seconds since 1970.
    pub(super) created: i64,
}

/// What a write says about a scope: fields left out stay as they are.
#[derive(Debug, Clone, Default)]
pub struct ScopeChange {
    /// Whether a deletion takes the scope's objects along even when it does not say so.
    pub force: Change<bool>,
    /// Whether the scope's requests and answers are written to the log, decoded and redacted.
    pub kmip_trace: Change<bool>,
    /// Whether no object may get a Name that another of the scope has.
    pub unique_names: Change<bool>,
}

impl From<Change<bool>> for ScopeChange {
    fn from(force: Change<bool>) -> Self {
        Self { force, kmip_trace: Change::Keep, unique_names: Change::Keep }
    }
}

impl Access {
    /// Creates a scope, or, if there is one of this name, changes what is set of it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn create_scope(
        &self,
        mount: MountId,
        name: &Name,
        change: impl Into<ScopeChange>,
    ) -> Result<(), AccessError> {
        let ScopeChange { force, kmip_trace, unique_names } = change.into();
        let _writer = self.writer();
        let existing = self.read().scope(mount, name.as_str());
        let mut edit = Edit::default();
        if let Some(scope) = existing {
            let mut stored = lock(&scope.stored);
            let mut record = stored.value.clone();
            record.force = force.apply(record.force, false);
            record.kmip_trace = kmip_trace.apply(record.kmip_trace, false);
            record.unique_names = unique_names.apply(record.unique_names, false);
            if record != stored.value {
                let version = edit.update(scope.key.clone(), stored.version, &record)?;
                self.records.commit(edit)?;
                scope.set(&record);
                *stored = Stored { version, value: record };
            }
            return Ok(());
        }
        let record = ScopeRecord {
            id: ScopeId::random()?,
            name: name.as_str().to_owned(),
            certificate_id: self.unused_scope_id(mount)?,
            force: force.apply(false, false),
            kmip_trace: kmip_trace.apply(false, false),
            unique_names: unique_names.apply(false, false),
            created: self.clock.now(),
        };
        let at = self.scope_key(mount, name);
        edit.create(at.clone(), &record)?;
        self.records.commit(edit)?;
        let stored = Stored { version: FIRST_VERSION, value: record };
        let scope = Arc::new(Scope::new(mount, name.clone(), at, stored));
        let mut index = self.write();
        let scopes = index.scopes.entry(mount).or_default();
        scopes.insert(name.clone(), scope);
        Ok(())
    }

    /// Names of the mount's scopes, sorted.
    pub fn list_scopes(&self, mount: MountId) -> Vec<Name> {
        let index = self.read();
        let scopes = index.scopes.get(&mount);
        scopes.map_or_else(Vec::new, |scopes| scopes.keys().cloned().collect())
    }

    /// The scope's identifier, as it stands in the keys of its objects.
    pub fn scope_id(&self, mount: MountId, name: &str) -> Option<ScopeId> {
        self.read().scope(mount, name).map(|scope| scope.record_id)
    }

    /// Deletes a scope with its roles and credentials; with `force` (given now, or when the scope
    /// was created) its objects too. Deleting what is not there is no error.
    ///
    /// # Errors
    /// [`AccessError::Refused`] while it holds objects and nothing says force, or while requests
    /// keep running in it.
    pub fn delete_scope(&self, mount: MountId, name: &str, force: bool) -> Result<(), AccessError> {
        self.delete_scope_and(mount, name, force, true)
    }

    fn delete_scope_and(
        &self,
        mount: MountId,
        name: &str,
        force: bool,
        remember: bool,
    ) -> Result<(), AccessError> {
        let _writer = self.writer();
        let Some(scope) = self.read().scope(mount, name) else {
            return Ok(());
        };
        let force = force || lock(&scope.stored).value.force;
        scope.close();
        let deleted = drain(&scope).and_then(|()| self.delete_closed(&scope, force, remember));
        if deleted.is_err() {
            scope.reopen();
        }
        deleted
    }

    /// Deletes every scope of a mount, objects included: what unmounting does.
    ///
    /// # Errors
    /// The first that cannot be deleted; those before it are gone.
    pub fn delete_all_scopes(&self, mount: MountId) -> Result<(), AccessError> {
        for name in self.list_scopes(mount) {
            // With the mount its revocation lists end.
            self.delete_scope_and(mount, name.as_str(), true, false)?;
        }
        self.write().scopes.remove(&mount);
        Ok(())
    }

    fn delete_closed(
        &self,
        scope: &Arc<Scope>,
        force: bool,
        remember: bool,
    ) -> Result<(), AccessError> {
        let (mount, id) = (scope.mount, scope.record_id);
        if !force && self.objects.any(mount, id).map_err(AccessError::Objects)? {
            return Err(AccessError::Refused(format!(
                "scope {:?} contains managed objects: use force=true to delete them with it",
                scope.name.as_str()
            )));
        }
        // Without force only tombstones of destroyed objects are left by now.
        self.objects.delete_all(mount, id).map_err(AccessError::Objects)?;
        let roles: Vec<Arc<Role>> = lock(&scope.roles).values().cloned().collect();
        for role in &roles {
            self.delete_role_record(role, Gone::ScopeDeleted, remember)?;
        }
        let mut edit = Edit::default();
        edit.delete(scope.key.clone());
        self.records.commit(edit)?;
        if let Some(scopes) = self.write().scopes.get_mut(&scope.mount) {
            scopes.remove(&scope.name);
        }
        Ok(())
    }

    fn scope_key(&self, mount: MountId, name: &Name) -> Vec<u8> {
        let blind = self.records.blind("scope", name.as_str());
        key(Kind::Scope, &[mount.as_bytes(), &blind])
    }

    fn unused_scope_id(&self, mount: MountId) -> Result<String, AccessError> {
        let index = self.read();
        loop {
            let id = base62(CERTIFICATE_ID_CHARS)?;
            let scopes = index.scopes.get(&mount).into_iter().flatten();
            let mut taken = scopes.map(|(_, scope)| lock(&scope.stored).value.certificate_id == id);
            if !taken.any(|taken| taken) {
                return Ok(id);
            }
        }
    }
}

/// Waits until no request runs in a closing scope.
fn drain(scope: &Scope) -> Result<(), AccessError> {
    let deadline = Instant::now() + DRAIN_MAX;
    while scope.running() > 0 {
        if Instant::now() > deadline {
            return Err(AccessError::Refused(format!(
                "requests are still running in scope {:?}: try again",
                scope.name.as_str()
            )));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
