//! What CloudServer stores beside encrypted bytes: of a bucket, of an object's locations, of a part of an upload. What is
//! not about encryption is kept as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The number of the scheme.
pub const CRYPTO_SCHEME: u32 = 1;

/// The number of a scheme that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cryptoScheme {0} is not known, but {CRYPTO_SCHEME} is")]
pub struct ForeignScheme(pub u32);

/// What S3 calls it. It is one mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// With the bucket's key.
    #[serde(rename = "AES256")]
    Aes256,
    /// With the bucket's key, or the one that is configured.
    #[serde(rename = "aws:kms")]
    AwsKms,
}

/// A data key under the key of a bucket: base64 in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipheredDataKey(pub Vec<u8>);

impl Serialize for CipheredDataKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for CipheredDataKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// `serverSideEncryption` of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BucketEncryption {
    /// The scheme of new objects.
    pub crypto_scheme: u32,
    /// What S3 calls it.
    pub algorithm: Algorithm,
    /// The bucket's key.
    pub master_key_id: String,
    /// The key that was named in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured_master_key_id: Option<String>,
    /// Whether objects are encrypted that do not ask for it.
    pub mandatory: bool,
    /// Whether the key is one of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_account_encryption_enabled: Option<bool>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl BucketEncryption {
    /// The key that wraps the data keys of new objects.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.configured_master_key_id.as_deref().unwrap_or(&self.master_key_id)
    }
}

/// An entry of `location` of an object: where its bytes are, and their data key if they are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The scheme of its bytes; none, and they are as they were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto_scheme: Option<u32>,
    /// The data key of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphered_data_key: Option<CipheredDataKey>,
    /// What else there is: `key`, `start`, `size`, `dataStoreName`, `dataStoreETag`.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Location {
    /// The data key of its bytes; none if they are not encrypted.
    ///
    /// # Errors
    /// [`ForeignScheme`].
    pub fn data_key(&self) -> Result<Option<&CipheredDataKey>, ForeignScheme> {
        match self.crypto_scheme {
            None | Some(CRYPTO_SCHEME) => Ok(self.ciphered_data_key.as_ref()),
            Some(other) => Err(ForeignScheme(other)),
        }
    }
}

/// What a part of an upload says of its encryption, beside the location of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartEncryption {
    /// What S3 calls it.
    pub sse_algorithm: Algorithm,
    /// The key that wraps its data key.
    pub sse_master_key_id: String,
    /// Its scheme.
    pub sse_crypto_scheme: u32,
    /// Its data key.
    pub sse_ciphered_data_key: CipheredDataKey,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl PartEncryption {
    /// The location of the part's bytes in the object that the upload becomes.
    #[must_use]
    pub fn location(&self, place: Map<String, Value>) -> Location {
        Location {
            crypto_scheme: Some(self.sse_crypto_scheme),
            ciphered_data_key: Some(self.sse_ciphered_data_key.clone()),
            rest: place,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cloudserver_stores_comes_back_as_it_was() {
        let bucket = json!({"cryptoScheme": 1, "algorithm": "aws:kms", "masterKeyId": "7",
            "configuredMasterKeyId": "8", "mandatory": true, "isAccountEncryptionEnabled": false, "later": [1]});
        let read: BucketEncryption = serde_json::from_value(bucket.clone()).unwrap();
        assert_eq!((read.key_id(), read.algorithm), ("8", Algorithm::AwsKms));
        assert_eq!(serde_json::to_value(&read).unwrap(), bucket);
        let plain = json!({"cryptoScheme": 1, "algorithm": "AES256", "masterKeyId": "7", "mandatory": false});
        let read: BucketEncryption = serde_json::from_value(plain.clone()).unwrap();
        assert_eq!(read.key_id(), "7");
        assert_eq!(serde_json::to_value(&read).unwrap(), plain);
    }

    #[test]
    fn a_location_has_its_data_key_or_none() {
        let encrypted = json!({"key": "a1", "start": 0, "size": 81, "dataStoreName": "us-east-1",
            "dataStoreETag": "1:0f", "cryptoScheme": 1, "cipheredDataKey": "DexV8SXArE/FAijGYGz8"});
        let read: Location = serde_json::from_value(encrypted.clone()).unwrap();
        assert_eq!(read.data_key().unwrap().unwrap().0[..3], [0x0d, 0xec, 0x55]);
        assert_eq!(serde_json::to_value(&read).unwrap(), encrypted);
        let plain = json!({"key": "a1", "start": 0, "size": 3});
        let read: Location = serde_json::from_value(plain.clone()).unwrap();
        assert_eq!(read.data_key(), Ok(None));
        assert_eq!(serde_json::to_value(&read).unwrap(), plain);
        let later = Location { crypto_scheme: Some(2), ..read };
        assert_eq!(later.data_key(), Err(ForeignScheme(2)));
        let broken = json!({"cryptoScheme": 1, "cipheredDataKey": "?"});
        assert!(serde_json::from_value::<Location>(broken).is_err());
    }

    #[test]
    fn a_part_becomes_a_location() {
        let part = json!({"sseAlgorithm": "AES256", "sseMasterKeyId": "7", "sseCryptoScheme": 1,
            "sseCipheredDataKey": "AAEC", "partLocations": []});
        let read: PartEncryption = serde_json::from_value(part.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), part);
        let place = json!({"key": "p1"}).as_object().unwrap().clone();
        let location = serde_json::to_value(read.location(place)).unwrap();
        assert_eq!(location, json!({"key": "p1", "cryptoScheme": 1, "cipheredDataKey": "AAEC"}));
    }
}
