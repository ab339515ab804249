//! What an engine stores and what a commit is made of. Pure data: no IO, no engine's name.

use crate::error::Limit;

/// A record's place in the order of all records; compared byte by byte.
pub type Key = Vec<u8>;

/// Longest key, in bytes. Index keys (kind, mount, scope, keyed hash, identifier) stay below 100; the S3 gateway's have one
/// of S3's keys in them, of up to 1024 bytes.
pub const KEY_BYTES_MAX: usize = 1152;
/// Longest value, in bytes: a managed object of the largest message, sealed, with room to spare.
pub const VALUE_BYTES_MAX: usize = 16 << 20;
/// Most expectations, puts and deletes together in one batch. A forced deletion of a large scope is
/// to be split; everything else is far below.
pub const BATCH_ROWS_MAX: usize = 100_000;
/// Most key and value bytes in one batch: what the writer holds in memory at once.
pub const BATCH_BYTES_MAX: usize = 64 << 20;

/// One stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record's own counter, chosen by whoever writes it; see [`Expect::Version`].
    pub version: u64,
    /// Opaque bytes.
    pub value: Vec<u8>,
}

/// What must hold of a key for a batch to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No record has this key.
    Absent,
    /// The key's record has exactly this version.
    Version(u64),
}

impl Expect {
    /// Whether a key whose record has `version` (or none) meets the expectation.
    pub fn holds(self, version: Option<u64>) -> bool {
        match self {
            Self::Absent => version.is_none(),
            Self::Version(expected) => version == Some(expected),
        }
    }
}

/// A record to write, whether or not its key exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Where it goes.
    pub key: Key,
    /// Its new version; at most `i64::MAX`.
    pub version: u64,
    /// Its new value.
    pub value: Vec<u8>,
}

/// Changes that happen together or not at all.
///
/// All expectations are checked first, against the state before the batch; then the puts are applied
/// in order, then the deletes. Deleting an absent key is no error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What must hold; the first that does not is the conflict reported.
    pub expect: Vec<(Key, Expect)>,
    /// What is written.
    pub put: Vec<Put>,
    /// What is removed.
    pub delete: Vec<Key>,
}

impl Batch {
    /// Whether applying the batch changes nothing.
    pub fn is_read_only(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty()
    }

    /// Expectations, puts and deletes together.
    pub(crate) fn rows(&self) -> usize {
        self.expect.len().saturating_add(self.put.len()).saturating_add(self.delete.len())
    }

    /// Key and value bytes together.
    pub(crate) fn bytes(&self) -> usize {
        let expect = self.expect.iter().map(|(key, _)| key.len());
        let put = self.put.iter().map(|put| put.key.len().saturating_add(put.value.len()));
        expect.chain(put).chain(self.delete.iter().map(Vec::len)).fold(0, usize::saturating_add)
    }

    /// Refuses what no engine takes, before it is queued.
    pub(crate) fn check(&self) -> Result<(), Limit> {
        if self.rows() > BATCH_ROWS_MAX {
            return Err(Limit::BatchRows);
        }
        if self.bytes() > BATCH_BYTES_MAX {
            return Err(Limit::BatchBytes);
        }
        let expect = self.expect.iter().map(|(key, _)| key);
        let put = self.put.iter().map(|put| &put.key);
        if expect.chain(put).chain(&self.delete).any(|key| key.len() > KEY_BYTES_MAX) {
            return Err(Limit::KeyBytes);
        }
        if self.put.iter().any(|put| put.value.len() > VALUE_BYTES_MAX) {
            return Err(Limit::ValueBytes);
        }
        if self.put.iter().any(|put| i64::try_from(put.version).is_err()) {
            return Err(Limit::Version);
        }
        Ok(())
    }
}

/// The engine's count of applied batches; grows by one with each batch that changes something and
/// survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Given to [`crate::Engine::watch`]: only what is committed from now on.
    pub const LATEST: Self = Self(u64::MAX);

    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
