//! The five calls that every storage engine answers. Knows no engine.

use crate::change::Watch;
use crate::error::ReadError;
use crate::pending::Pending;
use crate::range::Range;
use crate::record::{Batch, Key, Record, Revision};

/// An ordered map from keys to versioned values, with atomic, durable, conditional batches.
///
/// What every engine promises, and the contract suite checks:
/// - a batch is applied wholly or not at all, and only if all its expectations hold;
/// - batches take effect in one order, the order of their [`Revision`]s, which is the order in which
///   one thread submitted them;
/// - reads see only durable batches, and see every batch whose [`Pending`] has resolved;
/// - a change is on every watch before its [`Pending`] resolves;
/// - nothing acknowledged is lost by a crash of the process, of the system or of the power.
pub trait Engine: Send + Sync + 'static {
    /// One record. Blocking, local and fast: some microseconds.
    ///
    /// # Errors
    /// [`ReadError`] if the storage does not answer.
    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError>;

    /// The records of a range, in its order, all of one moment.
    ///
    /// # Errors
    /// [`ReadError`] if the storage does not answer.
    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError>;

    /// Submits a batch. Never blocks on the storage.
    fn commit(&self, batch: Batch) -> Pending;

    /// Everything committed after `from`, in order; [`Revision::LATEST`] for what is still to come.
    fn watch(&self, from: Revision) -> Watch;

    /// A moment frozen, for a backup: later commits do not show in it.
    ///
    /// # Errors
    /// [`ReadError`] if the storage does not answer.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, ReadError>;
}

/// One frozen moment of an engine. Let go of it soon: it keeps old versions alive.
pub trait Snapshot: Send {
    /// The last revision it contains.
    fn revision(&self) -> Revision;

    /// One record of that moment.
    ///
    /// # Errors
    /// [`ReadError`] if the storage does not answer.
    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError>;

    /// The records of a range at that moment. Page through with [`Range::after`].
    ///
    /// # Errors
    /// [`ReadError`] if the storage does not answer.
    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError>;
}
