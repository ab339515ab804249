//! New keys for buckets: [`rotate`] makes one for new objects, [`rewrap`] puts the data keys of older objects under it. No
//! byte of a content is read or written.
//!
//! What is done is seen from the objects themselves: a rewrapping that was interrupted goes on when it is called again.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::driver::{Driver, DriverError, KeyId};
use crate::store::{Bucket, Entry, Format, Object, Query, Store, StoreError, Wrapping};

/// How many objects are rewrapped at once.
const AT_ONCE: usize = 16;
/// How many versions a page of the listing has.
const PAGE: usize = 500;
/// More parts than an upload may have.
const PARTS: usize = 10_001;

/// Why a key was not rotated, or not everything rewrapped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The KMIP servers.
    #[error("{0}")]
    Driver(#[from] DriverError),
    /// The gateway was started without KMIP servers.
    #[error("keys are on KMIP servers, and the gateway has none")]
    NoServer,
    /// The bucket has no key of its own yet.
    #[error("the bucket has no key yet")]
    NoKey,
    /// What an object says of its data key makes no sense.
    #[error("{key}: what is stored of its data key is damaged")]
    Damaged {
        /// The object.
        key: String,
    },
}

/// How far a rewrapping has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Versions that were looked at.
    pub seen: u64,
    /// Versions whose data keys are under the new key now, and were not before.
    pub rewrapped: u64,
    /// Uploads that have begun and still have data keys under an old key; they are completed or aborted first.
    pub uploads_left: u64,
    /// Old keys that are destroyed now.
    pub destroyed: Vec<String>,
}

/// Held, not alone, from when a write reads which key its bucket has until it is done; held alone while a bucket gets another.
pub type Writes = tokio::sync::RwLock<()>;

/// Makes a new key for a bucket. Objects that are written from now on are under it; older ones stay as they are, and readable.
///
/// # Errors
/// The store or the KMIP servers; the bucket has the key that it had then.
pub async fn rotate(
    store: &dyn Store,
    driver: &Driver,
    bucket: &str,
    writes: &Writes,
) -> Result<KeyId, RotationError> {
    if store.bucket(bucket).await?.key_id.is_none() {
        return Err(RotationError::NoKey);
    }
    let key = driver.create_bucket_key(bucket).await?;
    let new = key.to_string();
    let change = move |bucket: &mut Bucket| {
        let Some(old) = bucket.key_id.replace(new.clone()) else { return };
        if let Some(encryption) = &mut bucket.encryption
            && encryption.key_id.as_ref() == Some(&old)
        {
            encryption.key_id = Some(new.clone());
        }
        bucket.old_key_ids.push(old);
    };
    let alone = writes.write().await;
    let changed = store.change_bucket(bucket, &change).await;
    drop(alone);
    if let Err(error) = changed {
        if let Err(error) = driver.destroy_bucket_key(&key).await {
            tracing::warn!(%key, %error, "a key that no bucket has is left behind");
        }
        return Err(error.into());
    }
    Ok(key)
}

/// Puts every data key of a bucket that is under one of its old keys under its key; then, if that is wanted, destroys the
/// old keys. `tell` is called after every page of objects.
///
/// # Errors
/// The store, the KMIP servers, or an object that is damaged. What was done until then is done.
pub async fn rewrap(
    store: &Arc<dyn Store>,
    driver: &Arc<Driver>,
    bucket: &str,
    destroys: bool,
    tell: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Progress, RotationError> {
    let found = store.bucket(bucket).await?;
    let key: KeyId = found.key_id.ok_or(RotationError::NoKey)?.parse()?;
    let work = Work {
        store: Arc::clone(store),
        driver: Arc::clone(driver),
        bucket: bucket.to_owned(),
        key,
        old: found.old_key_ids,
    };
    let mut progress = Progress::default();
    if work.old.is_empty() {
        return Ok(progress);
    }
    let work = Arc::new(work);
    // First: an upload that is completed meanwhile is among the uploads or among the versions.
    let busy = work.uploads(&mut progress).await?;
    work.all_versions(&mut progress, tell).await?;
    if destroys {
        for old in work.old.iter().filter(|old| !busy.contains(old)) {
            work.destroy(old).await?;
            progress.destroyed.push(old.clone());
        }
    }
    tell(&progress);
    Ok(progress)
}

/// What a rewrapping works with.
struct Work {
    store: Arc<dyn Store>,
    driver: Arc<Driver>,
    bucket: String,
    key: KeyId,
    old: Vec<String>,
}

impl Work {
    fn is_old(&self, wrapping: &Wrapping) -> bool {
        self.old.contains(&wrapping.key_id)
    }

    async fn all_versions(
        self: &Arc<Self>,
        progress: &mut Progress,
        tell: &(dyn Fn(&Progress) + Send + Sync),
    ) -> Result<(), RotationError> {
        let mut query = Query { limit: PAGE, ..Query::default() };
        loop {
            let page = self.store.versions(&self.bucket, &query).await?;
            let mut tasks = JoinSet::new();
            for entry in page.entries {
                let Entry::One(key, version) = entry else { continue };
                query.after = Some(key.clone());
                query.after_id = Some(version.object.version());
                progress.seen = progress.seen.saturating_add(1);
                if !self.may_have_old(&version.object) {
                    continue;
                }
                if tasks.len() >= AT_ONCE {
                    progress.count(tasks.join_next().await)?;
                }
                let work = Arc::clone(self);
                tasks.spawn(async move { work.version(key, version.object).await });
            }
            while let Some(ended) = tasks.join_next().await {
                progress.count(Some(ended))?;
            }
            tell(progress);
            if !page.truncated {
                return Ok(());
            }
        }
    }

    /// Whether a version has data keys under an old key, as far as the listing says: of Zenko's form its parts have them.
    fn may_have_old(&self, object: &Object) -> bool {
        let format = object.about().encryption.as_ref().map(|encryption| encryption.format);
        object.wrapping.as_ref().is_some_and(|wrapping| self.is_old(wrapping))
            || format == Some(Format::Scheme1)
    }

    /// Says whether anything of the version was under an old key.
    async fn version(&self, key: String, object: Object) -> Result<bool, RotationError> {
        let version = object.version();
        let held = match self.store.get(&self.bucket, &key, Some(&version)).await {
            Ok(held) => held,
            // It has been deleted, or another one is `null` now.
            Err(StoreError::NoSuchKey { .. } | StoreError::NoSuchVersion) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut changes: HashMap<&Wrapping, Wrapping> = HashMap::new();
        let parts = held.parts.iter().filter_map(|part| part.wrapping.as_ref());
        for wrapping in held.object.wrapping.iter().chain(parts) {
            if self.is_old(wrapping) && !changes.contains_key(wrapping) {
                changes.insert(wrapping, self.wrap_anew(&key, wrapping).await?);
            }
        }
        if changes.is_empty() {
            return Ok(false);
        }
        let changes: Vec<_> = changes.into_iter().map(|(from, to)| (from.clone(), to)).collect();
        match self.store.rewrap(&self.bucket, &key, &version, &changes).await {
            Ok(()) => Ok(true),
            Err(StoreError::NoSuchKey { .. } | StoreError::NoSuchVersion) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn wrap_anew(&self, key: &str, wrapping: &Wrapping) -> Result<Wrapping, RotationError> {
        let damaged = |_| RotationError::Damaged { key: key.to_owned() };
        let wrapped = BASE64.decode(&wrapping.data_key).map_err(damaged)?;
        let data_key = self.driver.decipher_data_key(&wrapping.key_id.parse()?, &wrapped).await?;
        let wrapped = self.driver.cipher_data_key(&self.key, &data_key).await?;
        Ok(Wrapping { key_id: self.key.to_string(), data_key: BASE64.encode(wrapped) })
    }

    /// The old keys that uploads have, which have begun and not ended.
    async fn uploads(&self, progress: &mut Progress) -> Result<Vec<String>, RotationError> {
        let mut busy = Vec::new();
        let mut query = Query { limit: PAGE, ..Query::default() };
        loop {
            let page = self.store.uploads(&self.bucket, &query).await?;
            for entry in page.entries {
                let Entry::One(key, (id, upload)) = entry else { continue };
                let parts = self.store.parts(&self.bucket, &key, &id, 0, PARTS).await;
                let parts = match parts {
                    Err(StoreError::NoSuchUpload) => continue,
                    parts => parts?,
                };
                let parts = parts.iter().filter_map(|part| part.part.wrapping.as_ref());
                let wrappings = upload.wrapping.iter().chain(parts);
                // Parts that are to come are under the key that the upload began with.
                let keys = wrappings.map(|wrapping| &wrapping.key_id).chain(&upload.key_id);
                let old: Vec<_> = keys.filter(|key| self.old.contains(key)).cloned().collect();
                if !old.is_empty() {
                    progress.uploads_left = progress.uploads_left.saturating_add(1);
                }
                busy.extend(old);
                query.after = Some(key);
                query.after_id = Some(id);
            }
            if !page.truncated {
                return Ok(busy);
            }
        }
    }

    /// The store knows first that the key has to go: whatever fails then, it is destroyed later.
    async fn destroy(&self, old: &str) -> Result<(), RotationError> {
        self.store.retire_key(&self.bucket, old).await?;
        match self.driver.destroy_bucket_key(&old.parse()?).await {
            Ok(()) => {}
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.store.forget_key(old).await?)
    }
}

impl Progress {
    fn count(
        &mut self,
        ended: Option<Result<Result<bool, RotationError>, tokio::task::JoinError>>,
    ) -> Result<(), RotationError> {
        let done = match ended {
            None => return Ok(()),
            Some(Ok(done)) => done?,
            Some(Err(error)) => return Err(StoreError::Failed(error.to_string()).into()),
        };
        self.rewrapped = self.rewrapped.saturating_add(u64::from(done));
        Ok(())
    }
}
