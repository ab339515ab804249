//! Objects: how one takes the place of another, and what is changed of one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::Method;
use hyper::body::Bytes;
use s3s::crypto::{Checksum as _, Md5};

use super::found::{bare, named, version_of};
use super::http::{Answer, Ask};
use super::records::{Expected, Record, record_key};
use super::writing::Writing;
use super::xml::escaped;
use super::{Inner, locked, reserved};
use crate::store::{Condition, Deleted, Fresh, Object, Part, StoreError, Versioning, Wrapping};

/// How long the record stays of an object that has been replaced while it was read.
const GRACE: Duration = Duration::from_secs(2);

impl Inner {
    /// Puts an object in its place; `join` makes its bytes those of the object.
    pub(super) async fn place(
        self: &Arc<Self>,
        place: Place<'_>,
        object: Object,
        parts: Vec<Part>,
        condition: &Condition,
        join: impl Future<Output = Result<Answer, StoreError>> + Send,
    ) -> Result<Object, StoreError> {
        let Place { bucket, key, record } = place;
        let kept = self.bucket(bucket).await?;
        if condition.bucket_created_ms.is_some_and(|made| made != kept.created_ms) {
            return Err(StoreError::NoSuchBucket);
        }
        let replaced = self.replaced(bucket, key, kept.versioning, condition).await?;
        let own = record_key(record);
        let described = Record::new(key, object.clone(), parts);
        self.store(bucket, &own, &described, Expected::Anything).await?;
        let answer = match join.await {
            Ok(answer) => answer,
            Err(error) => {
                // After a silence it may be there.
                if !matches!(error, StoreError::Unavailable(_) | StoreError::Failed(_)) {
                    self.discard(bucket, &own, kept.versioning).await;
                }
                return Err(error);
            }
        };
        if let Some(replaced) = replaced {
            self.drop_record(bucket, key, &replaced, kept.versioning).await;
        }
        let object = named(object, version_of(&answer.headers));
        if let Ok(etag) = answer.etag() {
            locked(&self.known).put(bucket, key, &etag, &object);
        }
        Ok(object)
    }

    /// The record of an object that is no more goes. Whoever is about to read that object still wants it.
    async fn drop_record(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        record: &str,
        versioning: Versioning,
    ) {
        let own = record_key(record);
        if !self.is_contended(bucket, key) {
            return self.discard(bucket, &own, versioning).await;
        }
        let (inner, bucket) = (Arc::clone(self), bucket.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            inner.discard(&bucket, &own, versioning).await;
        });
    }

    /// Checks a condition against the current object. Says which record nothing needs any more when it is replaced.
    async fn replaced(
        &self,
        bucket: &str,
        key: &str,
        versioning: Versioning,
        condition: &Condition,
    ) -> Result<Option<String>, StoreError> {
        if versioning == Versioning::Enabled && !condition.asks() {
            return Ok(None);
        }
        if condition.asks() {
            let current = match self.described(bucket, key, None).await {
                Ok((_, object)) => Some(object.about().etag.clone()),
                Err(StoreError::NoSuchKey { .. }) => None,
                Err(error) => return Err(error),
            };
            condition.check(current.as_deref())?;
        }
        let version = match versioning {
            Versioning::Enabled => return Ok(None),
            Versioning::Off => None,
            Versioning::Suspended => Some("null"),
        };
        match self.find(bucket, key, version).await {
            Ok(found) => Ok(found.record),
            Err(
                StoreError::NoSuchKey { .. }
                | StoreError::NoSuchVersion
                | StoreError::IsDeleteMarker { .. },
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn put(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        object: Object,
        parts: Vec<Part>,
        fresh: &[Fresh],
        condition: &Condition,
    ) -> Result<Object, StoreError> {
        let [fresh] = fresh else {
            return Err(StoreError::Failed("an object is one stretch of bytes".to_owned()));
        };
        let writing: Writing = self.take_written(fresh)?;
        let _changes = self.gate.read().await;
        let _alone = self.alone(bucket, key).await;
        let record = writing.record().to_owned();
        let place = Place { bucket, key, record: &record };
        self.place(place, object, parts, condition, writing.commit()).await
    }

    pub(super) async fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> Result<Deleted, StoreError> {
        let versioning = self.bucket(bucket).await?.versioning;
        if reserved(key) {
            return Ok(Deleted::default());
        }
        let _changes = self.gate.read().await;
        let _alone = self.alone(bucket, key).await;
        let shown = version.map(str::to_owned);
        let version = match self.version_there(bucket, version).await {
            Err(StoreError::NoSuchVersion) => {
                return Ok(Deleted { version: shown, delete_marker: false });
            }
            version => version?,
        };
        let mut record = None;
        let mut is_marker = false;
        match version {
            Some(_) => match self.find(bucket, key, version).await {
                Ok(found) => {
                    if condition.asks() {
                        let (_, object) = self.described(bucket, key, version).await?;
                        condition.check(Some(&object.about().etag))?;
                    }
                    record = found.record;
                }
                Err(StoreError::IsDeleteMarker { .. }) => {
                    condition.check(Some(""))?;
                    is_marker = true;
                }
                Err(StoreError::NoSuchVersion) => {
                    return Ok(Deleted { version: shown, delete_marker: false });
                }
                Err(error) => return Err(error),
            },
            None => record = self.replaced(bucket, key, versioning, condition).await?,
        }
        let ask = Ask::object(Method::DELETE, bucket, key).version(version);
        let answer = match self.client.ask(ask, Bytes::new()).await {
            Err(StoreError::NoSuchKey { .. }) => return Ok(Deleted::default()),
            answer => answer?,
        };
        if let Some(record) = record {
            self.discard(bucket, &record_key(&record), versioning).await;
        }
        if version.is_some() {
            return Ok(Deleted { version: shown, delete_marker: is_marker });
        }
        if versioning == Versioning::Off {
            return Ok(Deleted { version: shown, delete_marker: false });
        }
        let marker = version_of(&answer.headers).unwrap_or_else(|| "null".to_owned());
        Ok(Deleted { version: Some(marker), delete_marker: true })
    }

    pub(super) async fn tag(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Object, StoreError> {
        if reserved(key) {
            return Err(StoreError::NoSuchKey { delete_marker: None });
        }
        let _changes = self.gate.read().await;
        let _alone = self.alone(bucket, key).await;
        let version = self.version_there(bucket, version).await?;
        let found = self.find(bucket, key, version).await?;
        if let Some(id) = &found.record {
            let record = self.change_record(bucket, id, |record| {
                record.object.tags.clone_from(&tags);
            });
            return Ok(named(record.await?.object, found.version));
        }
        let mut body = String::from("<Tagging><TagSet>");
        for (key, value) in &tags {
            body.push_str(&format!(
                "<Tag><Key>{}</Key><Value>{}</Value></Tag>",
                escaped(key),
                escaped(value)
            ));
        }
        body.push_str("</TagSet></Tagging>");
        let mut md5 = Md5::new();
        md5.update(body.as_bytes());
        let ask = Ask::object(Method::PUT, bucket, key)
            .query("tagging", "")
            .version(found.address.as_deref())
            .header("content-md5", BASE64.encode(md5.finalize()));
        self.client.ask(ask, Bytes::from(body)).await?;
        let mut object = bare(found.about(), false);
        object.tags = tags;
        Ok(named(object, found.version))
    }

    pub(super) async fn rewrap(
        &self,
        bucket: &str,
        key: &str,
        version: &str,
        changes: &[(Wrapping, Wrapping)],
    ) -> Result<(), StoreError> {
        let _changes = self.gate.read().await;
        let _alone = self.alone(bucket, key).await;
        let version = self.version_there(bucket, Some(version)).await?;
        let found = self.find(bucket, key, version).await?;
        let Some(id) = &found.record else { return Ok(()) };
        let replace = |wrapping: &mut Option<Wrapping>| Wrapping::replace(wrapping, changes);
        self.change_record(bucket, id, |record| {
            replace(&mut record.object.wrapping);
            record.parts.iter_mut().for_each(|part| replace(&mut part.wrapping));
        })
        .await?;
        Ok(())
    }
}

/// Where an object goes, and under which name its record.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) record: &'a str,
}
