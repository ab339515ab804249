//! What the gateway may call: each call is a reading, or one change.

use std::collections::BTreeMap;

use async_trait::async_trait;
use claviger_store::{Engine, Range};

use super::{Local, StoredBucket, failed, keys, parse, unread};
use crate::store::{
    Bucket, Condition, Deleted, Fresh, Held, Object, Page, Part, Query, Sink, Source, Store,
    StoreError, Target, Upload, UploadedPart, Version, Wrapping,
};

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
                for key_id in stored.bucket.key_id.iter().chain(&stored.bucket.old_key_ids) {
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

    async fn retire_key(&self, bucket: &str, key_id: &str) -> Result<(), StoreError> {
        let _alone = self.inner.buckets.write().await;
        self.inner
            .change(|inner, change| {
                let (mut stored, record) = inner.bucket(bucket)?;
                let Some(at) = stored.bucket.old_key_ids.iter().position(|old| old == key_id)
                else {
                    return Ok(());
                };
                stored.bucket.old_key_ids.remove(at);
                change.expect(keys::bucket(bucket), Some(&record));
                change.delete(keys::owned_key(key_id));
                change.mark(keys::key_to_destroy(key_id));
                change.put(keys::bucket(bucket), record.version.saturating_add(1), &stored)
            })
            .await
    }

    async fn rewrap(
        &self,
        bucket: &str,
        key: &str,
        version: &str,
        changes: &[(Wrapping, Wrapping)],
    ) -> Result<(), StoreError> {
        let _shared = self.inner.buckets.read().await;
        self.inner
            .change(|inner, change| {
                let id = inner.bucket_id(bucket)?;
                inner.rewrap(change, id, key, version, changes)
            })
            .await
    }

    async fn sink(&self, target: Target<'_>, _len: u64) -> Result<Box<dyn Sink>, StoreError> {
        self.inner.bucket(target.bucket)?;
        self.inner.blobs.create().await
    }

    async fn source(
        &self,
        blob: &str,
        _range: std::ops::Range<u64>,
    ) -> Result<Box<dyn Source>, StoreError> {
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
                    Some(version) => inner.delete_version(change, &stored, key, version, condition),
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
