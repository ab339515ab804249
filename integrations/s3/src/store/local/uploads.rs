//! Uploads in parts. A part's file belongs to its upload until the upload ends.

use std::collections::HashSet;
use std::sync::Arc;

use claviger_store::{Engine, Record};

use super::keys::{self, BucketId};
use super::objects::now_us;
use super::{Change, Inner, failed, parse, unread};
use crate::store::{Condition, Fresh, Object, Part, StoreError, Upload, UploadedPart};

impl Inner {
    pub(super) async fn create_upload(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        upload: &Upload,
    ) -> Result<String, StoreError> {
        let mut random = [0_u8; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|error| failed(&error))?;
        let id = format!("{:016x}{:016x}", now_us(), u64::from_be_bytes(random));
        self.change(|inner, change| {
            let bucket = inner.bucket_id(bucket)?;
            change.put(keys::upload(bucket, key, &id), 1, upload)
        })
        .await?;
        Ok(id)
    }

    pub(super) fn upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<(BucketId, Upload, Record), StoreError> {
        let bucket = self.bucket_id(bucket)?;
        let found = self.record(&keys::upload(bucket, key, id))?;
        let (upload, record) = found.ok_or(StoreError::NoSuchUpload)?;
        Ok((bucket, upload, record))
    }

    pub(super) async fn put_part(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        id: &str,
        part: UploadedPart,
        fresh: Fresh,
    ) -> Result<(), StoreError> {
        self.change_with(vec![fresh], |inner, change| {
            let (bucket, _, upload) = inner.upload(bucket, key, id)?;
            change.expect(keys::upload(bucket, key, id), Some(&upload));
            let place = keys::uploaded_part(id, part.part.number);
            let replaced: Option<(UploadedPart, Record)> = inner.record(&place)?;
            change.expect(place.clone(), replaced.as_ref().map(|(_, record)| record));
            let mut version = 1;
            if let Some((replaced, record)) = replaced {
                version = record.version.saturating_add(1);
                change.drop_blobs(&replaced.part.blob.clone(), vec![replaced.part.blob]);
            }
            change.mark(keys::live(&part.part.blob));
            change.put(place, version, &part)
        })
        .await
    }

    pub(super) fn parts(
        &self,
        id: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<UploadedPart>, StoreError> {
        let range = keys::uploaded_parts(id).after(&keys::uploaded_part(id, after)).limit(limit);
        let found = self.engine.scan(&range).map_err(unread)?;
        found.iter().map(|(_, record)| parse(record)).collect()
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
        self.change(|inner, change| {
            let (stored, _) = inner.bucket(bucket)?;
            let (bucket, _, upload) = inner.upload(bucket, key, id)?;
            change.expect(keys::upload(bucket, key, id), Some(&upload));
            inner.end_upload(change, bucket, key, id, &parts)?;
            inner.place(change, &stored, key, object.clone(), &parts, condition)
        })
        .await
    }

    /// Removes an upload, and its parts but those that are kept, which must be there.
    pub(super) fn end_upload(
        &self,
        change: &mut Change,
        bucket: BucketId,
        key: &str,
        id: &str,
        kept: &[Part],
    ) -> Result<(), StoreError> {
        change.delete(keys::upload(bucket, key, id));
        let mut kept: HashSet<&str> = kept.iter().map(|part| part.blob.as_str()).collect();
        let found = self.engine.scan(&keys::uploaded_parts(id)).map_err(unread)?;
        for (place, record) in found {
            let part: UploadedPart = parse(&record)?;
            change.expect(place.clone(), Some(&record));
            change.delete(place);
            if !kept.remove(part.part.blob.as_str()) {
                change.drop_blobs(&part.part.blob.clone(), vec![part.part.blob]);
            }
        }
        if kept.is_empty() { Ok(()) } else { Err(StoreError::InvalidPart) }
    }

    /// Removes all uploads of a bucket.
    pub(super) fn abort_all(
        &self,
        change: &mut Change,
        bucket: BucketId,
    ) -> Result<(), StoreError> {
        let uploads = self.engine.scan(&keys::uploads_from(bucket, "")).map_err(unread)?;
        for (place, _) in uploads {
            let (key, id) = keys::s3_key(&place).ok_or(StoreError::Damaged)?;
            let id = str::from_utf8(id).map_err(|_| StoreError::Damaged)?;
            self.end_upload(change, bucket, key, id, &[])?;
        }
        Ok(())
    }
}
