//! What is stored beside the bytes (`docs/formats.md` §11). Data only.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// What becomes of objects that are replaced.
    #[serde(default)]
    pub versioning: Versioning,
    /// How objects are encrypted that do not say so themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<BucketEncryption>,
    /// The key that was made for it, by its unique identifier on the KMIP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The keys that it had before, which objects may still be under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_key_ids: Vec<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// What becomes of objects that are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    /// They are gone.
    #[default]
    Off,
    /// They stay as versions.
    Enabled,
    /// Those with a version stay; new ones are `null` and replace each other.
    Suspended,
}

/// S3's names of what is one mechanism here: a data key, wrapped by a key on the KMIP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// `AES256`: with the bucket's key.
    #[serde(rename = "AES256")]
    Aes256,
    /// `aws:kms`: with the bucket's key, or one that is named.
    #[serde(rename = "aws:kms")]
    AwsKms,
}

impl Algorithm {
    /// As the header has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::AwsKms => "aws:kms",
        }
    }
}

/// How objects of a bucket are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketEncryption {
    /// S3's name of it.
    pub algorithm: Algorithm,
    /// The key that was named; else the bucket's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// `BucketKeyEnabled`, which is kept and means nothing here.
    #[serde(default)]
    pub bucket_key_enabled: bool,
}

/// How the bytes of an object are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// Authenticated segments ([`crate::segments`]).
    #[serde(rename = "segments-1")]
    Segments,
    /// Zenko's `cryptoScheme` 1: AES-256-CTR, without authentication.
    #[serde(rename = "cryptoScheme-1")]
    Scheme1,
}

/// That an object is encrypted, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// S3's name of it.
    pub algorithm: Algorithm,
    /// How its bytes are encrypted.
    pub format: Format,
}

/// A checksum that the client asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`.
    pub algorithm: String,
    /// In base64; of checksums of parts, `-` and their number behind it.
    pub value: String,
}

/// What an object is. Of an encrypted object, this is what its seal authenticates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Bytes of its content.
    pub size: u64,
    /// MD5 of its content in hexadecimal; of an upload, S3's hash of the parts' hashes.
    pub etag: String,
    /// When it was written, in milliseconds since 1970.
    pub modified_ms: u64,
    /// What S3 keeps of the request's headers, `content-type` for one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The client's own metadata.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Its checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// It was uploaded in parts: so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts_count: Option<u32>,
    /// How it is encrypted; not at all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// An [`About`] and the text that was stored, whose bytes are what a seal is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    about: About,
    text: String,
}

impl Description {
    /// Writes it down.
    pub fn new(about: About) -> Self {
        // Strings, numbers and maps of strings have a JSON text.
        let text = serde_json::to_string(&about).unwrap_or_default();
        Self { about, text }
    }

    /// What it says.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let about = serde_json::from_str(&text).map_err(serde::de::Error::custom)?;
        Ok(Self { about, text })
    }
}

/// A data key under a key of the KMIP server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapping {
    /// Which key wraps it: a unique identifier.
    pub key_id: String,
    /// The wrapped data key, in base64.
    pub data_key: String,
}

impl Wrapping {
    /// Puts another one in the place of `wrapping`, if `changes` have one for it.
    pub(super) fn replace(wrapping: &mut Option<Self>, changes: &[(Self, Self)]) {
        let found = changes.iter().find(|(from, _)| wrapping.as_ref() == Some(from));
        if let Some((_, to)) = found {
            *wrapping = Some(to.clone());
        }
    }
}

/// A version of an object, without its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Names this content, whatever its key and version: 16 random bytes in hexadecimal.
    pub id: String,
    /// Which version of its key; larger is newer. The store counts.
    #[serde(default)]
    pub sequence: u64,
    /// Its version is called `null`.
    #[serde(default)]
    pub null: bool,
    /// What its version is called, where the store does not count.
    #[serde(skip)]
    pub named: Option<String>,
    /// It stands for a deletion and has no content.
    #[serde(default)]
    pub delete_marker: bool,
    /// What it is.
    pub description: Description,
    /// The seal of bucket, key, description and parts, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
    /// Its data key; of Zenko's format the parts have theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapping: Option<Wrapping>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Object {
    /// What it is.
    pub fn about(&self) -> &About {
        self.description.about()
    }

    /// The identifier of its version, as clients see it.
    pub fn version(&self) -> String {
        match &self.named {
            _ if self.null => "null".to_owned(),
            Some(name) => name.clone(),
            None => format!("{:016x}", self.sequence),
        }
    }
}

/// Stored bytes of an object: all of it, or a part that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its number in the upload; 1 without one.
    pub number: u32,
    /// Bytes of its content.
    pub size: u64,
    /// The stored bytes, by their name in the store.
    pub blob: String,
    /// Which stream of the data key they are, in hexadecimal; of segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Their own data key; of Zenko's format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapping: Option<Wrapping>,
    /// Their checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

/// An upload in parts that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// What the object will be; size, entity tag and checksum are still empty.
    pub about: About,
    /// The data key of all parts; of Zenko's format each has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapping: Option<Wrapping>,
    /// Which key wraps data keys, if it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The tags it will have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Which checksum parts shall have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_algorithm: Option<String>,
    /// The checksum of the object is one of its content, not of the parts' checksums.
    #[serde(default)]
    pub checksum_of_content: bool,
}

/// A part of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadedPart {
    /// What it will be in the object.
    pub part: Part,
    /// MD5 of its content, in hexadecimal.
    pub etag: String,
    /// When it was written, in milliseconds since 1970.
    pub modified_ms: u64,
}
