//! The barrier itself: an engine with everything but the keys of its records encrypted.

use super::fault::{Point, point};
use super::keyring::{Keyring, RootKey};
use super::layout;
use super::{SealConfig, SealError};
use claviger_store::{
    Batch, CommitError, Engine, Expect, Key, Pending, Put, Range, Record, Revision, Watch,
};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use zeroize::Zeroizing;

/// A record's plaintext.
pub struct Opened {
    /// The record's version; see [`Expect::Version`].
    pub version: u64,
    /// Its value; empty for an index row.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Opened {{ version: {}, {} bytes }}", self.version, self.bytes.len())
    }
}

/// A batch before it is sealed.
#[derive(Default)]
pub struct Changes {
    /// What must hold, see [`Expect`].
    pub expect: Vec<(Key, Expect)>,
    /// What is written: key, new version, plaintext.
    pub put: Vec<(Key, u64, Zeroizing<Vec<u8>>)>,
    /// What is removed.
    pub delete: Vec<Key>,
    /// Index rows that are written; they have no value.
    pub marks: Vec<Key>,
}

impl Changes {
    /// Whether nothing would be written.
    pub fn is_read_only(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty() && self.marks.is_empty()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (put, delete, marks) = (self.put.len(), self.delete.len(), self.marks.len());
        write!(formatter, "Changes {{ put: {put}, delete: {delete}, marks: {marks} }}")
    }
}

/// An unsealed store. A sealed one is a plain [`Engine`]: there is nothing to ask it.
pub struct Barrier {
    engine: Arc<dyn Engine>,
    /// Replaced as a whole by a rotation; readers keep the one they began with. `None` once sealed.
    keyring: RwLock<Option<Arc<Keyring>>>,
    /// How many values the active record key has sealed, as far as it was counted.
    sealed: AtomicU64,
    /// One rotation at a time.
    rotation: Mutex<()>,
}

impl fmt::Debug for Barrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Barrier(…)")
    }
}

impl Barrier {
    /// Whether a keyring exists, that is, whether [`Barrier::initialise`] was ever done.
    ///
    /// # Errors
    /// [`SealError::Read`].
    pub fn is_initialised(engine: &dyn Engine) -> Result<bool, SealError> {
        Ok(engine.get(&layout::keyring())?.is_some())
    }

    /// Makes a keyring in an empty store and unseals it. `now` is in microseconds since 1970. Blocks
    /// until the keyring is durable.
    ///
    /// # Errors
    /// [`SealError::Initialised`] if there is a keyring; storage and randomness.
    pub fn initialise(
        engine: Arc<dyn Engine>,
        root: &RootKey,
        now: i64,
    ) -> Result<Self, SealError> {
        let keyring = Keyring::generate(root, now)?;
        match store_keyring(engine.as_ref(), &keyring, None, Batch::default()) {
            Err(SealError::Commit(CommitError::Conflict { .. })) => Err(SealError::Initialised),
            Err(error) => Err(error),
            Ok(()) => Ok(Self::over(engine, keyring)),
        }
    }

    /// Opens the keyring of an initialised store.
    ///
    /// # Errors
    /// [`SealError::NotInitialised`], [`SealError::WrongRootKey`]; storage.
    pub fn unseal(engine: Arc<dyn Engine>, root: &RootKey) -> Result<Self, SealError> {
        let record = engine.get(&layout::keyring())?.ok_or(SealError::NotInitialised)?;
        let keyring = Keyring::from_record(root, record.version, &record.value)?;
        Ok(Self::over(engine, keyring))
    }

    fn over(engine: Arc<dyn Engine>, keyring: Keyring) -> Self {
        let keyring = RwLock::new(Some(Arc::new(keyring)));
        Self { engine, keyring, sealed: AtomicU64::new(0), rotation: Mutex::new(()) }
    }

    /// Forgets the keyring: from now on nothing is read or written here, whoever still holds it.
    pub fn seal(&self) {
        *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// One record.
    ///
    /// # Errors
    /// [`SealError::Damaged`] and its like if it is not what was written; [`SealError::Sealed`];
    /// storage.
    pub fn get(&self, key: &[u8]) -> Result<Option<Opened>, SealError> {
        let keyring = self.keyring()?;
        let Some(record) = self.engine.get(key)? else { return Ok(None) };
        open(&keyring, key, record.version, &record.value).map(Some)
    }

    /// What a record of this store holds, wherever it was read; nothing of the barrier's own records,
    /// which are not sealed with a record key.
    ///
    /// # Errors
    /// As [`Barrier::get`].
    pub fn open(&self, key: &[u8], record: &Record) -> Result<Opened, SealError> {
        if Self::is_own(key) {
            return Ok(Opened { version: record.version, bytes: Zeroizing::default() });
        }
        open(self.keyring()?.as_ref(), key, record.version, &record.value)
    }

    /// A record of this store, to be written elsewhere than through [`Barrier::commit`]; an index row
    /// stays without a value.
    ///
    /// # Errors
    /// [`SealError::Sealed`]; without randomness.
    pub fn seal_record(&self, key: Key, version: u64, plain: &[u8]) -> Result<Put, SealError> {
        let value = match layout::is_mark(&key) {
            true => Vec::new(),
            false => self.keyring()?.seal(&key, version, plain)?,
        };
        Ok(Put { key, version, value })
    }

    /// Whether a record is the barrier's own: the keyring, or the seal's configuration.
    pub fn is_own(key: &[u8]) -> bool {
        key == layout::keyring() || key == layout::seal_config()
    }

    /// The records of a range.
    ///
    /// # Errors
    /// As [`Barrier::get`], for the first record that does not open.
    pub fn scan(&self, range: &Range) -> Result<Vec<(Key, Opened)>, SealError> {
        let keyring = self.keyring()?;
        let rows = self.engine.scan(range)?.into_iter();
        rows.map(|(key, record)| {
            let opened = open(&keyring, &key, record.version, &record.value)?;
            Ok((key, opened))
        })
        .collect()
    }

    /// The keys of a range, for index rows.
    ///
    /// # Errors
    /// [`SealError::Read`].
    pub fn keys(&self, range: &Range) -> Result<Vec<Key>, SealError> {
        Ok(self.engine.scan(range)?.into_iter().map(|(key, _)| key).collect())
    }

    /// Seals and submits. The result resolves once durable.
    pub fn commit(&self, changes: Changes) -> Pending {
        match self.sealed(changes) {
            Ok(batch) => self.engine.commit(batch),
            Err(SealError::Sealed) => Pending::resolved(Err(CommitError::Unavailable)),
            Err(error) => Pending::resolved(Err(CommitError::Failed(error.to_string()))),
        }
    }

    fn sealed(&self, changes: Changes) -> Result<Batch, SealError> {
        let keyring = self.keyring()?;
        self.sealed
            .fetch_add(u64::try_from(changes.put.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let mut put = Vec::with_capacity(changes.put.len().saturating_add(changes.marks.len()));
        for (key, version, plain) in changes.put {
            let value = keyring.seal(&key, version, &plain)?;
            put.push(Put { key, version, value });
        }
        let marks = changes.marks.into_iter();
        put.extend(marks.map(|key| Put { key, version: 1, value: Vec::new() }));
        Ok(Batch { expect: changes.expect, put, delete: changes.delete })
    }

    /// Changes committed after `from`; their keys are in the clear, their values not carried.
    pub fn watch(&self, from: Revision) -> Watch {
        self.engine.watch(from)
    }

    /// The engine below, for what needs no plaintext: snapshots and backups.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// The keyed hash that stands for `value` in an index key. `context` keeps values of different
    /// meaning apart. Stays the same across rotations of root and record keys. Zeros once sealed, when
    /// nothing can be read or written under it.
    pub fn blind(&self, context: &[u8], value: &[u8]) -> [u8; 16] {
        let tag = self.keyring().ok().map(|it| it.keyed_hash(&[b"index", context, value]));
        tag.and_then(|tag| tag.as_ref().first_chunk().copied()).unwrap_or_default()
    }

    /// A key for another purpose than records, such as the audit's hashes; stays the same across
    /// rotations. Ask for it before sealing: afterwards it is zeros.
    pub fn derived_key(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let tag = self.keyring().ok().map(|it| it.keyed_hash(&[b"derive", purpose]));
        let key = tag.and_then(|tag| tag.as_ref().first_chunk().copied());
        Zeroizing::new(key.unwrap_or_default())
    }

    /// The number of the record key that new records are sealed with.
    pub fn active_key(&self) -> u32 {
        self.keyring().map_or(0, |keyring| keyring.active_id())
    }

    /// When the active key was made, in microseconds since 1970; 0 once sealed.
    pub fn active_since(&self) -> i64 {
        self.keyring().map_or(0, |keyring| keyring.active_since())
    }

    /// The number of the active key, and how many values it has sealed: since this barrier was opened,
    /// and before, as [`Barrier::recount`] was told.
    pub fn sealed_by_active(&self) -> (u32, u64) {
        (self.active_key(), self.sealed.load(Ordering::Relaxed))
    }

    /// Adds what a record key had sealed before, if it is the active one.
    pub fn recount(&self, key: u32, sealed: u64) {
        if key == self.active_key() {
            self.sealed.fetch_add(sealed, Ordering::Relaxed);
        }
    }

    /// Adds a record key and makes it the active one; older records stay readable. `now` is in
    /// microseconds since 1970. Blocks until durable.
    ///
    /// # Errors
    /// [`SealError::Sealed`]; storage and randomness.
    pub fn rotate(&self, now: i64) -> Result<u32, SealError> {
        let _one = self.rotation.lock().unwrap_or_else(PoisonError::into_inner);
        let (stored, version) = self.stored()?;
        self.replace(stored.rotated(now)?, version, Batch::default())?;
        self.sealed.store(0, Ordering::Relaxed);
        Ok(self.active_key())
    }

    /// Puts a fresh root key in place of the present one, which opens the store no more, and in the
    /// same batch the record that says how it is kept: `keep` makes it from the root key and the
    /// record that there is. Blocks until durable.
    ///
    /// # Errors
    /// [`SealError::Sealed`]; what `keep` refuses; storage and randomness.
    pub fn change_root(
        &self,
        keep: impl FnOnce(&RootKey, Option<SealConfig>) -> Result<SealConfig, SealError>,
    ) -> Result<(), SealError> {
        let _one = self.rotation.lock().unwrap_or_else(PoisonError::into_inner);
        let (stored, version) = self.stored()?;
        let root = RootKey::generate()?;
        let (present, config_version) = SealConfig::read(self.engine.as_ref())?.unzip();
        let mut batch = Batch::default();
        keep(&root, present)?.change(config_version, &mut batch)?;
        self.replace(stored.under(root)?, version, batch)
    }

    /// The keyring as it is in the store, which nobody else has changed since it was opened.
    fn stored(&self) -> Result<(Keyring, u64), SealError> {
        let held = self.keyring()?;
        let record = self.engine.get(&layout::keyring())?.ok_or(SealError::NotInitialised)?;
        let keyring = Keyring::from_record(held.root(), record.version, &record.value)?;
        Ok((keyring, record.version))
    }

    fn replace(&self, keyring: Keyring, version: u64, batch: Batch) -> Result<(), SealError> {
        store_keyring(self.engine.as_ref(), &keyring, Some(version), batch)?;
        let mut held = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        // A barrier that was sealed in between stays so.
        if held.is_some() {
            *held = Some(Arc::new(keyring));
        }
        Ok(())
    }

    fn keyring(&self) -> Result<Arc<Keyring>, SealError> {
        let keyring = self.keyring.read().unwrap_or_else(PoisonError::into_inner);
        keyring.clone().ok_or(SealError::Sealed)
    }
}

fn open(keyring: &Keyring, key: &[u8], version: u64, value: &[u8]) -> Result<Opened, SealError> {
    let bytes = match (layout::is_mark(key), value.is_empty()) {
        (true, true) => Zeroizing::default(),
        (true, false) => return Err(SealError::damaged(key)),
        (false, _) => keyring.open(key, version, value)?,
    };
    Ok(Opened { version, bytes })
}

/// Writes the keyring over the one of `version`, or as the first, together with what `batch` holds.
fn store_keyring(
    engine: &dyn Engine,
    keyring: &Keyring,
    version: Option<u64>,
    mut batch: Batch,
) -> Result<(), SealError> {
    let (expect, next) = match version {
        None => (Expect::Absent, 1),
        Some(version) => (Expect::Version(version), version.saturating_add(1)),
    };
    let (key, value) = (layout::keyring(), keyring.to_record(next)?);
    batch.expect.push((key.clone(), expect));
    batch.put.push(Put { key, version: next, value });
    point(Point::KeyringCommit);
    engine.commit(batch).wait()?;
    point(Point::KeyringCommitted);
    Ok(())
}

#[cfg(test)]
#[path = "barrier_tests.rs"]
mod tests;
