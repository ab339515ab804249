//! Uploads in parts: uploads of the store, and beside them what it does not keep of parts.

use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};

use super::http::Ask;
use super::objects::Place;
use super::records::{Expected, RECORD_HEADER};
use super::xml::escaped;
use super::{Inner, RESERVED, each, random_name, reserved, sign};
use crate::store::{
    Condition, Entry, Fresh, Object, Page, Part, Query, StoreError, Upload, UploadedPart,
    Versioning,
};

/// What is kept of an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    key: String,
    /// The record that its object will have.
    record: String,
    upload: Upload,
}

/// What is kept of a part. Its name in the store is its entity tag there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    part: UploadedPart,
}

/// Identifiers have characters that names of ours shall not have.
fn folder(id: &str) -> String {
    format!("{RESERVED}uploads/{}/", sign::sha256(id.as_bytes()))
}

fn begun_key(id: &str) -> String {
    folder(id) + "upload"
}

fn part_key(id: &str, number: u32) -> String {
    format!("{}parts/{number:05}", folder(id))
}

impl Inner {
    pub(super) async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &Upload,
    ) -> Result<String, StoreError> {
        if reserved(key) {
            return Err(StoreError::Reserved);
        }
        let _changes = self.gate.read().await;
        let record = random_name()?;
        let ask = Ask::object(Method::POST, bucket, key)
            .query("uploads", "")
            .header(RECORD_HEADER, record.as_str());
        let answer = self.client.ask(ask, Bytes::new()).await?.xml()?;
        let id = answer.must("UploadId")?.to_owned();
        let begun = Begun { key: key.to_owned(), record, upload: upload.clone() };
        if let Err(error) = self.store(bucket, &begun_key(&id), &begun, Expected::Anything).await {
            drop(self.abort_there(bucket, key, &id).await);
            return Err(error);
        }
        Ok(id)
    }

    async fn begun(&self, bucket: &str, key: &str, id: &str) -> Result<Begun, StoreError> {
        let found: Option<(Begun, String)> = self.fetch(bucket, &begun_key(id)).await?;
        let found = found.map(|(begun, _)| begun).filter(|begun| begun.key == key);
        found.ok_or(StoreError::NoSuchUpload)
    }

    pub(super) async fn upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<Upload, StoreError> {
        Ok(self.begun(bucket, key, id).await?.upload)
    }

    pub(super) async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        mut part: UploadedPart,
        fresh: &Fresh,
    ) -> Result<(), StoreError> {
        let writing = self.take_written(fresh)?;
        let _changes = self.gate.read().await;
        let own = part_key(id, part.part.number);
        let _alone = self.alone(bucket, &own).await;
        self.begun(bucket, key, id).await?;
        part.part.blob = writing.commit().await?.etag()?;
        self.store(bucket, &own, &Sent { part }, Expected::Anything).await
    }

    pub(super) async fn parts(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        id: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<UploadedPart>, StoreError> {
        self.begun(bucket, key, id).await?;
        let prefix = folder(id) + "parts/";
        let mut names = self.own_keys(bucket, &prefix, Some(part_key(id, after))).await?;
        names.truncate(limit);
        let (inner, bucket) = (Arc::clone(self), Arc::<str>::from(bucket));
        let found = each(names, move |name: String| {
            let (inner, bucket) = (Arc::clone(&inner), Arc::clone(&bucket));
            async move {
                let found: Option<(Sent, String)> = inner.fetch(&bucket, &name).await?;
                found.map(|(sent, _)| sent.part).ok_or(StoreError::NoSuchUpload)
            }
        });
        found.await
    }

    pub(super) async fn complete(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        id: &str,
        object: Object,
        parts: Vec<Part>,
        condition: &Condition,
    ) -> Result<Object, StoreError> {
        let _changes = self.gate.read().await;
        let _alone = self.alone(bucket, key).await;
        let begun = self.begun(bucket, key, id).await?;
        let mut body = String::from(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
        );
        for part in &parts {
            body.push_str(&format!(
                "<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>",
                part.number,
                escaped(&part.blob)
            ));
        }
        body.push_str("</CompleteMultipartUpload>");
        let mut ask = Ask::object(Method::POST, bucket, key).query("uploadId", id);
        if condition.asks() {
            match self.find(bucket, key, None).await {
                Ok(found) => ask = ask.header("if-match", format!("\"{}\"", found.etag)),
                Err(StoreError::NoSuchKey { delete_marker: None }) => {
                    ask = ask.header("if-none-match", "*");
                }
                Err(StoreError::NoSuchKey { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let place = Place { bucket, key, record: &begun.record };
        let join = self.client.ask(ask, Bytes::from(body));
        let object = self.place(place, object, parts, condition, join).await?;
        self.forget_upload(bucket, id).await;
        Ok(object)
    }

    /// What was kept of an upload that has ended goes.
    async fn forget_upload(&self, bucket: &str, id: &str) {
        let versioning = self.bucket(bucket).await.map(|bucket| bucket.versioning);
        let versioning = versioning.unwrap_or(Versioning::Off);
        let keys = match self.own_keys(bucket, &folder(id), None).await {
            Ok(keys) => keys,
            Err(error) => {
                return tracing::warn!(bucket, %error, "what was kept of an upload is left behind");
            }
        };
        for key in keys {
            self.discard(bucket, &key, versioning).await;
        }
    }

    pub(super) async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        let _changes = self.gate.read().await;
        self.begun(bucket, key, id).await?;
        match self.abort_there(bucket, key, id).await {
            Ok(()) | Err(StoreError::NoSuchUpload) => {}
            Err(error) => return Err(error),
        }
        self.forget_upload(bucket, id).await;
        Ok(())
    }

    async fn abort_there(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        let ask = Ask::object(Method::DELETE, bucket, key).query("uploadId", id);
        self.client.ask(ask, Bytes::new()).await?;
        Ok(())
    }

    /// Ends all uploads of a bucket.
    pub(super) async fn abort_all(&self, bucket: &str) -> Result<(), StoreError> {
        for (key, id) in self.all_uploads(bucket, "").await? {
            self.abort_there(bucket, &key, &id).await?;
        }
        Ok(())
    }

    /// The keys and identifiers of uploads, by key; of one key in the order of the store.
    async fn all_uploads(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        let mut marker: Option<(String, String)> = None;
        loop {
            let mut ask = Ask::bucket(Method::GET, bucket)
                .query("uploads", "")
                .query("prefix", prefix)
                .query("encoding-type", "url");
            if let Some((key, id)) = marker.take() {
                ask = ask.query("key-marker", key).query("upload-id-marker", id);
            }
            let page = self.client.ask(ask, Bytes::new()).await?.xml()?;
            let names = super::listing::Names::of(&page);
            for upload in page.all("Upload") {
                let key = names.plain(upload.must("Key")?)?;
                found.push((key, upload.must("UploadId")?.to_owned()));
            }
            if !page.is_true("IsTruncated") {
                break;
            }
            let key = names.plain(page.must("NextKeyMarker")?)?;
            marker = Some((key, page.must("NextUploadIdMarker")?.to_owned()));
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }

    pub(super) async fn list_uploads(
        self: &Arc<Self>,
        bucket: &str,
        query: &Query,
    ) -> Result<Page<(String, Upload)>, StoreError> {
        let mut found = self.all_uploads(bucket, &query.prefix).await?;
        if let Some(after) = &query.after {
            let id = query.after_id.as_ref();
            let at = found.iter().position(|(key, it)| key == after && Some(it) == id);
            match at {
                Some(at) => drop(found.drain(..=at)),
                None => found.retain(|(key, _)| key > after),
            }
        }
        let mut page = Page { entries: Vec::new(), truncated: false };
        let mut wanted = Vec::new();
        for (key, id) in found {
            if let Some(prefix) = super::listing::common_prefix(&key, query) {
                let is_new =
                    page.entries.last().is_none_or(|last: &Entry<_>| last.name() != prefix);
                if is_new
                    && query.after.as_ref().is_none_or(|after| prefix.as_str() > after.as_str())
                {
                    page.entries.push(Entry::Prefix(prefix));
                }
            } else {
                wanted.push((key.clone(), id.clone()));
                page.entries.push(Entry::One(key, (id, None)));
            }
            if page.entries.len() > query.limit {
                page.entries.truncate(query.limit);
                page.truncated = true;
                break;
            }
        }
        let (inner, bucket) = (Arc::clone(self), Arc::<str>::from(bucket));
        let begun = each(wanted, move |(key, id): (String, String)| {
            let (inner, bucket) = (Arc::clone(&inner), Arc::clone(&bucket));
            async move {
                match inner.upload(&bucket, &key, &id).await {
                    Ok(upload) => Ok((id, Some(upload))),
                    // It is none of the gateway's.
                    Err(StoreError::NoSuchUpload) => Ok((id, None)),
                    Err(error) => Err(error),
                }
            }
        });
        let begun: std::collections::HashMap<String, Option<Upload>> =
            begun.await?.into_iter().collect();
        let entries = page.entries.into_iter().filter_map(
            |entry: Entry<(String, Option<Upload>)>| match entry {
                Entry::Prefix(prefix) => Some(Entry::Prefix(prefix)),
                Entry::One(key, (id, _)) => {
                    let upload = begun.get(&id).cloned().flatten()?;
                    Some(Entry::One(key, (id, upload)))
                }
            },
        );
        Ok(Page { entries: entries.collect(), truncated: page.truncated })
    }
}
