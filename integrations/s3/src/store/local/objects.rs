//! Objects and their versions: what a write, a deletion and a reading make of the records.
//!
//! A key's current version is its `O` record, older ones are `V` records. There is no `V` without an `O`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use claviger_store::{Engine, Key, Put, Record};

use super::keys::{self, BucketId};
use super::{Change, Inner, StoredBucket, parse, unread};
use crate::store::{
    About, Condition, Deleted, Description, Held, Object, Part, StoreError, Versioning, Wrapping,
};

/// As many parts are stored with their object; more have a record of their own, so that listings stay small.
const PARTS_INLINE: usize = 16;

/// An object as it rests.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) object: Object,
    /// Absent where they have a record of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parts: Option<Vec<Part>>,
}

impl Inner {
    /// Puts an object in its place, and what was there where the bucket's versioning wants it.
    pub(super) fn place(
        &self,
        change: &mut Change,
        bucket: &StoredBucket,
        key: &str,
        mut object: Object,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<Object, StoreError> {
        if condition.bucket_created_ms.is_some_and(|made| made != bucket.bucket.created_ms) {
            return Err(StoreError::NoSuchBucket);
        }
        let place = keys::object(bucket.id, key);
        let current: Option<(Stored, Record)> = self.record(&place)?;
        let found = current.as_ref().map(|(stored, _)| &stored.object);
        let found = found.filter(|object| !object.delete_marker);
        condition.check(found.map(|object| object.about().etag.as_str()))?;

        change.expect(place.clone(), current.as_ref().map(|(_, record)| record));
        object.null = bucket.bucket.versioning != Versioning::Enabled;
        object.sequence = now_us();
        let mut record_version = object.sequence;
        if let Some((stored, record)) = current {
            object.sequence = object.sequence.max(stored.object.sequence.saturating_add(1));
            record_version = object.sequence.max(record.version.saturating_add(1));
            if object.null && stored.object.null {
                self.drop_content(change, &stored)?;
            } else {
                if object.null {
                    self.drop_null_version(change, bucket.id, key)?;
                }
                let older = keys::version(bucket.id, key, stored.object.sequence);
                change.batch.put.push(Put {
                    key: older,
                    version: record.version,
                    value: record.value,
                });
            }
        }
        let inline = parts.len() <= PARTS_INLINE;
        if !inline {
            change.put(keys::parts(&object.id), 1, &parts)?;
        }
        let stored = Stored { object, parts: inline.then(|| parts.to_vec()) };
        change.put(place, record_version, &stored)?;
        Ok(stored.object)
    }

    /// Deletes the current object, or hides it behind a delete marker.
    pub(super) fn delete_current(
        &self,
        change: &mut Change,
        bucket: &StoredBucket,
        key: &str,
        condition: &Condition,
    ) -> Result<Deleted, StoreError> {
        if bucket.bucket.versioning != Versioning::Off {
            let marker = self.place(change, bucket, key, marker()?, &[], condition)?;
            return Ok(Deleted { version: Some(marker.version()), delete_marker: true });
        }
        let place = keys::object(bucket.id, key);
        let current: Option<(Stored, Record)> = self.record(&place)?;
        condition.check(current.as_ref().map(|(stored, _)| stored.object.about().etag.as_str()))?;
        if let Some((stored, record)) = current {
            change.expect(place.clone(), Some(&record));
            change.delete(place);
            self.drop_content(change, &stored)?;
        }
        Ok(Deleted::default())
    }

    /// Deletes a version for good; the next older one becomes the current one if it was that.
    pub(super) fn delete_version(
        &self,
        change: &mut Change,
        bucket: &StoredBucket,
        key: &str,
        version: &str,
        condition: &Condition,
    ) -> Result<Deleted, StoreError> {
        let found = match self.find_any(bucket.id, key, version) {
            Err(StoreError::NoSuchVersion) => {
                let version = Some(version.to_owned());
                return Ok(Deleted { version, delete_marker: false });
            }
            found => found?,
        };
        let (place, stored, record) = found;
        condition.check(Some(&stored.object.about().etag))?;
        let current = keys::object(bucket.id, key);
        change.expect(place.clone(), Some(&record));
        if place == current {
            let older =
                self.engine.scan(&keys::versions(bucket.id, key).limit(1)).map_err(unread)?;
            match older.into_iter().next() {
                None => change.delete(place),
                Some((from, older)) => {
                    change.expect(from.clone(), Some(&older));
                    change.delete(from);
                    let put = Put {
                        key: current,
                        version: older.version.max(record.version).saturating_add(1),
                        value: older.value,
                    };
                    change.batch.put.push(put);
                }
            }
        } else {
            change.delete(place);
        }
        self.drop_content(change, &stored)?;
        let delete_marker = stored.object.delete_marker;
        Ok(Deleted { version: Some(version.to_owned()), delete_marker })
    }

    /// The record of a version that has content.
    pub(super) fn find(
        &self,
        bucket: BucketId,
        key: &str,
        version: Option<&str>,
    ) -> Result<(Key, Stored, Record), StoreError> {
        let (place, stored, record) = match version {
            Some(version) => self.find_any(bucket, key, version)?,
            None => {
                let place = keys::object(bucket, key);
                let current: Option<(Stored, Record)> = self.record(&place)?;
                let (stored, record) =
                    current.ok_or(StoreError::NoSuchKey { delete_marker: None })?;
                (place, stored, record)
            }
        };
        if stored.object.delete_marker {
            let marker = stored.object.version();
            return Err(match version {
                Some(_) => StoreError::IsDeleteMarker { version: marker },
                None => StoreError::NoSuchKey { delete_marker: Some(marker) },
            });
        }
        Ok((place, stored, record))
    }

    /// The record of a version, which may be a delete marker.
    fn find_any(
        &self,
        bucket: BucketId,
        key: &str,
        version: &str,
    ) -> Result<(Key, Stored, Record), StoreError> {
        let place = keys::object(bucket, key);
        let current: Option<(Stored, Record)> = self.record(&place)?;
        let (stored, record) = current.ok_or(StoreError::NoSuchVersion)?;
        if stored.object.version() == version {
            return Ok((place, stored, record));
        }
        if version == "null" {
            return self.null_version(bucket, key)?.ok_or(StoreError::NoSuchVersion);
        }
        let sequence = u64::from_str_radix(version, 16).map_err(|_| StoreError::NoSuchVersion)?;
        let place = keys::version(bucket, key, sequence);
        let older: Option<(Stored, Record)> = self.record(&place)?;
        match older {
            Some((stored, record)) if stored.object.version() == version => {
                Ok((place, stored, record))
            }
            _ => Err(StoreError::NoSuchVersion),
        }
    }

    /// The older version that is called `null`.
    fn null_version(
        &self,
        bucket: BucketId,
        key: &str,
    ) -> Result<Option<(Key, Stored, Record)>, StoreError> {
        let older = self.engine.scan(&keys::versions(bucket, key)).map_err(unread)?;
        for (place, record) in older {
            let stored: Stored = parse(&record)?;
            if stored.object.null {
                return Ok(Some((place, stored, record)));
            }
        }
        Ok(None)
    }

    fn drop_null_version(
        &self,
        change: &mut Change,
        bucket: BucketId,
        key: &str,
    ) -> Result<(), StoreError> {
        if let Some((place, stored, record)) = self.null_version(bucket, key)? {
            change.expect(place.clone(), Some(&record));
            change.delete(place);
            self.drop_content(change, &stored)?;
        }
        Ok(())
    }

    fn drop_content(&self, change: &mut Change, stored: &Stored) -> Result<(), StoreError> {
        let parts = self.parts_of(stored)?.ok_or(StoreError::Busy)?;
        if stored.parts.is_none() {
            change.delete(keys::parts(&stored.object.id));
        }
        let blobs = parts.into_iter().map(|part| part.blob).collect();
        change.drop_blobs(&stored.object.id, blobs);
        Ok(())
    }

    fn parts_of(&self, stored: &Stored) -> Result<Option<Vec<Part>>, StoreError> {
        if let Some(parts) = &stored.parts {
            return Ok(Some(parts.clone()));
        }
        Ok(self.record(&keys::parts(&stored.object.id))?.map(|(parts, _)| parts))
    }

    /// Puts other wrappings in the place of some, of a version and of its parts.
    pub(super) fn rewrap(
        &self,
        change: &mut Change,
        bucket: BucketId,
        key: &str,
        version: &str,
        changes: &[(Wrapping, Wrapping)],
    ) -> Result<(), StoreError> {
        let (place, mut stored, record) = self.find(bucket, key, Some(version))?;
        let replace = |wrapping: &mut Option<Wrapping>| Wrapping::replace(wrapping, changes);
        replace(&mut stored.object.wrapping);
        match &mut stored.parts {
            Some(parts) => parts.iter_mut().for_each(|part| replace(&mut part.wrapping)),
            None => {
                let place = keys::parts(&stored.object.id);
                let found: Option<(Vec<Part>, Record)> = self.record(&place)?;
                let (mut parts, record) = found.ok_or(StoreError::Busy)?;
                parts.iter_mut().for_each(|part| replace(&mut part.wrapping));
                change.expect(place.clone(), Some(&record));
                change.put(place, record.version.saturating_add(1), &parts)?;
            }
        }
        change.expect(place.clone(), Some(&record));
        change.put(place, record.version.saturating_add(1), &stored)
    }

    /// An object whose files stay until the hold is dropped: it is looked up again after it is held, for it may have been
    /// replaced in between.
    pub(super) fn hold(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Held, StoreError> {
        let bucket = self.bucket_id(bucket)?;
        let (_, mut stored, _) = self.find(bucket, key, version)?;
        for _ in 0..super::ATTEMPTS_MAX {
            let hold = Hold { inner: Arc::clone(self), content: stored.object.id.clone() };
            self.readers.enter(&hold.content);
            let (_, again, _) = self.find(bucket, key, version)?;
            if again.object.id == stored.object.id {
                // Its parts may have gone after it was found; then it has been replaced.
                if let Some(parts) = self.parts_of(&again)? {
                    return Ok(Held { object: again.object, parts, hold: Box::new(hold) });
                }
            }
            stored = again;
        }
        Err(StoreError::Busy)
    }
}

/// A reader of a content.
struct Hold {
    inner: Arc<Inner>,
    content: String,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let free = self.inner.readers.leave(&self.content);
        self.inner.remove(free);
    }
}

fn marker() -> Result<Object, StoreError> {
    let mut id = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut id).map_err(|error| super::failed(&error))?;
    let about = About { modified_ms: now_us() / 1000, ..About::default() };
    Ok(Object {
        id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        sequence: 0,
        null: false,
        named: None,
        delete_marker: true,
        description: Description::new(about),
        seal: None,
        wrapping: None,
        tags: std::collections::BTreeMap::new(),
    })
}

pub(super) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
