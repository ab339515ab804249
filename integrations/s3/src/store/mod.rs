//! Where objects rest: a trait with the calls that the gateway makes, and the stores that answer them.
//!
//! A store knows names, versions, uploads and bytes. It never sees plaintext of an encrypted object and holds no key but
//! wrapped ones; what it is given to describe an object it gives back as it was, so that the gateway can check its seal.

mod condition;
mod object;

pub mod local;
pub mod upstream;

pub use condition::{Condition, Match};
pub use local::Local;
pub use object::{
    About, Algorithm, Bucket, BucketEncryption, Checksum, Description, Encryption, Format, Object,
    Part, Upload, UploadedPart, Versioning, Wrapping,
};
pub use upstream::Upstream;

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;

use async_trait::async_trait;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No bucket has this name.
    #[error("no such bucket")]
    NoSuchBucket,
    /// A bucket has this name already.
    #[error("the bucket exists")]
    BucketExists,
    /// A bucket with objects in it cannot be deleted.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// No object has this key; or its current version is a delete marker, whose version this is.
    #[error("no such key")]
    NoSuchKey {
        /// The version of the delete marker.
        delete_marker: Option<String>,
    },
    /// The object has no such version.
    #[error("no such version")]
    NoSuchVersion,
    /// The version is a delete marker.
    #[error("the version is a delete marker")]
    IsDeleteMarker {
        /// Its version.
        version: String,
    },
    /// No upload has this identifier, or it is of another object.
    #[error("no such upload")]
    NoSuchUpload,
    /// A part is not what it was.
    #[error("a part of the upload is not there")]
    InvalidPart,
    /// What was asked to hold does not.
    #[error("a condition does not hold")]
    Precondition,
    /// Others changed the same object again and again.
    #[error("other changes came first")]
    Busy,
    /// Where it keeps things cannot be reached, or is overloaded. The text is for the log.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// Where it keeps things refuses, with a code of S3.
    #[error("the store was refused: {code}")]
    Refused {
        /// The status of that answer, from 400 to 499.
        status: u16,
        /// Its code.
        code: String,
    },
    /// The key is one of the store's own.
    #[error("the key is reserved")]
    Reserved,
    /// No space is left.
    #[error("the store is full")]
    Full,
    /// What is stored is not what was written.
    #[error("the stored object is damaged")]
    Damaged,
    /// Anything else. The text is for the log.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// An object as it was found, whose bytes stay while this lives.
pub struct Held {
    /// The object.
    pub object: Object,
    /// Its parts, in their order.
    pub parts: Vec<Part>,
    /// What keeps its bytes.
    pub hold: Box<dyn Any + Send + Sync>,
}

/// What bytes are going to be written for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// Of a part: its upload, and its number.
    pub part: Option<(&'a str, u32)>,
    /// What is asked of the object that is replaced; the commit asks it again.
    pub condition: Option<&'a Condition>,
}

/// Bytes that are being written.
#[async_trait]
pub trait Sink: Send {
    /// Appends.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Failed`].
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// As [`Sink::write`].
    async fn finish(self: Box<Self>) -> Result<Fresh, StoreError>;
}

/// Bytes that are written and belong to no object yet: gone when this is dropped before a store took them.
pub struct Fresh {
    /// Their name in the store.
    pub blob: String,
    undo: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Fresh {
    /// Bytes which `undo` removes.
    pub fn new(blob: String, undo: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { blob, undo: Some(Box::new(undo)) }
    }

    /// They belong to an object now.
    pub fn keep(&mut self) {
        self.undo = None;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(undo) = self.undo.take() {
            undo();
        }
    }
}

/// What is done with bytes where they are read: they are in that processor's cache, and it may take a moment.
pub type Opening = Box<dyn FnOnce(&mut [u8]) -> Result<(), StoreError> + Send>;

/// A reading that has begun.
pub type Begun = Pin<Box<dyn Future<Output = Result<Vec<u8>, StoreError>> + Send>>;

/// Stored bytes that are being read.
#[async_trait]
pub trait Source: Send + Sync {
    /// Begins to fill a buffer with what is from an offset on, and to open it. Readings begin in the order of their offsets.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if there are fewer; [`StoreError::Failed`]; what the opening says.
    fn read(&self, offset: u64, buffer: Vec<u8>, open: Opening) -> Begun;

    /// How many bytes are stored.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn size(&self) -> Result<u64, StoreError>;
}

/// What a listing shall have.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Keys that start so.
    pub prefix: String,
    /// Keys that have it behind the prefix are one entry.
    pub delimiter: Option<String>,
    /// Entries behind this one.
    pub after: Option<String>,
    /// For versions and uploads: those of the key `after` behind this one.
    pub after_id: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// A page of a listing.
#[derive(Debug)]
pub struct Page<T> {
    /// What it has, in the order of keys.
    pub entries: Vec<Entry<T>>,
    /// There is more behind its last entry.
    pub truncated: bool,
}

/// An entry of a listing.
#[derive(Debug)]
pub enum Entry<T> {
    /// Something with a key of its own.
    One(String, T),
    /// All keys that start so.
    Prefix(String),
}

impl<T> Entry<T> {
    /// The key or the prefix.
    pub fn name(&self) -> &str {
        match self {
            Self::One(name, _) | Self::Prefix(name) => name,
        }
    }
}

/// A version in a listing.
#[derive(Debug)]
pub struct Version {
    /// What it is.
    pub object: Object,
    /// No version is newer.
    pub latest: bool,
}

/// What became of a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that was made, or that was removed.
    pub version: Option<String>,
    /// That version is a delete marker.
    pub delete_marker: bool,
}

/// What the gateway asks of a store. Every change is atomic and durable when the call returns, and names in errors are left
/// to the caller. A bucket that is not there is [`StoreError::NoSuchBucket`] in every call; [`StoreError::Failed`] can come
/// from any.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// All buckets, by name.
    async fn buckets(&self) -> Result<Vec<(String, Bucket)>, StoreError>;

    /// A bucket.
    async fn bucket(&self, name: &str) -> Result<Bucket, StoreError>;

    /// Makes a bucket; [`StoreError::BucketExists`].
    async fn create_bucket(&self, name: &str, bucket: &Bucket) -> Result<(), StoreError>;

    /// Changes a bucket; the change may be called more than once.
    async fn change_bucket(
        &self,
        name: &str,
        change: &(dyn for<'a> Fn(&'a mut Bucket) + Send + Sync),
    ) -> Result<Bucket, StoreError>;

    /// Deletes a bucket without objects, its uploads with it; [`StoreError::BucketNotEmpty`]. Its key is among
    /// [`Store::keys_to_destroy`] then.
    async fn delete_bucket(&self, name: &str) -> Result<(), StoreError>;

    /// The bucket that a key was made for.
    async fn owner_of_key(&self, key_id: &str) -> Result<Option<String>, StoreError>;

    /// Keys whose buckets are deleted.
    async fn keys_to_destroy(&self) -> Result<Vec<String>, StoreError>;

    /// A key is destroyed.
    async fn forget_key(&self, key_id: &str) -> Result<(), StoreError>;

    /// Nothing needs an old key of a bucket any more: it is none of the bucket's now, but among
    /// [`Store::keys_to_destroy`].
    async fn retire_key(&self, bucket: &str, key_id: &str) -> Result<(), StoreError>;

    /// Puts other wrappings of the same data keys in the place of some, of a version and of its parts.
    async fn rewrap(
        &self,
        bucket: &str,
        key: &str,
        version: &str,
        changes: &[(Wrapping, Wrapping)],
    ) -> Result<(), StoreError>;

    /// Begins to write bytes, `len` of them.
    async fn sink(&self, target: Target<'_>, len: u64) -> Result<Box<dyn Sink>, StoreError>;

    /// Opens stored bytes, of which a range is going to be read, from its start on; [`StoreError::Busy`] if they have been
    /// replaced since they were found.
    async fn source(&self, blob: &str, range: Range<u64>) -> Result<Box<dyn Source>, StoreError>;

    /// Makes an object of fresh bytes, whose blobs its parts name; what it replaces is gone or an older version. Says which
    /// version it has.
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        object: Object,
        parts: Vec<Part>,
        fresh: Vec<Fresh>,
        condition: &Condition,
    ) -> Result<Object, StoreError>;

    /// An object, or a version of it.
    async fn get(&self, bucket: &str, key: &str, version: Option<&str>)
    -> Result<Held, StoreError>;

    /// Sets the tags of a version. Says which version it is.
    async fn tag(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Object, StoreError>;

    /// Deletes an object as the bucket's versioning says, or one version of it for good. What is not there is deleted.
    async fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> Result<Deleted, StoreError>;

    /// Current objects.
    async fn list(&self, bucket: &str, query: &Query) -> Result<Page<Object>, StoreError>;

    /// All versions; those of one key newest first.
    async fn versions(&self, bucket: &str, query: &Query) -> Result<Page<Version>, StoreError>;

    /// Begins an upload. Says its identifier.
    async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &Upload,
    ) -> Result<String, StoreError>;

    /// An upload.
    async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, StoreError>;

    /// Adds a part of fresh bytes to an upload, in place of one with its number.
    async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        part: UploadedPart,
        fresh: Fresh,
    ) -> Result<(), StoreError>;

    /// The parts of an upload whose numbers are larger than `after`, by number.
    async fn parts(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<UploadedPart>, StoreError>;

    /// Makes an object of parts of an upload, as [`Store::put`] does, and ends the upload;
    /// [`StoreError::InvalidPart`] if one of them has been replaced.
    async fn complete(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        object: Object,
        parts: Vec<Part>,
        condition: &Condition,
    ) -> Result<Object, StoreError>;

    /// Ends an upload, its parts with it.
    async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError>;

    /// Uploads that have begun, by key; of one key in the order of their identifiers.
    async fn uploads(
        &self,
        bucket: &str,
        query: &Query,
    ) -> Result<Page<(String, Upload)>, StoreError>;
}
