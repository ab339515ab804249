//! A local directory: files with the bytes (`blobs`), and a database that says what they are.
//!
//! The database is [`claviger_store`]'s, whose batches are atomic and durable. A write puts its bytes into new files, syncs
//! them, and then commits one batch that names them and lets go of what they replace: a reader sees the old object or the
//! new one, and so does whoever starts after a crash. Layout: `docs/formats.md` §11.
//!
//! Reads of the database are a few microseconds and are made where they are needed; files are touched on threads that may
//! block.

mod blobs;
mod calls;
mod keys;
mod listing;
mod objects;
mod uploads;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use claviger_store::{
    Batch, CommitError, Durability, Engine, Expect, OpenError, Put, Range, ReadError, Record,
    Sqlite,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Bucket, Fresh, StoreError};
use blobs::{Blobs, Readers};
use keys::BucketId;

/// How often a change is tried anew because another one came first.
const ATTEMPTS_MAX: usize = 100;
/// Records that one read of a listing takes.
const SCAN_RECORDS: usize = 250;

/// A store in a directory.
pub struct Local {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Sqlite,
    blobs: Arc<Blobs>,
    readers: Readers,
    /// Held to change what is in a bucket; held alone to delete a bucket, which must be empty.
    buckets: tokio::sync::RwLock<()>,
}

/// A bucket as it rests.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBucket {
    id: BucketId,
    bucket: Bucket,
}

/// A batch, and the files that it makes garbage of, by content.
#[derive(Default)]
struct Change {
    batch: Batch,
    dropped: Vec<(String, Vec<String>)>,
}

impl Change {
    fn put(
        &mut self,
        key: Vec<u8>,
        version: u64,
        value: &impl Serialize,
    ) -> Result<(), StoreError> {
        let value = serde_json::to_vec(value).map_err(|error| failed(&error))?;
        self.batch.put.push(Put { key, version, value });
        Ok(())
    }

    fn mark(&mut self, key: Vec<u8>) {
        self.batch.put.push(Put { key, version: 1, value: Vec::new() });
    }

    fn delete(&mut self, key: Vec<u8>) {
        self.batch.delete.push(key);
    }

    fn expect(&mut self, key: Vec<u8>, record: Option<&Record>) {
        let expect = record.map_or(Expect::Absent, |record| Expect::Version(record.version));
        self.batch.expect.push((key, expect));
    }

    /// The blobs of a content become garbage.
    fn drop_blobs(&mut self, content: &str, blobs: Vec<String>) {
        for blob in &blobs {
            self.delete(keys::live(blob));
            self.mark(keys::garbage(blob));
        }
        self.dropped.push((content.to_owned(), blobs));
    }
}

impl Local {
    /// Opens the store in a directory, making both if need be; files that a crash has left are removed meanwhile.
    ///
    /// # Errors
    /// [`OpenError`]: in use, written by newer software, not ours, or the file system refuses.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let engine = Sqlite::open(directory, Durability::Full)?;
        let place = directory.join("blobs");
        let blobs =
            Blobs::open(place.clone()).map_err(|source| OpenError::File { path: place, source })?;
        let buckets = tokio::sync::RwLock::default();
        let readers = Readers::default();
        let inner = Arc::new(Inner { engine, blobs: Arc::new(blobs), readers, buckets });
        let sweeper = Arc::downgrade(&inner);
        std::thread::spawn(move || {
            if let Some(inner) = sweeper.upgrade() {
                inner.sweep();
            }
        });
        Ok(Self { inner })
    }
}

impl Inner {
    fn record<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<(T, Record)>, StoreError> {
        match self.engine.get(key).map_err(unread)? {
            None => Ok(None),
            Some(record) => Ok(Some((parse(&record)?, record))),
        }
    }

    fn bucket(&self, name: &str) -> Result<(StoredBucket, Record), StoreError> {
        self.record(&keys::bucket(name))?.ok_or(StoreError::NoSuchBucket)
    }

    fn bucket_id(&self, name: &str) -> Result<BucketId, StoreError> {
        Ok(self.bucket(name)?.0.id)
    }

    /// Commits what `attempt` makes of what it reads, again if others came first.
    async fn change<T: Send>(
        self: &Arc<Self>,
        attempt: impl Fn(&Self, &mut Change) -> Result<T, StoreError> + Send + Sync,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS_MAX {
            let mut change = Change::default();
            let outcome = attempt(self, &mut change)?;
            if change.batch.is_read_only() {
                return Ok(outcome);
            }
            match self.engine.commit(change.batch).await {
                Ok(_) => {
                    self.collect(change.dropped);
                    return Ok(outcome);
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Full) => return Err(StoreError::Full),
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(StoreError::Busy)
    }

    /// As [`Inner::change`], with bytes that are kept if the change has been made, or may have been.
    async fn change_with<T: Send>(
        self: &Arc<Self>,
        mut fresh: Vec<Fresh>,
        attempt: impl Fn(&Self, &mut Change) -> Result<T, StoreError> + Send + Sync,
    ) -> Result<T, StoreError> {
        let outcome = self.change(attempt).await;
        if matches!(outcome, Ok(_) | Err(StoreError::Failed(_))) {
            fresh.iter_mut().for_each(Fresh::keep);
        }
        outcome
    }

    /// Removes files that are garbage now, unless they are being read.
    fn collect(self: &Arc<Self>, dropped: Vec<(String, Vec<String>)>) {
        let free: Vec<String> = dropped
            .into_iter()
            .flat_map(|(content, blobs)| self.readers.doom(&content, blobs))
            .collect();
        self.remove(free);
    }

    fn remove(self: &Arc<Self>, blobs: Vec<String>) {
        if blobs.is_empty() {
            return;
        }
        let inner = Arc::clone(self);
        let work = move || {
            let mut batch = Batch::default();
            for blob in &blobs {
                inner.blobs.remove(blob);
                batch.delete.push(keys::garbage(blob));
            }
            // If this is lost, the next start finds them again.
            drop(inner.engine.commit(batch));
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }

    /// Removes what earlier processes left: garbage, and files that no batch names.
    fn sweep(self: &Arc<Self>) {
        match self.engine.scan(&Range::prefix(&[keys::GARBAGE])) {
            Ok(garbage) => {
                let blobs = garbage.iter().filter_map(|(key, _)| keys::name(key));
                self.remove(blobs.map(str::to_owned).collect());
            }
            Err(error) => tracing::warn!(%error, "what is garbage cannot be read"),
        }
        let mut removed = 0_u64;
        for blob in self.blobs.earlier() {
            if matches!(self.engine.get(&keys::live(&blob)), Ok(None)) {
                self.blobs.remove(&blob);
                removed = removed.saturating_add(1);
            }
        }
        if removed > 0 {
            tracing::info!(files = removed, "removed files of writes that were interrupted");
        }
    }
}

fn parse<T: DeserializeOwned>(record: &Record) -> Result<T, StoreError> {
    serde_json::from_slice(&record.value).map_err(|_| StoreError::Damaged)
}

fn unread(error: ReadError) -> StoreError {
    failed(&error)
}

fn failed(error: &dyn std::error::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}
