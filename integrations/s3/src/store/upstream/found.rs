//! What is found of objects: what the store says of them, and what their records say.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::{HeaderMap, Method};
use s3s::dto::TimestampFormat;

use super::buckets::time_ms;
use super::http::Ask;
use super::reading::{Pin, Stretch};
use super::records::{RECORD_HEADER, Record};
use super::{ATTEMPTS_MAX, Inner, reserved};
use crate::segments::stored_len;
use crate::store::{About, Description, Held, Object, Part, StoreError, Versioning};

/// Headers that the store keeps of an object, as they are called here.
const HEADERS: [(&str, &str); 7] = [
    ("content-type", "content-type"),
    ("cache-control", "cache-control"),
    ("content-disposition", "content-disposition"),
    ("content-encoding", "content-encoding"),
    ("content-language", "content-language"),
    ("expires", "expires"),
    ("x-amz-website-redirect-location", "website-redirect-location"),
];
const METADATA: &str = "x-amz-meta-";
/// What the store says of an object.
pub(super) struct Found {
    pub(super) etag: String,
    /// Its version, where the bucket has such; `null` is none.
    pub(super) version: Option<String>,
    /// How the version is asked for again.
    pub(super) address: Option<String>,
    /// The name of its record.
    pub(super) record: Option<String>,
    headers: HeaderMap,
}

impl Found {
    fn new(headers: HeaderMap, asked: Option<&str>) -> Result<Self, StoreError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let etag = text("etag").map(|etag| etag.trim_matches('"').to_owned());
        Ok(Self {
            etag: etag
                .ok_or_else(|| StoreError::Failed("an object has no entity tag".to_owned()))?,
            version: version_of(&headers),
            address: version_of(&headers).or_else(|| asked.map(str::to_owned)),
            record: text(RECORD_HEADER).map(str::to_owned),
            headers,
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn len(&self) -> u64 {
        self.text("content-length").and_then(|len| len.parse().ok()).unwrap_or_default()
    }

    /// What an object is that nobody has said anything else of.
    pub(super) fn about(&self) -> About {
        let headers = HEADERS
            .iter()
            .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), self.text(theirs)?.to_owned())));
        let metadata = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(METADATA)?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        });
        let parts_count = self.etag.split_once('-').and_then(|(_, count)| count.parse().ok());
        About {
            size: self.len(),
            etag: self.etag.clone(),
            modified_ms: time_ms(
                self.text("last-modified").unwrap_or_default(),
                TimestampFormat::HttpDate,
            ),
            headers: headers.collect(),
            metadata: metadata.collect(),
            checksum: None,
            parts_count,
            encryption: None,
        }
    }
}

/// The version that headers name, unless it is `null`.
pub(super) fn version_of(headers: &HeaderMap) -> Option<String> {
    let version = headers.get("x-amz-version-id").and_then(|version| version.to_str().ok());
    version.filter(|version| *version != "null").map(str::to_owned)
}

/// An object without a record, or a delete marker.
pub(super) fn bare(about: About, delete_marker: bool) -> Object {
    Object {
        id: String::new(),
        sequence: 0,
        null: false,
        named: None,
        delete_marker,
        description: Description::new(about),
        seal: None,
        wrapping: None,
        tags: BTreeMap::new(),
    }
}

/// The object with the name of its version.
pub(super) fn named(mut object: Object, version: Option<String>) -> Object {
    object.null = version.is_none();
    object.named = version;
    object
}

/// How many bytes of a part are stored.
fn stored(part: &Part) -> u64 {
    if part.stream.is_some() { stored_len(part.size) } else { part.size }
}

impl Inner {
    /// Looks for an object.
    pub(super) async fn find(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Found, StoreError> {
        let absent = || match version {
            Some(_) => StoreError::NoSuchVersion,
            None => StoreError::NoSuchKey { delete_marker: None },
        };
        let ask = Ask::object(Method::HEAD, bucket, key).version(version);
        let (status, headers) = self.client.look(&ask).await?;
        if status.is_success() {
            return Found::new(headers, version);
        }
        let marker = headers.get("x-amz-delete-marker").is_some_and(|value| value == "true");
        let marked = || version_of(&headers).unwrap_or_else(|| "null".to_owned());
        Err(match status.as_u16() {
            405 => StoreError::IsDeleteMarker { version: marked() },
            404 if marker => StoreError::NoSuchKey { delete_marker: Some(marked()) },
            404 => {
                // Answers to HEAD do not say what is not there.
                self.bucket(bucket).await?;
                absent()
            }
            // No version can be called so; or the store refuses to HEAD what it lets GET.
            _ if version.is_some() => {
                let ask = Ask::object(Method::GET, bucket, key).version(version);
                match self.client.open(&ask).await {
                    Ok(response) => return Found::new(response.headers().clone(), version),
                    Err(StoreError::Refused { .. }) => StoreError::NoSuchVersion,
                    Err(error) => error,
                }
            }
            status => StoreError::Refused { status, code: "InvalidRequest".to_owned() },
        })
    }

    /// The version to ask for: where a bucket has none, all objects are `null`.
    pub(super) async fn version_there<'a>(
        &self,
        bucket: &str,
        version: Option<&'a str>,
    ) -> Result<Option<&'a str>, StoreError> {
        let Some(version) = version else { return Ok(None) };
        match self.bucket(bucket).await?.versioning {
            Versioning::Off if version == "null" => Ok(None),
            Versioning::Off => Err(StoreError::NoSuchVersion),
            Versioning::Enabled | Versioning::Suspended => Ok(Some(version)),
        }
    }

    /// An object, and its record if it has one.
    async fn find_described(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(Found, Option<Record>), StoreError> {
        if reserved(key) {
            return Err(StoreError::NoSuchKey { delete_marker: None });
        }
        let version = self.version_there(bucket, version).await?;
        for _ in 0..ATTEMPTS_MAX {
            let found = self.find(bucket, key, version).await?;
            let Some(id) = &found.record else { return Ok((found, None)) };
            // Without its record it has been replaced in between.
            if let Some((record, _)) = self.record(bucket, id).await? {
                return Ok((found, Some(record)));
            }
            self.contend(bucket, key);
        }
        Err(StoreError::Damaged)
    }

    /// What an object is, and its entity tag in the store.
    pub(super) async fn described(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(String, Object), StoreError> {
        let (found, record) = self.find_described(bucket, key, version).await?;
        let object = match record {
            Some(record) => record.object,
            None => bare(found.about(), false),
        };
        Ok((found.etag, named(object, found.version)))
    }

    /// An object and all that is said of it, for whoever may read it.
    pub(super) async fn held(
        self: &Arc<Self>,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Held, StoreError> {
        if version.is_none() && !reserved(key) && self.is_contended(bucket, key) {
            return self.held_pinned(bucket, key).await;
        }
        let (found, record) = self.find_described(bucket, key, version).await?;
        self.hold(bucket, key, &found, record, None).await
    }

    /// As [`Inner::held`], with bytes that nobody can replace any more.
    async fn held_pinned(self: &Arc<Self>, bucket: &str, key: &str) -> Result<Held, StoreError> {
        for _ in 0..ATTEMPTS_MAX {
            let ask = Ask::object(Method::GET, bucket, key);
            let response = match self.client.open(&ask).await {
                // It may be a delete marker.
                Err(StoreError::NoSuchKey { .. }) => {
                    let (found, record) = self.find_described(bucket, key, None).await?;
                    return self.hold(bucket, key, &found, record, None).await;
                }
                response => response?,
            };
            let (head, body) = response.into_parts();
            let pin = self.pin(body)?;
            let found = Found::new(head.headers, None)?;
            let record = match &found.record {
                None => None,
                Some(id) => match self.record(bucket, id).await? {
                    None => continue,
                    Some((record, _)) => Some(record),
                },
            };
            return self.hold(bucket, key, &found, record, Some(pin)).await;
        }
        Err(StoreError::Busy)
    }

    async fn hold(
        &self,
        bucket: &str,
        key: &str,
        found: &Found,
        record: Option<Record>,
        pin: Option<Pin>,
    ) -> Result<Held, StoreError> {
        let (object, parts) = match record {
            Some(record) => (record.object, record.parts),
            None if !self.is_adopted(bucket).await? => return Err(StoreError::Damaged),
            None => {
                let mut object = bare(found.about(), false);
                object.tags = self.tags(bucket, key, found.address.as_deref()).await?;
                let size = object.about().size;
                (object, vec![whole(size)])
            }
        };
        let parts = stretches(bucket, key, found, parts, pin.as_ref());
        Ok(Held { object: named(object, found.version.clone()), parts, hold: Box::new(pin) })
    }

    /// The tags of an object without a record.
    async fn tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let ask = Ask::object(Method::GET, bucket, key).query("tagging", "").version(version);
        let answer = match self.client.ask(ask, Bytes::new()).await {
            // Where there are none, or they may not be seen.
            Err(StoreError::Refused { .. }) => return Ok(BTreeMap::new()),
            answer => answer?.xml()?,
        };
        let tags = answer.all("TagSet").flat_map(|set| set.all("Tag"));
        tags.map(|tag| Ok((tag.must("Key")?.to_owned(), tag.must("Value")?.to_owned()))).collect()
    }
}

/// All of an object that has no parts.
fn whole(size: u64) -> Part {
    let blob = String::new();
    Part { number: 1, size, blob, stream: None, wrapping: None, checksum: None }
}

/// Parts with their stretches.
fn stretches(
    bucket: &str,
    key: &str,
    found: &Found,
    mut parts: Vec<Part>,
    pin: Option<&Pin>,
) -> Vec<Part> {
    let total = found.len();
    let mut offset = 0_u64;
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter_mut().enumerate() {
        // Of the last one it shows whether something is missing.
        let len = if at == last { total.saturating_sub(offset) } else { stored(part) };
        let stretch = Stretch {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: found.address.clone(),
            etag: found.etag.clone(),
            offset,
            len,
            total,
            pin: pin.map(|pin| pin.name.clone()),
        };
        part.blob = stretch.name();
        offset = offset.saturating_add(len);
    }
    parts
}
