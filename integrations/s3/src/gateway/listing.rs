//! Listings of objects, versions and uploads.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, EncodingType, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, MultipartUpload,
    Object as ListedObject, ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Result, s3_error};

use super::buckets::owner;
use super::{Gateway, failure, timestamp};
use crate::store::{Entry, Object, Page, Query};

/// Entries of a page, at most.
const ENTRIES_MAX: usize = 1000;

/// What `encoding-type=url` does to names: XML cannot have all characters.
#[derive(Clone, Copy)]
struct Names {
    encoded: bool,
}

impl Names {
    fn new(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self { encoded: false }),
            Some("url") => Ok(Self { encoded: true }),
            Some(_) => {
                Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    fn of(self, name: &str) -> String {
        if !self.encoded {
            return name.to_owned();
        }
        let mut text = String::with_capacity(name.len());
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                    text.push(char::from(byte));
                }
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
        text
    }

    fn maybe(self, name: Option<&String>) -> Option<String> {
        name.map(|name| self.of(name))
    }
}

fn limit(asked: Option<i32>) -> S3Result<usize> {
    let Some(asked) = asked else { return Ok(ENTRIES_MAX) };
    let asked = usize::try_from(asked).map_err(|_| {
        s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647")
    })?;
    Ok(asked.min(ENTRIES_MAX))
}

fn count(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

/// Objects and common prefixes of a page.
fn split(page: Page<Object>, names: Names, owned: bool) -> (Vec<ListedObject>, Vec<CommonPrefix>) {
    let mut objects = Vec::new();
    let mut prefixes = Vec::new();
    for entry in page.entries {
        match entry {
            Entry::Prefix(prefix) => {
                prefixes.push(CommonPrefix { prefix: Some(names.of(&prefix)) })
            }
            Entry::One(key, object) => {
                let about = object.about();
                objects.push(ListedObject {
                    e_tag: Some(ETag::Strong(about.etag.clone())),
                    key: Some(names.of(&key)),
                    last_modified: Some(timestamp(about.modified_ms)),
                    owner: owned.then(owner),
                    size: Some(super::signed(about.size)),
                    storage_class: Some(ObjectStorageClass::from("STANDARD".to_owned())),
                    ..Default::default()
                });
            }
        }
    }
    (objects, prefixes)
}

fn last<T>(page: &Page<T>) -> Option<String> {
    page.entries.last().filter(|_| page.truncated).map(|entry| entry.name().to_owned())
}

impl Gateway {
    pub(super) async fn list(&self, mut input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        input.delimiter.take_if(|delimiter| delimiter.is_empty());
        let names = Names::new(input.encoding_type.as_ref())?;
        let limit = limit(input.max_keys)?;
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after: input.marker.clone().filter(|marker| !marker.is_empty()),
            after_id: None,
            limit,
        };
        let page = self.store.list(&input.bucket, &query).await.map_err(failure::store)?;
        let truncated = page.truncated;
        // S3 says where to go on only where the client cannot know.
        let next_marker = last(&page).filter(|_| input.delimiter.is_some());
        let (contents, common_prefixes) = split(page, names, true);
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(names.of(&query.prefix)),
            marker: Some(names.of(&input.marker.unwrap_or_default())),
            max_keys: Some(count(limit)),
            is_truncated: Some(truncated),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: names.maybe(input.delimiter.as_ref()),
            next_marker: names.maybe(next_marker.as_ref()),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    pub(super) async fn list_v2(
        &self,
        mut input: ListObjectsV2Input,
    ) -> S3Result<ListObjectsV2Output> {
        input.delimiter.take_if(|delimiter| delimiter.is_empty());
        let names = Names::new(input.encoding_type.as_ref())?;
        let limit = limit(input.max_keys)?;
        let after = match &input.continuation_token {
            None => input.start_after.clone().filter(|start| !start.is_empty()),
            Some(token) => {
                let decoded =
                    BASE64.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
                Some(decoded.ok_or_else(|| {
                    s3_error!(InvalidArgument, "The continuation token provided is incorrect")
                })?)
            }
        };
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after,
            after_id: None,
            limit,
        };
        let page = self.store.list(&input.bucket, &query).await.map_err(failure::store)?;
        let truncated = page.truncated;
        let next = last(&page).map(|name| BASE64.encode(name));
        let key_count = count(page.entries.len());
        let owned = input.fetch_owner.unwrap_or(false);
        let (contents, common_prefixes) = split(page, names, owned);
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(names.of(&query.prefix)),
            max_keys: Some(count(limit)),
            key_count: Some(key_count),
            continuation_token: input.continuation_token,
            is_truncated: Some(truncated),
            next_continuation_token: next,
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: names.maybe(input.delimiter.as_ref()),
            encoding_type: input.encoding_type,
            start_after: names.maybe(input.start_after.as_ref()),
            ..Default::default()
        })
    }

    pub(super) async fn list_versions(
        &self,
        mut input: ListObjectVersionsInput,
    ) -> S3Result<ListObjectVersionsOutput> {
        input.delimiter.take_if(|delimiter| delimiter.is_empty());
        let names = Names::new(input.encoding_type.as_ref())?;
        let limit = limit(input.max_keys)?;
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after: input.key_marker.clone().filter(|marker| !marker.is_empty()),
            after_id: input.version_id_marker.clone().filter(|marker| !marker.is_empty()),
            limit,
        };
        let page = self.store.versions(&input.bucket, &query).await.map_err(failure::store)?;
        let next_key = last(&page);
        let mut output = ListObjectVersionsOutput {
            delimiter: names.maybe(input.delimiter.as_ref()),
            is_truncated: Some(page.truncated),
            key_marker: Some(names.of(&input.key_marker.unwrap_or_default())),
            version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
            max_keys: Some(count(limit)),
            name: Some(input.bucket),
            next_key_marker: names.maybe(next_key.as_ref()),
            prefix: Some(names.of(&query.prefix)),
            encoding_type: input.encoding_type,
            ..Default::default()
        };
        let mut last_version = None;
        for entry in page.entries {
            let (key, version) = match entry {
                Entry::Prefix(prefix) => {
                    last_version = None;
                    let prefix = CommonPrefix { prefix: Some(names.of(&prefix)) };
                    output.common_prefixes.get_or_insert_default().push(prefix);
                    continue;
                }
                Entry::One(key, version) => (names.of(&key), version),
            };
            let about = version.object.about();
            let version_id = Some(version.object.version());
            last_version.clone_from(&version_id);
            if version.object.delete_marker {
                output.delete_markers.get_or_insert_default().push(DeleteMarkerEntry {
                    is_latest: Some(version.latest),
                    key: Some(key),
                    last_modified: Some(timestamp(about.modified_ms)),
                    owner: Some(owner()),
                    version_id,
                });
                continue;
            }
            output.versions.get_or_insert_default().push(ObjectVersion {
                e_tag: Some(ETag::Strong(about.etag.clone())),
                is_latest: Some(version.latest),
                key: Some(key),
                last_modified: Some(timestamp(about.modified_ms)),
                owner: Some(owner()),
                size: Some(super::signed(about.size)),
                storage_class: Some(ObjectVersionStorageClass::from("STANDARD".to_owned())),
                version_id,
                ..Default::default()
            });
        }
        output.next_version_id_marker = last_version.filter(|_| next_key.is_some());
        Ok(output)
    }

    pub(super) async fn list_uploads(
        &self,
        mut input: ListMultipartUploadsInput,
    ) -> S3Result<ListMultipartUploadsOutput> {
        input.delimiter.take_if(|delimiter| delimiter.is_empty());
        let names = Names::new(input.encoding_type.as_ref())?;
        let limit = limit(input.max_uploads)?;
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after: input.key_marker.clone().filter(|marker| !marker.is_empty()),
            after_id: input.upload_id_marker.clone().filter(|marker| !marker.is_empty()),
            limit,
        };
        let page = self.store.uploads(&input.bucket, &query).await.map_err(failure::store)?;
        let next_key = last(&page);
        let mut next_id = None;
        let mut uploads = Vec::new();
        let mut common_prefixes = Vec::new();
        let truncated = page.truncated;
        for entry in page.entries {
            match entry {
                Entry::Prefix(prefix) => {
                    next_id = None;
                    common_prefixes.push(CommonPrefix { prefix: Some(names.of(&prefix)) });
                }
                Entry::One(key, (id, upload)) => {
                    next_id = Some(id.clone());
                    uploads.push(MultipartUpload {
                        initiated: Some(timestamp(upload.about.modified_ms)),
                        key: Some(names.of(&key)),
                        owner: Some(owner()),
                        upload_id: Some(id),
                        ..Default::default()
                    });
                }
            }
        }
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            common_prefixes: Some(common_prefixes),
            delimiter: names.maybe(input.delimiter.as_ref()),
            is_truncated: Some(truncated),
            key_marker: Some(names.of(&input.key_marker.unwrap_or_default())),
            max_uploads: Some(count(limit)),
            next_key_marker: names.maybe(next_key.as_ref()),
            next_upload_id_marker: next_id.filter(|_| truncated),
            prefix: Some(names.of(&query.prefix)),
            upload_id_marker: input.upload_id_marker,
            uploads: Some(uploads),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }
}
