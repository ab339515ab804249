//! Listings: keys in the order of their bytes, those with a common prefix as one entry.
//!
//! A page reads what it shows and little more: behind a common prefix it goes on at the first key after it.

use claviger_store::{Engine, Key, Range, Record};

use super::keys::{self, BucketId};
use super::objects::Stored;
use super::{Inner, SCAN_RECORDS, parse, unread};
use crate::store::{Entry, Object, Page, Query, StoreError, Upload, Version};

impl Inner {
    pub(super) fn list(&self, bucket: BucketId, query: &Query) -> Result<Page<Object>, StoreError> {
        let mut range = keys::objects_from(bucket, &query.prefix);
        if let Some(after) = &query.after {
            range = range.after(&keys::object(bucket, after));
        }
        let mut page = Collector::new(query);
        self.walk(bucket, range, query, |key, _, record| match key {
            Found::Prefix(prefix) => Ok(page.push(Entry::Prefix(prefix))),
            Found::Key(key) => {
                let stored: Stored = parse(&record)?;
                if stored.object.delete_marker {
                    return Ok(true);
                }
                Ok(page.push(Entry::One(key, stored.object)))
            }
        })?;
        Ok(page.page)
    }

    pub(super) fn list_versions(
        &self,
        bucket: BucketId,
        query: &Query,
    ) -> Result<Page<Version>, StoreError> {
        let mut page = Collector::new(query);
        let mut range = keys::objects_from(bucket, &query.prefix);
        if let Some(after) = &query.after {
            // Behind a version: first the older ones of the same key.
            if let Some(id) = &query.after_id
                && !self.older_versions(bucket, after, Some(id), &mut page)?
            {
                return Ok(page.page);
            }
            range = range.after(&keys::object(bucket, after));
        }
        self.walk(bucket, range, query, |key, _, record| match key {
            Found::Prefix(prefix) => Ok(page.push(Entry::Prefix(prefix))),
            Found::Key(key) => {
                let stored: Stored = parse(&record)?;
                let version = Version { object: stored.object, latest: true };
                if !page.push(Entry::One(key.clone(), version)) {
                    return Ok(false);
                }
                self.older_versions(bucket, &key, None, &mut page)
            }
        })?;
        Ok(page.page)
    }

    /// Adds the older versions of a key, those behind one of them. Says whether the page takes more.
    fn older_versions(
        &self,
        bucket: BucketId,
        key: &str,
        after: Option<&str>,
        page: &mut Collector<Version>,
    ) -> Result<bool, StoreError> {
        let mut waiting = after;
        let current = self.record::<Stored>(&keys::object(bucket, key))?;
        if current.is_some_and(|(stored, _)| Some(stored.object.version().as_str()) == after) {
            waiting = None;
        }
        let mut range = keys::versions(bucket, key).limit(SCAN_RECORDS);
        loop {
            let found = self.engine.scan(&range).map_err(unread)?;
            let more = found.len() == SCAN_RECORDS;
            for (place, record) in found {
                let stored: Stored = parse(&record)?;
                range = range.after(&place);
                if let Some(version) = waiting {
                    if stored.object.version() == version {
                        waiting = None;
                    }
                    continue;
                }
                let version = Version { object: stored.object, latest: false };
                if !page.push(Entry::One(key.to_owned(), version)) {
                    return Ok(false);
                }
            }
            if !more {
                return Ok(true);
            }
        }
    }

    pub(super) fn list_uploads(
        &self,
        bucket: BucketId,
        query: &Query,
    ) -> Result<Page<(String, Upload)>, StoreError> {
        let mut range = keys::uploads_from(bucket, &query.prefix);
        if let Some(after) = &query.after {
            // Without an identifier, behind all uploads of the key.
            let id = query.after_id.as_deref().unwrap_or("~");
            range = range.after(&keys::upload(bucket, after, id));
        }
        let mut page = Collector::new(query);
        self.walk(bucket, range, query, |key, id, record| match key {
            Found::Prefix(prefix) => Ok(page.push(Entry::Prefix(prefix))),
            Found::Key(key) => {
                let id = str::from_utf8(id).map_err(|_| StoreError::Damaged)?.to_owned();
                Ok(page.push(Entry::One(key, (id, parse(&record)?))))
            }
        })?;
        Ok(page.page)
    }

    /// Hands over what a range has: each key, or the prefix of those that are one entry, once. Ends when the range does or
    /// `take` wants no more.
    fn walk(
        &self,
        bucket: BucketId,
        mut range: Range,
        query: &Query,
        mut take: impl FnMut(Found, &[u8], Record) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        range = range.limit(SCAN_RECORDS);
        let mut prefix: Option<String> = None;
        loop {
            let found = self.engine.scan(&range).map_err(unread)?;
            let more = found.len() == SCAN_RECORDS;
            for (place, record) in found {
                range = range.after(&place);
                let (key, rest) = keys::s3_key(&place).ok_or(StoreError::Damaged)?;
                if prefix.as_ref().is_some_and(|prefix| key.starts_with(prefix)) {
                    continue;
                }
                let common = common_prefix(key, query);
                let Some(common) = common else {
                    if !take(Found::Key(key.to_owned()), rest, record)? {
                        return Ok(());
                    }
                    continue;
                };
                // A page that ended with this prefix has shown it.
                let shown = query.after.as_deref() == Some(common);
                prefix = Some(common.to_owned());
                if !shown && !take(Found::Prefix(common.to_owned()), rest, record)? {
                    return Ok(());
                }
            }
            if !more {
                return Ok(());
            }
            if let Some(end) =
                prefix.as_ref().and_then(|prefix| end_of(&place_of(&range, bucket, prefix)))
                && end > range.start
            {
                range.start = end;
            }
        }
    }
}

/// What [`Inner::walk`] hands over.
enum Found {
    Key(String),
    Prefix(String),
}

/// The part of a key up to the first delimiter behind the prefix.
fn common_prefix<'a>(key: &'a str, query: &Query) -> Option<&'a str> {
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let at = rest.find(delimiter)?;
    key.get(..query.prefix.len().checked_add(at)?.checked_add(delimiter.len())?)
}

/// Where the keys of a range that start so begin: of the same kind as the range.
fn place_of(range: &Range, bucket: BucketId, prefix: &str) -> Key {
    let kind = range.start.first().copied().unwrap_or_default();
    let mut place = vec![kind];
    place.extend_from_slice(&bucket.to_be_bytes());
    place.extend_from_slice(prefix.as_bytes());
    place
}

fn end_of(prefix: &[u8]) -> Option<Key> {
    Range::prefix(prefix).end
}

/// Fills a page, and notes whether there was more.
struct Collector<T> {
    page: Page<T>,
    limit: usize,
}

impl<T> Collector<T> {
    fn new(query: &Query) -> Self {
        Self { page: Page { entries: Vec::new(), truncated: false }, limit: query.limit }
    }

    /// Takes an entry, or notes that the page is full. Says whether it takes more.
    fn push(&mut self, entry: Entry<T>) -> bool {
        if self.page.entries.len() >= self.limit {
            self.page.truncated = self.limit > 0;
            return false;
        }
        self.page.entries.push(entry);
        true
    }
}
