//! Listings: the store's own, without what is reserved, and with what records say.
//!
//! A listing of the store has stored sizes and entity tags of stored bytes. What it stands for is asked for once and
//! remembered by the entity tag, for another content has another one.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use s3s::dto::TimestampFormat;

use super::buckets::time_ms;
use super::found::{bare, named};
use super::http::Ask;
use super::versions::next_marker;
use super::xml::Element;
use super::{BEHIND_RESERVED, Inner, RESERVED, each, locked, reserved};
use crate::store::{About, Entry, Object, Page, Query, StoreError, Version};

/// How many objects are remembered.
const KNOWN_MAX: usize = 20_000;

/// A listing of the store: a parameter that names it, with its value, and the one that says behind which key it begins.
type Kind = (&'static str, &'static str, &'static str);
const CURRENT: Kind = ("list-type", "2", "start-after");
const VERSIONS: Kind = ("versions", "", "key-marker");

/// How an answer has its names.
#[derive(Clone, Copy)]
pub(super) struct Names {
    encoded: bool,
}

impl Names {
    pub(super) fn of(page: &Element) -> Self {
        Self { encoded: page.text("EncodingType") == Some("url") }
    }

    /// The name as it is.
    pub(super) fn plain(self, name: &str) -> Result<String, StoreError> {
        if !self.encoded {
            return Ok(name.to_owned());
        }
        decoded(name)
            .ok_or_else(|| StoreError::Failed("a listing has a name that is none".to_owned()))
    }
}

fn decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                bytes.push(u8::try_from((high << 4) | low).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// What a key is listed as, if not by itself.
pub(super) fn common_prefix(key: &str, query: &Query) -> Option<String> {
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let (front, _) = rest.split_once(delimiter)?;
    Some(format!("{}{front}{delimiter}", query.prefix))
}

/// What listings have found, by bucket and key.
#[derive(Default)]
pub(super) struct Known {
    objects: HashMap<(String, String), (String, About)>,
}

impl Known {
    pub(super) fn put(&mut self, bucket: &str, key: &str, etag: &str, object: &Object) {
        if self.objects.len() >= KNOWN_MAX {
            self.objects.clear();
        }
        let about = object.about();
        // What a listing shows.
        let shown = About {
            size: about.size,
            etag: about.etag.clone(),
            modified_ms: about.modified_ms,
            ..About::default()
        };
        self.objects.insert((bucket.to_owned(), key.to_owned()), (etag.to_owned(), shown));
    }

    fn get(&self, bucket: &str, key: &str, etag: &str) -> Option<About> {
        let (known, about) = self.objects.get(&(bucket.to_owned(), key.to_owned()))?;
        (known == etag).then(|| about.clone())
    }
}

impl Inner {
    pub(super) async fn list(
        self: &Arc<Self>,
        bucket: &str,
        query: &Query,
    ) -> Result<Page<Object>, StoreError> {
        let mut found: Vec<Entry<String>> = Vec::new();
        let mut after = query.after.clone().map(|after| match common_prefix(&after, query) {
            // Behind all that it stands for.
            Some(prefix) if prefix == after => after + "\u{10FFFF}",
            _ => after,
        });
        let mut truncated = query.limit > 0;
        while truncated && found.len() < query.limit {
            let left = query.limit.saturating_sub(found.len());
            let mut ask = Ask::bucket(Method::GET, bucket)
                .query("list-type", "2")
                .query("prefix", query.prefix.as_str())
                .query("max-keys", left.to_string())
                .query("encoding-type", "url");
            if let Some(delimiter) = &query.delimiter {
                ask = ask.query("delimiter", delimiter.as_str());
            }
            if let Some(after) = &after {
                ask = ask.query("start-after", after.as_str());
            }
            let page = self.client.ask(ask, Bytes::new()).await?.xml()?;
            truncated = page.is_true("IsTruncated");
            let entries = entries(&page)?;
            let Some(last) = entries.last() else { break };
            let mut next = match last {
                Entry::Prefix(prefix) => format!("{prefix}\u{10FFFF}"),
                Entry::One(key, _) => key.clone(),
            };
            // The rest of what is reserved need not be listed.
            if entries.iter().any(|entry| reserved(entry.name())) && next.as_str() < BEHIND_RESERVED
            {
                BEHIND_RESERVED.clone_into(&mut next);
            }
            found.extend(self.shown(bucket, CURRENT, after.as_deref(), entries).await?);
            after = Some(next);
        }
        if query.limit == 0 {
            self.bucket(bucket).await?;
        }
        let (inner, bucket) = (Arc::clone(self), Arc::<str>::from(bucket));
        let listed = each(found, move |entry: Entry<String>| {
            let (inner, bucket) = (Arc::clone(&inner), Arc::clone(&bucket));
            async move { inner.listed(&bucket, entry).await }
        });
        let entries = listed.await?.into_iter().flatten().collect();
        Ok(Page { entries, truncated })
    }

    /// An entry with what its object is; nothing if that has gone since.
    async fn listed(
        &self,
        bucket: &str,
        entry: Entry<String>,
    ) -> Result<Option<Entry<Object>>, StoreError> {
        let (key, etag) = match entry {
            Entry::Prefix(prefix) => return Ok(Some(Entry::Prefix(prefix))),
            Entry::One(key, etag) => (key, etag),
        };
        let known = locked(&self.known).get(bucket, &key, &etag);
        if let Some(about) = known {
            return Ok(Some(Entry::One(key, bare(about, false))));
        }
        match self.described(bucket, &key, None).await {
            Ok((etag, object)) => {
                locked(&self.known).put(bucket, &key, &etag, &object);
                Ok(Some(Entry::One(key, object)))
            }
            Err(StoreError::NoSuchKey { .. } | StoreError::NoSuchVersion) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list_versions(
        self: &Arc<Self>,
        bucket: &str,
        query: &Query,
    ) -> Result<Page<Version>, StoreError> {
        let mut found: Vec<Entry<Shown>> = Vec::new();
        let mut marker = query.after.clone().map(|after| (after, query.after_id.clone()));
        let mut truncated = query.limit > 0;
        while truncated && found.len() < query.limit {
            let left = query.limit.saturating_sub(found.len());
            let mut ask = Ask::bucket(Method::GET, bucket)
                .query("versions", "")
                .query("prefix", query.prefix.as_str())
                .query("max-keys", left.to_string())
                .query("encoding-type", "url");
            if let Some(delimiter) = &query.delimiter {
                ask = ask.query("delimiter", delimiter.as_str());
            }
            let after = marker.take();
            if let Some((key, version)) = &after {
                ask = ask.query("key-marker", key.as_str());
                if let Some(version) = version {
                    ask = ask.query("version-id-marker", version.as_str());
                }
            }
            let page = self.client.ask(ask, Bytes::new()).await?.xml()?;
            marker = next_marker(&page, Names::of(&page))?;
            truncated = marker.is_some();
            let after = after.as_ref().map(|(key, _)| key.as_str());
            found.extend(self.shown(bucket, VERSIONS, after, versions(&page)?).await?);
        }
        if query.limit == 0 {
            self.bucket(bucket).await?;
        }
        let (inner, bucket) = (Arc::clone(self), Arc::<str>::from(bucket));
        let listed = each(found, move |entry: Entry<Shown>| {
            let (inner, bucket) = (Arc::clone(&inner), Arc::clone(&bucket));
            async move {
                let (key, shown) = match entry {
                    Entry::Prefix(prefix) => return Ok(Some(Entry::Prefix(prefix))),
                    Entry::One(key, shown) => (key, shown),
                };
                let Shown { version, latest, modified_ms, marker } = shown;
                let plain = version != "null";
                let object = if marker {
                    let about = About { modified_ms, ..About::default() };
                    named(bare(about, true), plain.then_some(version))
                } else {
                    match inner.described(&bucket, &key, Some(&version)).await {
                        Ok((_, object)) => object,
                        Err(StoreError::NoSuchKey { .. } | StoreError::NoSuchVersion) => {
                            return Ok(None);
                        }
                        Err(error) => return Err(error),
                    }
                };
                Ok(Some(Entry::One(key, Version { object, latest })))
            }
        });
        let entries = listed.await?.into_iter().flatten().collect();
        Ok(Page { entries, truncated })
    }

    /// The entries that anybody may see, of a page behind `after`.
    async fn shown<T>(
        &self,
        bucket: &str,
        kind: Kind,
        after: Option<&str>,
        entries: Vec<Entry<T>>,
    ) -> Result<Vec<Entry<T>>, StoreError> {
        let mut shown = Vec::with_capacity(entries.len());
        for entry in entries {
            let hidden = match &entry {
                _ if reserved(entry.name()) => true,
                // A delimiter may be within the name of what is reserved.
                Entry::Prefix(prefix) if RESERVED.starts_with(prefix.as_str()) => {
                    !self.is_prefix_of_others(bucket, kind, after, prefix).await?
                }
                _ => false,
            };
            if !hidden {
                shown.push(entry);
            }
        }
        Ok(shown)
    }

    /// Whether keys behind `after` begin so that are not reserved.
    async fn is_prefix_of_others(
        &self,
        bucket: &str,
        (listing, value, marker): Kind,
        after: Option<&str>,
        prefix: &str,
    ) -> Result<bool, StoreError> {
        // They are before what is reserved, or behind it.
        for after in [after, Some(BEHIND_RESERVED)] {
            let mut ask = Ask::bucket(Method::GET, bucket)
                .query(listing, value)
                .query("prefix", prefix)
                .query("max-keys", "1")
                .query("encoding-type", "url");
            if let Some(after) = after {
                ask = ask.query(marker, after);
            }
            let page = self.client.ask(ask, Bytes::new()).await?.xml()?;
            let mut found = page.children().filter_map(|found| found.text("Key"));
            let Some(first) = found.next() else { return Ok(false) };
            if !reserved(&Names::of(&page).plain(first)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The store's own keys that begin so.
    pub(super) async fn own_keys(
        &self,
        bucket: &str,
        prefix: &str,
        mut after: Option<String>,
    ) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        loop {
            let mut ask = Ask::bucket(Method::GET, bucket)
                .query("list-type", "2")
                .query("prefix", prefix)
                .query("encoding-type", "url");
            if let Some(after) = &after {
                ask = ask.query("start-after", after.as_str());
            }
            let page = self.client.ask(ask, Bytes::new()).await?.xml()?;
            let found = entries(&page)?;
            after = found.last().map(|entry| entry.name().to_owned());
            keys.extend(found.iter().map(|entry| entry.name().to_owned()));
            if after.is_none() || !page.is_true("IsTruncated") {
                return Ok(keys);
            }
        }
    }
}

/// The entries of a page by name, objects with their entity tags.
fn entries(page: &Element) -> Result<Vec<Entry<String>>, StoreError> {
    let names = Names::of(page);
    let mut entries = Vec::new();
    for object in page.all("Contents") {
        let etag = object.must("ETag")?.trim_matches('"').to_owned();
        entries.push(Entry::One(names.plain(object.must("Key")?)?, etag));
    }
    for prefix in page.all("CommonPrefixes") {
        entries.push(Entry::Prefix(names.plain(prefix.must("Prefix")?)?));
    }
    entries.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(entries)
}

/// What a listing says of a version.
struct Shown {
    version: String,
    latest: bool,
    modified_ms: u64,
    marker: bool,
}

/// The versions of a page, by name; of one name newest first. Some stores have their markers behind everything else.
fn versions(page: &Element) -> Result<Vec<Entry<Shown>>, StoreError> {
    let names = Names::of(page);
    let mut entries = Vec::new();
    for version in page.children().filter(|it| matches!(it.name(), "Version" | "DeleteMarker")) {
        let modified = version.text("LastModified").unwrap_or_default();
        let shown = Shown {
            version: version.text("VersionId").unwrap_or("null").to_owned(),
            latest: version.is_true("IsLatest"),
            modified_ms: time_ms(modified, TimestampFormat::DateTime),
            marker: version.name() == "DeleteMarker",
        };
        entries.push(Entry::One(names.plain(version.must("Key")?)?, shown));
    }
    for prefix in page.all("CommonPrefixes") {
        entries.push(Entry::Prefix(names.plain(prefix.must("Prefix")?)?));
    }
    let age = |entry: &Entry<Shown>| match entry {
        Entry::One(_, shown) => (!shown.latest, u64::MAX.saturating_sub(shown.modified_ms)),
        Entry::Prefix(_) => (false, 0),
    };
    entries.sort_by(|one, other| one.name().cmp(other.name()).then(age(one).cmp(&age(other))));
    Ok(entries)
}
