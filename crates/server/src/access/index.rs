//! Scopes and roles as they stand in memory, shared between the index and the requests using them.
//!
//! What a running request must see at once (a role's permissions, that its scope is closing) is
//! atomic here; everything else changes under the registry's writer lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_kmip::enums::Operation;

use super::name::Name;
use super::operations::{OperationSet, position};
use super::role::RoleRecord;
use super::scope::ScopeRecord;
use crate::pki::Serial;
use crate::record::{MountId, Stored};

/// A scope in memory.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) mount: MountId,
    pub(super) name: Name,
    pub(super) key: Vec<u8>,
    pub(super) stored: Mutex<Stored<ScopeRecord>>,
    pub(super) record_id: crate::record::ScopeId,
    pub(super) roles: Mutex<BTreeMap<Name, Arc<Role>>>,
    /// Set while the scope is being deleted: no request starts in it.
    closing: AtomicBool,
    /// Requests running in it now.
    running: AtomicUsize,
    /// Whether its requests are written to the log.
    traced: AtomicBool,
    /// Whether two of its objects may not have a Name in common.
    unique_names: AtomicBool,
}

/// A role in memory.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) scope: Arc<Scope>,
    pub(super) name: Name,
    pub(super) key: Vec<u8>,
    pub(super) stored: Mutex<Stored<RoleRecord>>,
    /// Its credentials, as the index has them: those of one role are found without the others.
    serials: Mutex<BTreeSet<Serial>>,
    effective: [AtomicU64; 2],
}

impl Scope {
    /// Goes by that record from now on.
    pub(super) fn set(&self, record: &ScopeRecord) {
        self.traced.store(record.kmip_trace, Ordering::Relaxed);
        self.unique_names.store(record.unique_names, Ordering::Relaxed);
    }

    pub(super) fn is_traced(&self) -> bool {
        self.traced.load(Ordering::Relaxed)
    }

    pub(super) fn has_unique_names(&self) -> bool {
        self.unique_names.load(Ordering::Relaxed)
    }

    pub(super) fn new(
        mount: MountId,
        name: Name,
        key: Vec<u8>,
        stored: Stored<ScopeRecord>,
    ) -> Self {
        Self {
            mount,
            name,
            key,
            record_id: stored.value.id,
            traced: AtomicBool::new(stored.value.kmip_trace),
            unique_names: AtomicBool::new(stored.value.unique_names),
            stored: Mutex::new(stored),
            roles: Mutex::new(BTreeMap::new()),
            closing: AtomicBool::new(false),
            running: AtomicUsize::new(0),
        }
    }

    /// Counts a request in, unless the scope is closing. Sequentially consistent on both sides, so
    /// that [`Self::close`] and this cannot miss each other.
    pub(super) fn enter(&self) -> bool {
        self.running.fetch_add(1, Ordering::SeqCst);
        if self.closing.load(Ordering::SeqCst) {
            self.leave();
            return false;
        }
        true
    }

    /// Counts another one in on behalf of a request that is inside already.
    pub(super) fn keep_running(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a request out.
    pub(super) fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    /// Lets no further request in.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Lets requests in again.
    pub(super) fn reopen(&self) {
        self.closing.store(false, Ordering::SeqCst);
    }

    /// Requests still running.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    pub(super) fn role(&self, name: &str) -> Option<Arc<Role>> {
        lock(&self.roles).get(name).cloned()
    }
}

impl Role {
    pub(super) fn new(
        scope: Arc<Scope>,
        name: Name,
        key: Vec<u8>,
        stored: Stored<RoleRecord>,
    ) -> Self {
        let [low, high] = stored.value.permissions.effective().halves();
        Self {
            scope,
            name,
            key,
            stored: Mutex::new(stored),
            serials: Mutex::default(),
            effective: [AtomicU64::new(low), AtomicU64::new(high)],
        }
    }

    /// Whether its permissions, as they are at this instant, hold an operation.
    pub(super) fn allows(&self, operation: Operation) -> bool {
        position(operation).is_some_and(|(half, mask)| {
            self.effective.get(half).is_some_and(|bits| bits.load(Ordering::Acquire) & mask != 0)
        })
    }

    /// Replaces its permissions, for running connections too.
    pub(super) fn permit(&self, operations: OperationSet) {
        for (atomic, bits) in self.effective.iter().zip(operations.halves()) {
            atomic.store(bits, Ordering::Release);
        }
    }
}

/// A credential in memory.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) role: Arc<Role>,
    /// Last second of its life, since 1970.
    pub(super) not_after: i64,
}

/// Why a serial is no longer there, for the support log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    Revoked,
    RoleDeleted,
    ScopeDeleted,
}

/// Withdrawn serials remembered for better log lines; forgetting one changes no decision.
const GONE_MAX: usize = 10_000;

/// Everything in memory.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) scopes: HashMap<MountId, BTreeMap<Name, Arc<Scope>>>,
    /// Changed by [`Self::admit`] and [`Self::withdraw`] only.
    pub(super) holders: HashMap<(MountId, Serial), Holder>,
    pub(super) gone: HashMap<(MountId, Serial), Gone>,
}

impl Index {
    pub(super) fn scope(&self, mount: MountId, name: &str) -> Option<Arc<Scope>> {
        self.scopes.get(&mount)?.get(name).cloned()
    }

    /// Puts a credential in.
    pub(super) fn admit(&mut self, serial: Serial, holder: Holder) {
        lock(&holder.role.serials).insert(serial);
        self.holders.insert((holder.role.scope.mount, serial), holder);
    }

    /// The credentials of a role, by serial.
    pub(super) fn of_role(&self, role: &Role) -> Vec<(Serial, &Holder)> {
        let mount = role.scope.mount;
        let serials = lock(&role.serials);
        let found =
            serials.iter().map(|serial| Some((*serial, self.holders.get(&(mount, *serial))?)));
        found.flatten().collect()
    }

    /// Takes a credential out.
    pub(super) fn withdraw(&mut self, mount: MountId, serial: Serial, why: Gone) {
        if let Some(holder) = self.holders.remove(&(mount, serial)) {
            lock(&holder.role.serials).remove(&serial);
            if self.gone.len() >= GONE_MAX {
                self.gone.clear();
            }
            self.gone.insert((mount, serial), why);
        }
    }

    /// Takes out every credential of a role.
    pub(super) fn withdraw_role(&mut self, role: &Role, why: Gone) {
        let serials = std::mem::take(&mut *lock(&role.serials));
        for serial in serials {
            self.withdraw(role.scope.mount, serial, why);
        }
    }
}

/// Locks; a panic elsewhere while holding it leaves nothing half-changed that matters here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
