//! The table of mounts: mount, unmount, find, configure.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::mounted::{Mount, Named};
use super::revoked::forget_revoked;
use super::stored::{self, MountRecord};
use super::{
    Config, ConfigChange, DEFAULT_LISTENER, Engine, Listeners, Migration, MountError, MountPath,
    Tuning, stored_named,
};
use crate::clock::Clock;
use crate::record::{Edit, FIRST_VERSION, Kind, MountId, Records, Stored, base62, key};

/// What a configuration write did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// Every mount.
///
/// Administrative calls block on storage: call them where blocking is allowed.
pub struct Mounts {
    pub(super) records: Records,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listeners: Arc<dyn Listeners>,
    table: RwLock<BTreeMap<MountPath, Arc<Mount>>>,
    migrations: Mutex<VecDeque<Migration>>,
    writer: Mutex<()>,
}

impl Mounts {
    /// Reads every mount. Listeners stay closed until [`Self::start_listeners`].
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn open(
        records: Records,
        clock: Arc<dyn Clock>,
        listeners: Arc<dyn Listeners>,
    ) -> Result<Self, MountError> {
        let mut table = BTreeMap::new();
        for (_, record) in records.scan::<MountRecord>(&key(Kind::Mount, &[]))? {
            let path = MountPath::parse(&record.value.path)?;
            let id = record.value.id;
            let engine = stored::read_engine(&records, id)?.map(Arc::new);
            let authorities = stored_named::read_authorities(&records, id)?;
            let named = Arc::new(Named { authorities, listeners: BTreeMap::new() });
            let mut mount = Mount { path: path.clone(), record: Arc::new(record), engine, named };
            mount.named_mut().listeners =
                stored_named::read_listeners(&records, &mount, clock.now())?;
            table.insert(path, Arc::new(mount));
        }
        Ok(Self {
            records,
            clock,
            listeners,
            table: RwLock::new(table),
            migrations: Mutex::default(),
            writer: Mutex::new(()),
        })
    }

    /// Opens the listeners of every mount, the named ones too. One that cannot open hinders no
    /// other.
    pub fn start_listeners(&self) -> Vec<(MountPath, String)> {
        let mut failed = Vec::new();
        for mount in self.list() {
            let named = mount.listeners().map(|listener| &listener.plan);
            for plan in mount.engine().map(Engine::plan).into_iter().chain(named) {
                if let Err(reason) = self.listeners.apply(mount.id(), plan) {
                    failed.push((mount.path().clone(), reason));
                }
            }
        }
        failed
    }

    /// Closes the listeners of every mount, as sealing does.
    pub fn stop_listeners(&self) {
        for mount in self.list() {
            self.listeners.close(mount.id());
        }
    }

    /// Every mount, by path.
    pub fn list(&self) -> Vec<Arc<Mount>> {
        self.read().values().cloned().collect()
    }

    /// The mount at exactly this path.
    pub fn at(&self, path: &MountPath) -> Option<Arc<Mount>> {
        self.read().get(path).cloned()
    }

    /// Where a mount is.
    pub fn path_of(&self, id: MountId) -> Option<MountPath> {
        let table = self.read();
        let mut mounts = table.values();
        mounts.find(|mount| mount.id() == id).map(|mount| mount.path.clone())
    }

    /// The mount that a request path lies below.
    pub fn of_request(&self, path: &str) -> Option<Arc<Mount>> {
        // No mount lies below another, so there is one at most.
        let table = self.read();
        let mut mounts = table.values();
        mounts.find(|mount| mount.path.strip(path).is_some()).cloned()
    }

    /// Mounts a KMIP engine. It listens once it is configured.
    ///
    /// # Errors
    /// [`MountError::InUse`] when the path, one above or one below is taken.
    pub fn create(&self, path: &MountPath, description: &str) -> Result<Arc<Mount>, MountError> {
        self.create_tuned(path, description, Tuning::default())
    }

    /// As [`Self::create`], with what is to be set about it.
    ///
    /// # Errors
    /// As there.
    pub fn create_tuned(
        &self,
        path: &MountPath,
        description: &str,
        tuning: Tuning,
    ) -> Result<Arc<Mount>, MountError> {
        let _writer = self.writer();
        let taken = self.read().keys().find(|taken| taken.overlaps(path)).cloned();
        if let Some(taken) = taken {
            return Err(MountError::InUse(taken));
        }
        let record = MountRecord {
            id: MountId::random()?,
            path: path.as_str().to_owned(),
            accessor: format!("kmip_{}", base62(8)?.to_lowercase()),
            description: description.to_owned(),
            created: self.clock.now(),
            tuning,
        };
        let mut edit = Edit::default();
        edit.create(self.mount_key(path), &record)?;
        self.records.commit(edit)?;
        let mount = Arc::new(Mount {
            path: path.clone(),
            record: Arc::new(Stored { version: FIRST_VERSION, value: record }),
            engine: None,
            named: Arc::default(),
        });
        self.write().insert(path.clone(), mount.clone());
        Ok(mount)
    }

    /// Unmounts: closes its listeners, lets `empty` delete what belongs to it, then forgets it.
    /// Unmounting what is not there is no error.
    ///
    /// # Errors
    /// When `empty` fails or it cannot be stored; the mount is still there then, its listeners open
    /// again, and it may be unmounted once more.
    pub fn remove<E: From<MountError>>(
        &self,
        path: &MountPath,
        empty: impl FnOnce(&Mount) -> Result<(), E>,
    ) -> Result<(), E> {
        let _writer = self.writer();
        let Some(mount) = self.at(path) else {
            return Ok(());
        };
        self.listeners.close(mount.id());
        let removed = empty(&mount).and_then(|()| Ok(self.forget(&mount)?));
        match &removed {
            Ok(()) => {
                self.write().remove(path);
            }
            Err(_) => self.restore(&mount),
        }
        removed
    }

    /// Writes an engine's configuration: makes authorities at the first write, then the listener,
    /// and stores all of it only when the listener stands.
    ///
    /// `keep_retired` says whether, when the authority's kind of key changes, certificates of the
    /// authority so far still connect: so they must while there are any.
    ///
    /// # Errors
    /// [`MountError::Listen`] when the listener cannot be so; everything is as before then.
    pub fn configure(
        &self,
        path: &MountPath,
        change: ConfigChange,
        keep_retired: bool,
    ) -> Result<Configured, MountError> {
        let _writer = self.writer();
        let mount = self.existing(path)?;
        let now = self.clock.now();
        let before = mount.engine();
        let mut engine = match before {
            None => Engine::first(Config::default().apply(change)?, now)?,
            Some(before) => {
                before.next(before.config().clone().apply(change)?, keep_retired, now)?
            }
        };
        let listens_otherwise = before.is_none_or(|before| engine.listens_otherwise(before));
        match before {
            Some(before) if !listens_otherwise => engine = engine.with_plan_of(before),
            _ => {
                let applied = self.listeners.apply(mount.id(), engine.plan());
                applied.map_err(MountError::Listen)?;
            }
        }
        let mut edit = Edit::default();
        let stored = stored::write_engine(&mut edit, mount.id(), &engine, before)
            .and_then(|version| self.records.commit(edit).map(|()| version));
        match stored {
            Ok(version) => engine.version = version,
            Err(error) => {
                if listens_otherwise {
                    self.restore(&mount);
                }
                return Err(error.into());
            }
        }
        let mut done = Configured::default();
        let replaced = before.is_some_and(|before| before.authority().0 != engine.authority().0);
        if replaced && keep_retired {
            done.warnings.push(
                "new certificate authorities were made; client certificates issued so far still \
                 connect, but clients must trust the new ca_pem"
                    .to_owned(),
            );
        }
        if before.is_none() && engine.config().listen_addrs.is_empty() {
            done.warnings.push(
                "listen_addrs names no address: KMIP is served by named listeners alone".to_owned(),
            );
        }
        let trust_is_other =
            before.is_none_or(|before| !engine.clients().is_same(before.clients()));
        let mut after = Mount::clone(&mount);
        after.engine = Some(Arc::new(engine));
        self.put(after.clone());
        if trust_is_other {
            self.put(self.replan_listeners(&after)?);
        }
        Ok(done)
    }

    /// Keeps a mount from being removed, for as long as what is returned is held, by whoever adds to what
    /// a removal deletes.
    ///
    /// # Errors
    /// [`MountError::Missing`] when it has been removed.
    pub fn hold(&self, mount: &Mount) -> Result<MutexGuard<'_, ()>, MountError> {
        let held = self.writer();
        match self.path_of(mount.id()) {
            Some(_) => Ok(held),
            None => Err(MountError::Missing(mount.path.clone())),
        }
    }

    /// Serialises administrative calls.
    pub(super) fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn migrations(&self) -> MutexGuard<'_, VecDeque<Migration>> {
        self.migrations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mount, which a caller expects to exist.
    pub(super) fn existing(&self, path: &MountPath) -> Result<Arc<Mount>, MountError> {
        self.at(path).ok_or_else(|| MountError::Missing(path.clone()))
    }

    /// Puts a mount in place of what was at its path.
    pub(super) fn put(&self, mount: Mount) {
        self.write().insert(mount.path.clone(), Arc::new(mount));
    }

    /// Puts a mount's listeners back to what is stored, as far as that goes.
    pub(super) fn restore(&self, mount: &Mount) {
        for listener in mount.listeners() {
            self.reapply(mount, listener);
        }
        let Some(engine) = mount.engine() else {
            self.listeners.close_one(mount.id(), DEFAULT_LISTENER);
            return;
        };
        if let Err(reason) = self.listeners.apply(mount.id(), engine.plan()) {
            tracing::error!(mount = %mount.path, %reason, "the KMIP listener could not be restored");
        }
    }

    fn forget(&self, mount: &Mount) -> Result<(), MountError> {
        forget_revoked(&self.records, mount.id(), None)?;
        let mut edit = Edit::default();
        edit.delete(self.mount_key(&mount.path));
        edit.delete(stored::engine_key(mount.id()));
        for key in stored::authority_keys(&self.records, mount.id())? {
            edit.delete(key);
        }
        for key in stored_named::named_keys(&self.records, mount.id())? {
            edit.delete(key);
        }
        Ok(self.records.commit(edit)?)
    }

    pub(super) fn mount_key(&self, path: &MountPath) -> Vec<u8> {
        key(Kind::Mount, &[&self.records.blind("mount", path.as_str())])
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<MountPath, Arc<Mount>>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<MountPath, Arc<Mount>>> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounts").field("table", &self.table).finish_non_exhaustive()
    }
}
