//! The SQLite engine: one file in one directory, one writer thread that groups commits, a few reader
//! connections. Every SQL statement of the project is below this module.
//!
//! Settings and schema: `docs/formats.md` §1.

mod directory;
mod draft;
mod queue;
mod reader;
mod schema;
mod writer;

pub use directory::{DATABASE_FILE, LOCK_FILE, make_directory};
pub use draft::{DRAFT_DIRECTORY, Draft};
pub use schema::SCHEMA_VERSION;

use crate::change::{Feed, Watch};
use crate::engine::{Engine, Snapshot};
use crate::error::{CommitError, Limit, OpenError, ReadError};
use crate::pending::Pending;
use crate::range::Range;
use crate::record::{Batch, Key, Record, Revision};
use directory::Directory;
use queue::{Job, Queue};
use reader::Readers;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use writer::Writer;

/// Commits that may wait for the writer. Beyond it, callers are turned away instead of piling up.
const QUEUE_MAX: usize = 8192;

/// Whether commits wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// An acknowledged commit survives a power cut.
    Full,
    /// `synchronous=OFF`: nothing is synced. For the test that shows that the power-loss test can
    /// fail; never for use.
    Off,
}

/// A store in a directory.
#[derive(Debug)]
pub struct Sqlite {
    readers: Arc<Readers>,
    feed: Arc<Feed>,
    queue: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Sqlite {
    /// Opens the store in `directory`, making both if need be.
    ///
    /// # Errors
    /// [`OpenError`]: in use, written by newer software, not ours, or the file system refuses.
    pub fn open(directory: &Path, durability: Durability) -> Result<Self, OpenError> {
        Self::open_locked(Arc::new(Directory::lock(directory)?), durability)
    }

    /// The store in a directory that this process has locked.
    fn open_locked(directory: Arc<Directory>, durability: Durability) -> Result<Self, OpenError> {
        let (connection, revision) = schema::open(&directory, durability)?;
        let feed = Feed::new(revision);
        let path = directory.database();
        let readers = Arc::new(Readers::new(directory));
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let writer = Writer::new(connection, Arc::clone(&feed), revision);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(Queue::new(jobs)))
            .map_err(|source| OpenError::File { path, source })?;
        Ok(Self { readers, feed, queue: Some(queue), writer: Some(writer) })
    }
}

impl Engine for Sqlite {
    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
        self.readers.take()?.get(key)
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
        self.readers.take()?.scan(range)
    }

    fn commit(&self, batch: Batch) -> Pending {
        if let Err(limit) = batch.check() {
            return Pending::resolved(Err(CommitError::Limit(limit)));
        }
        let Some(queue) = &self.queue else {
            return Pending::resolved(Err(CommitError::Unavailable));
        };
        let (completion, pending) = Pending::new();
        match queue.try_send(Job { batch, completion }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                job.completion.resolve(Err(CommitError::Limit(Limit::Queue)));
            }
            Err(TrySendError::Disconnected(job)) => {
                job.completion.resolve(Err(CommitError::Unavailable));
            }
        }
        pending
    }

    fn watch(&self, from: Revision) -> Watch {
        self.feed.watch(from)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, ReadError> {
        Ok(Box::new(self.readers.snapshot()?))
    }
}

/// Commits what was submitted, then closes: readers first, so that the writer's connection is the
/// last and checkpoints.
impl Drop for Sqlite {
    fn drop(&mut self) {
        // Before the writer hears that it may end: it does so at once.
        self.readers.close();
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has resolved what it held as failed; there is no one to tell.
            drop(writer.join());
        }
        self.feed.close();
    }
}
