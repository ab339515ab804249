//! A local directory: files with the bytes (`blobs`), and a database that says what they are.
//!
//! The database is [`claviger_store`]'s, whose batches are atomic and durable. A write puts its bytes into new files, syncs
//! them, and then commits one batch that names them and lets go of what they replace: a reader sees the old object or the
//! new one, and so does whoever starts after a crash. Layout: `docs/formats.md` §11.
//!
//! Reads of the database are a few microseconds and are made where they are needed; files are touched on threads that may
//! block.

mod blobs;
mod keys;
mod listing;
mod objects;
mod uploads;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use claviger_store::{
    Batch, CommitError, Durability, Engine, Expect, OpenError, Put, Range, ReadError, Record,
    Sqlite,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Bucket, Condition, Deleted, Fresh, Held, Object, Page, Part, Query, Sink, Source, Store,
    StoreError, Upload, UploadedPart, Version,
};
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

#[async_trait]
impl Store for Local {
    async fn buckets(&self) -> Result<Vec<(String, Bucket)>, StoreError> {
        let found = self.inner.engine.scan(&Range::prefix(&[keys::BUCKET])).map_err(unread)?;
        found
            .iter()
            .map(|(key, record)| {
                let name = keys::name(key).ok_or(StoreError::Damaged)?;
                Ok((name.to_owned(), parse::<StoredBucket>(record)?.bucket))
            })
            .collect()
    }

    async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        Ok(self.inner.bucket(name)?.0.bucket)
    }

    async fn create_bucket(&self, name: &str, bucket: &Bucket) -> Result<(), StoreError> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|error| failed(&error))?;
        let stored = StoredBucket { id: u64::from_be_bytes(random), bucket: bucket.clone() };
        self.inner
            .change(|inner, change| {
                let place = keys::bucket(name);
                if inner.engine.get(&place).map_err(unread)?.is_some() {
                    return Err(StoreError::BucketExists);
                }
                change.expect(place.clone(), None);
                if let Some(key_id) = &stored.bucket.key_id {
                    change.put(keys::owned_key(key_id), 1, &name)?;
                }
                change.put(place, 1, &stored)
            })
            .await
    }

    async fn change_bucket(
        &self,
        name: &str,
        modify: &(dyn for<'a> Fn(&'a mut Bucket) + Send + Sync),
    ) -> Result<Bucket, StoreError> {
        // Alone: versioning must not change between the reading and the commit of a write.
        let _alone = self.inner.buckets.write().await;
        self.inner
            .change(|inner, change| {
                let (mut stored, record) = inner.bucket(name)?;
                modify(&mut stored.bucket);
                change.expect(keys::bucket(name), Some(&record));
                if let Some(key_id) = &stored.bucket.key_id {
                    change.put(keys::owned_key(key_id), 1, &name)?;
                }
                change.put(keys::bucket(name), record.version.saturating_add(1), &stored)?;
                Ok(stored.bucket)
            })
            .await
    }

    async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let _alone = self.inner.buckets.write().await;
        self.inner
            .change(|inner, change| {
                let (stored, record) = inner.bucket(name)?;
                let objects = keys::objects_from(stored.id, "").limit(1);
                if !inner.engine.scan(&objects).map_err(unread)?.is_empty() {
                    return Err(StoreError::BucketNotEmpty);
                }
                inner.abort_all(change, stored.id)?;
                change.expect(keys::bucket(name), Some(&record));
                change.delete(keys::bucket(name));
                if let Some(key_id) = &stored.bucket.key_id {
                    change.delete(keys::owned_key(key_id));
                    change.mark(keys::key_to_destroy(key_id));
                }
                Ok(())
            })
            .await
    }

    async fn owner_of_key(&self, key_id: &str) -> Result<Option<String>, StoreError> {
        Ok(self.inner.record(&keys::owned_key(key_id))?.map(|(owner, _)| owner))
    }

    async fn keys_to_destroy(&self) -> Result<Vec<String>, StoreError> {
        let found = self.inner.engine.scan(&Range::prefix(&[keys::KEY_TO_DESTROY]));
        let found = found.map_err(unread)?;
        Ok(found.iter().filter_map(|(key, _)| keys::name(key).map(str::to_owned)).collect())
    }

    async fn forget_key(&self, key_id: &str) -> Result<(), StoreError> {
        self.inner
            .change(|_, change| {
                change.delete(keys::key_to_destroy(key_id));
                Ok(())
            })
            .await
    }

    async fn sink(&self, bucket: &str) -> Result<Box<dyn Sink>, StoreError> {
        self.inner.bucket(bucket)?;
        self.inner.blobs.create().await
    }

    async fn source(&self, blob: &str) -> Result<Box<dyn Source>, StoreError> {
        self.inner.blobs.source(blob).await
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        object: Object,
        parts: Vec<Part>,
        fresh: Vec<Fresh>,
        condition: &Condition,
    ) -> Result<Object, StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner
            .change_with(fresh, |inner, change| {
                let (stored, _) = inner.bucket(bucket)?;
                for part in &parts {
                    change.mark(keys::live(&part.blob));
                }
                inner.place(change, &stored, key, object.clone(), &parts, condition)
            })
            .await
    }

    async fn get(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Held, StoreError> {
        self.inner.hold(bucket, key, version)
    }

    async fn tag(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Object, StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner
            .change(|inner, change| {
                let id = inner.bucket_id(bucket)?;
                let (place, mut stored, record) = inner.find(id, key, version)?;
                change.expect(place.clone(), Some(&record));
                stored.object.tags.clone_from(&tags);
                change.put(place, record.version.saturating_add(1), &stored)?;
                Ok(stored.object)
            })
            .await
    }

    async fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> Result<Deleted, StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner
            .change(|inner, change| {
                let (stored, _) = inner.bucket(bucket)?;
                match version {
                    Some(version) => inner.delete_version(change, &stored, key, version),
                    None => inner.delete_current(change, &stored, key, condition),
                }
            })
            .await
    }

    async fn list(&self, bucket: &str, query: &Query) -> Result<Page<Object>, StoreError> {
        self.inner.list(self.inner.bucket_id(bucket)?, query)
    }

    async fn versions(&self, bucket: &str, query: &Query) -> Result<Page<Version>, StoreError> {
        self.inner.list_versions(self.inner.bucket_id(bucket)?, query)
    }

    async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &Upload,
    ) -> Result<String, StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner.create_upload(bucket, key, upload).await
    }

    async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, StoreError> {
        Ok(self.inner.upload(bucket, key, id)?.1)
    }

    async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        part: UploadedPart,
        fresh: Fresh,
    ) -> Result<(), StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner.put_part(bucket, key, id, part, fresh).await
    }

    async fn parts(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<UploadedPart>, StoreError> {
        self.inner.upload(bucket, key, id)?;
        self.inner.parts(id, after, limit)
    }

    async fn complete(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        object: Object,
        parts: Vec<Part>,
        condition: &Condition,
    ) -> Result<Object, StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner.complete(bucket, key, id, object, parts, condition).await
    }

    async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner
            .change(|inner, change| {
                let (bucket, ..) = inner.upload(bucket, key, id)?;
                inner.end_upload(change, bucket, key, id, &[])
            })
            .await
    }

    async fn uploads(
        &self,
        bucket: &str,
        query: &Query,
    ) -> Result<Page<(String, Upload)>, StoreError> {
        self.inner.list_uploads(self.inner.bucket_id(bucket)?, query)
    }
}
