//! What the gateway may call.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;

use super::{Upstream, locked};
use crate::store::{
    Bucket, Condition, Deleted, Fresh, Held, Object, Page, Part, Query, Sink, Source, Store,
    StoreError, Target, Upload, UploadedPart, Version, Wrapping,
};

#[async_trait]
impl Store for Upstream {
    async fn buckets(&self) -> Result<Vec<(String, Bucket)>, StoreError> {
        self.inner.all_buckets().await
    }

    async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        self.inner.bucket(name).await
    }

    async fn create_bucket(&self, name: &str, bucket: &Bucket) -> Result<(), StoreError> {
        self.inner.create(name, bucket).await
    }

    async fn change_bucket(
        &self,
        name: &str,
        modify: &(dyn for<'a> Fn(&'a mut Bucket) + Send + Sync),
    ) -> Result<Bucket, StoreError> {
        self.inner.change(name, |kept| modify(kept.bucket_mut())).await
    }

    async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        self.inner.delete_bucket(name).await
    }

    async fn owner_of_key(&self, key_id: &str) -> Result<Option<String>, StoreError> {
        self.inner.owner(key_id).await
    }

    async fn keys_to_destroy(&self) -> Result<Vec<String>, StoreError> {
        self.inner.doomed_before().await?;
        Ok(locked(&self.inner.doomed).iter().cloned().collect())
    }

    async fn forget_key(&self, key_id: &str) -> Result<(), StoreError> {
        self.inner.forget(key_id).await
    }

    async fn retire_key(&self, bucket: &str, key_id: &str) -> Result<(), StoreError> {
        self.inner.retire(bucket, key_id).await
    }

    async fn rewrap(
        &self,
        bucket: &str,
        key: &str,
        version: &str,
        changes: &[(Wrapping, Wrapping)],
    ) -> Result<(), StoreError> {
        self.inner.rewrap(bucket, key, version, changes).await
    }

    async fn sink(&self, target: Target<'_>, len: u64) -> Result<Box<dyn Sink>, StoreError> {
        Ok(Box::new(self.inner.begin(target, len).await?))
    }

    async fn source(&self, blob: &str, range: Range<u64>) -> Result<Box<dyn Source>, StoreError> {
        self.inner.open(blob, range).await
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
        self.inner.put(bucket, key, object, parts, &fresh, condition).await
    }

    async fn get(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Held, StoreError> {
        self.inner.held(bucket, key, version).await
    }

    async fn tag(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Object, StoreError> {
        self.inner.tag(bucket, key, version, tags).await
    }

    async fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> Result<Deleted, StoreError> {
        self.inner.delete(bucket, key, version, condition).await
    }

    async fn list(&self, bucket: &str, query: &Query) -> Result<Page<Object>, StoreError> {
        self.inner.list(bucket, query).await
    }

    async fn versions(&self, bucket: &str, query: &Query) -> Result<Page<Version>, StoreError> {
        self.inner.list_versions(bucket, query).await
    }

    async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &Upload,
    ) -> Result<String, StoreError> {
        self.inner.create_upload(bucket, key, upload).await
    }

    async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, StoreError> {
        self.inner.upload(bucket, key, id).await
    }

    async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        part: UploadedPart,
        fresh: Fresh,
    ) -> Result<(), StoreError> {
        self.inner.put_part(bucket, key, id, part, &fresh).await
    }

    async fn parts(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<UploadedPart>, StoreError> {
        self.inner.parts(bucket, key, id, after, limit).await
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
        self.inner.complete(bucket, key, id, object, parts, condition).await
    }

    async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        self.inner.abort(bucket, key, id).await
    }

    async fn uploads(
        &self,
        bucket: &str,
        query: &Query,
    ) -> Result<Page<(String, Upload)>, StoreError> {
        self.inner.list_uploads(bucket, query).await
    }
}
