//! Moving a mount to another path, and what is set about it: everything in it stays, since all of it
//! is stored under the mount's identifier.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mounted::Mount;
use super::table::Mounts;
use super::{MountError, MountPath};
use crate::record::{Change, Edit, FIRST_VERSION, RequestId, Stored};

/// Moves remembered for who asks; older ones are forgotten.
const MIGRATIONS_MAX: usize = 100;

/// Most field names in one list of what the audit holds in clear, and their longest.
const KEYS_MAX: usize = 100;
const KEY_BYTES_MAX: usize = 128;

/// What is set about a mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuning {
    /// In seconds; 0 for the system's.
    pub default_lease_ttl: i64,
    /// In seconds; 0 for the system's.
    pub max_lease_ttl: i64,
    /// Fields of requests that the audit holds in clear.
    pub audit_non_hmac_request_keys: Vec<String>,
    /// Fields of responses that the audit holds in clear.
    pub audit_non_hmac_response_keys: Vec<String>,
}

/// What a write says about a mount: fields left out stay as they are.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see the fields of Tuning")]
pub struct TuneChange {
    pub description: Change<String>,
    pub default_lease_ttl: Change<i64>,
    pub max_lease_ttl: Change<i64>,
    pub audit_non_hmac_request_keys: Change<Vec<String>>,
    pub audit_non_hmac_response_keys: Change<Vec<String>>,
}

impl Tuning {
    /// What is set after a write.
    ///
    /// # Errors
    /// [`MountError::BadInput`] for what cannot be.
    pub fn apply(self, change: TuneChange) -> Result<Self, MountError> {
        let bad = |text: &str| Err(MountError::BadInput(text.to_owned()));
        let after = Self {
            default_lease_ttl: change.default_lease_ttl.apply(self.default_lease_ttl, 0),
            max_lease_ttl: change.max_lease_ttl.apply(self.max_lease_ttl, 0),
            audit_non_hmac_request_keys: change
                .audit_non_hmac_request_keys
                .apply(self.audit_non_hmac_request_keys, Vec::new()),
            audit_non_hmac_response_keys: change
                .audit_non_hmac_response_keys
                .apply(self.audit_non_hmac_response_keys, Vec::new()),
        };
        if after.default_lease_ttl < 0 || after.max_lease_ttl < 0 {
            return bad("a lease's length must not be negative");
        }
        if after.max_lease_ttl != 0 && after.default_lease_ttl > after.max_lease_ttl {
            return bad("default_lease_ttl is above max_lease_ttl");
        }
        for keys in [&after.audit_non_hmac_request_keys, &after.audit_non_hmac_response_keys] {
            if keys.len() > KEYS_MAX || keys.iter().any(|key| key.len() > KEY_BYTES_MAX) {
                return bad("a list of audit keys is too long");
            }
        }
        Ok(after)
    }
}

/// A move that was carried out.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Names it.
    pub id: RequestId,
    /// Where the mount was.
    pub from: MountPath,
    /// Where it is.
    pub to: MountPath,
}

impl Mounts {
    /// Moves a mount. Its listeners go on.
    ///
    /// # Errors
    /// [`MountError::Missing`] when there is none, [`MountError::InUse`] when another one is in the
    /// way.
    pub fn remount(&self, from: &MountPath, to: &MountPath) -> Result<Migration, MountError> {
        let _writer = self.writer();
        let mount = self.existing(from)?;
        let id = mount.id();
        let others = self.list().into_iter().filter(|it| it.id() != id || from == to);
        if let Some(taken) = others.map(|it| it.path().clone()).find(|it| it.overlaps(to)) {
            return Err(MountError::InUse(taken));
        }
        let mut record = mount.record.value.clone();
        record.path = to.as_str().to_owned();
        let mut edit = Edit::default();
        edit.expect(self.mount_key(from), mount.record.version);
        edit.delete(self.mount_key(from));
        edit.create(self.mount_key(to), &record)?;
        self.records.commit(edit)?;
        let mut after = Mount::clone(&mount);
        after.path = to.clone();
        after.record = Arc::new(Stored { version: FIRST_VERSION, value: record });
        let mut table = self.write();
        table.remove(from);
        table.insert(to.clone(), Arc::new(after));
        drop(table);
        let migration = Migration { id: RequestId::random()?, from: from.clone(), to: to.clone() };
        let mut migrations = self.migrations();
        if migrations.len() >= MIGRATIONS_MAX {
            migrations.pop_front();
        }
        migrations.push_back(migration.clone());
        Ok(migration)
    }

    /// A move of this process.
    pub fn migration(&self, id: &str) -> Option<Migration> {
        let migrations = self.migrations();
        let found = VecDeque::iter(&migrations).find(|migration| migration.id.to_string() == id);
        found.cloned()
    }

    /// Changes what is set about a mount.
    ///
    /// # Errors
    /// [`MountError::Missing`] when there is none, [`MountError::BadInput`] for what cannot be.
    pub fn tune(&self, path: &MountPath, change: TuneChange) -> Result<(), MountError> {
        let _writer = self.writer();
        let mount = self.existing(path)?;
        let mut record = mount.record.value.clone();
        record.description = change.description.clone().apply(record.description, String::new());
        record.tuning = record.tuning.apply(change)?;
        let mut edit = Edit::default();
        let version = edit.update(self.mount_key(path), mount.record.version, &record)?;
        self.records.commit(edit)?;
        let mut after = Mount::clone(&mount);
        after.record = Arc::new(Stored { version, value: record });
        self.put(after);
        Ok(())
    }
}
