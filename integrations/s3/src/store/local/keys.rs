//! The key space of the database (`docs/formats.md` §11). S3's keys have no NUL, so that one ends them.

use claviger_store::{Key, Range};

/// A bucket by its name.
pub(super) const BUCKET: u8 = b'B';
/// Bytes that belong to an object or a part.
const LIVE: u8 = b'D';
/// Bytes that belong to nothing any more.
pub(super) const GARBAGE: u8 = b'G';
/// The owner of a key that was made for a bucket.
const OWNED_KEY: u8 = b'K';
/// A key whose bucket is deleted.
pub(super) const KEY_TO_DESTROY: u8 = b'X';
/// The current version of an object.
const OBJECT: u8 = b'O';
/// Parts of an object that has many.
const PARTS: u8 = b'P';
/// A part of an upload.
const UPLOADED_PART: u8 = b'Q';
/// An upload.
const UPLOAD: u8 = b'U';
/// An older version of an object.
const VERSION: u8 = b'V';

/// What stands for a bucket in other keys: a new bucket of an old name is another.
pub(super) type BucketId = u64;

pub(super) fn bucket(name: &str) -> Key {
    named(BUCKET, name)
}

pub(super) fn owned_key(key_id: &str) -> Key {
    named(OWNED_KEY, key_id)
}

pub(super) fn key_to_destroy(key_id: &str) -> Key {
    named(KEY_TO_DESTROY, key_id)
}

pub(super) fn live(blob: &str) -> Key {
    named(LIVE, blob)
}

pub(super) fn garbage(blob: &str) -> Key {
    named(GARBAGE, blob)
}

/// Parts of the content with this identifier.
pub(super) fn parts(object_id: &str) -> Key {
    named(PARTS, object_id)
}

pub(super) fn object(bucket: BucketId, key: &str) -> Key {
    in_bucket(OBJECT, bucket, key)
}

/// Older versions of a key, newest first.
pub(super) fn versions(bucket: BucketId, key: &str) -> Range {
    let mut prefix = in_bucket(VERSION, bucket, key);
    prefix.push(0);
    Range::prefix(&prefix)
}

pub(super) fn version(bucket: BucketId, key: &str, sequence: u64) -> Key {
    let mut place = in_bucket(VERSION, bucket, key);
    place.push(0);
    place.extend_from_slice(&(!sequence).to_be_bytes());
    place
}

pub(super) fn upload(bucket: BucketId, key: &str, id: &str) -> Key {
    let mut place = in_bucket(UPLOAD, bucket, key);
    place.push(0);
    place.extend_from_slice(id.as_bytes());
    place
}

pub(super) fn uploaded_part(id: &str, number: u32) -> Key {
    let mut place = named(UPLOADED_PART, id);
    place.extend_from_slice(&number.to_be_bytes());
    place
}

/// Parts of an upload, by number.
pub(super) fn uploaded_parts(id: &str) -> Range {
    Range::prefix(&named(UPLOADED_PART, id))
}

/// The current objects whose keys start so.
pub(super) fn objects_from(bucket: BucketId, prefix: &str) -> Range {
    Range::prefix(&in_bucket(OBJECT, bucket, prefix))
}

/// The uploads whose keys start so.
pub(super) fn uploads_from(bucket: BucketId, prefix: &str) -> Range {
    Range::prefix(&in_bucket(UPLOAD, bucket, prefix))
}

/// S3's key in a key of the database: what is behind kind and bucket, up to a NUL; and what is behind that.
pub(super) fn s3_key(place: &[u8]) -> Option<(&str, &[u8])> {
    let rest = place.get(9..)?;
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let key = str::from_utf8(rest.get(..end)?).ok()?;
    Some((key, rest.get(end.saturating_add(1)..).unwrap_or_default()))
}

/// What a `named` key names.
pub(super) fn name(place: &[u8]) -> Option<&str> {
    str::from_utf8(place.get(1..)?).ok()
}

fn named(kind: u8, name: &str) -> Key {
    let mut place = vec![kind];
    place.extend_from_slice(name.as_bytes());
    place
}

fn in_bucket(kind: u8, bucket: BucketId, key: &str) -> Key {
    let mut place = vec![kind];
    place.extend_from_slice(&bucket.to_be_bytes());
    place.extend_from_slice(key.as_bytes());
    place
}
