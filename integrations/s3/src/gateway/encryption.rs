//! How an object is to be encrypted, by the request, its bucket and the gateway; and what answers say of it.

use std::collections::BTreeMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::dto::ServerSideEncryption;
use s3s::{S3Result, s3_error};

use super::read::{DataKeys, is_wanted};
use super::{Encrypt, Gateway, failure};
use crate::driver::{DataKey, KeyId};
use crate::segments;
use crate::store::{Algorithm, Bucket, BucketEncryption, Encryption, Format, Held, Object, Part};

/// What a request says of encryption.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) algorithm: Option<&'a ServerSideEncryption>,
    pub(super) key_id: Option<&'a String>,
    pub(super) context: Option<&'a String>,
    /// A header of SSE-C is there.
    pub(super) customer: bool,
}

/// The fields of a request.
macro_rules! asked {
    ($input:expr) => {
        $crate::gateway::encryption::Asked {
            algorithm: $input.server_side_encryption.as_ref(),
            key_id: $input.ssekms_key_id.as_ref(),
            context: $input.ssekms_encryption_context.as_ref(),
            customer: $input.sse_customer_algorithm.is_some()
                || $input.sse_customer_key.is_some()
                || $input.sse_customer_key_md5.is_some(),
        }
    };
}

/// The fields of an answer.
macro_rules! set_encryption {
    ($output:expr, $about:expr, $key_id:expr) => {
        if let Some(encryption) = &$about.encryption {
            let algorithm = encryption.algorithm;
            $output.server_side_encryption =
                Some(s3s::dto::ServerSideEncryption::from(algorithm.as_str().to_owned()));
            if algorithm == $crate::store::Algorithm::AwsKms {
                $output.ssekms_key_id = $key_id;
            }
        }
    };
}

pub(super) use {asked, set_encryption};

/// S3's name of an algorithm.
pub(super) fn algorithm(name: &str) -> S3Result<Algorithm> {
    match name {
        "AES256" => Ok(Algorithm::Aes256),
        "aws:kms" => Ok(Algorithm::AwsKms),
        "aws:kms:dsse" => {
            Err(s3_error!(NotImplemented, "Dual-layer encryption is not implemented"))
        }
        _ => Err(s3_error!(InvalidArgument, "The encryption method specified is not supported")),
    }
}

/// SSE-C: keys that the client brings.
pub(super) fn refuse_customer_keys(present: bool) -> S3Result<()> {
    if present {
        return Err(s3_error!(
            NotImplemented,
            "Encryption with keys that the client provides is not implemented"
        ));
    }
    Ok(())
}

/// How an object shall be encrypted, and with which key.
pub(super) struct Chosen {
    pub(super) encryption: Encryption,
    pub(super) key_id: String,
    /// It is the bucket's own key, which a rotation replaces.
    pub(super) own: bool,
}

impl Gateway {
    /// How a new object shall be encrypted, if at all. Makes the bucket's key if it has none.
    pub(super) async fn choose(
        &self,
        bucket_name: &str,
        bucket: &Bucket,
        asked: Asked<'_>,
    ) -> S3Result<Option<Chosen>> {
        refuse_customer_keys(asked.customer)?;
        if asked.context.is_some() {
            return Err(s3_error!(NotImplemented, "An encryption context is not implemented"));
        }
        let (algorithm, named) = match (asked.algorithm, asked.key_id) {
            (None, Some(_)) => {
                return Err(s3_error!(
                    InvalidArgument,
                    "A key id needs x-amz-server-side-encryption: aws:kms"
                ));
            }
            (Some(name), key_id) => {
                let algorithm = algorithm(name.as_str())?;
                if algorithm == Algorithm::Aes256 && key_id.is_some() {
                    return Err(s3_error!(
                        InvalidArgument,
                        "A key id needs x-amz-server-side-encryption: aws:kms"
                    ));
                }
                (algorithm, key_id.cloned())
            }
            (None, None) => match self.default_encryption(bucket) {
                None => return Ok(None),
                Some(default) => (default.algorithm, default.key_id),
            },
        };
        let foreign = match named {
            // Whoever names an old key of the bucket gets the one that has its place.
            Some(named) => (!self.may_use(bucket_name, &named).await?).then_some(named),
            None => None,
        };
        let own = foreign.is_none();
        let key_id = match foreign.or_else(|| bucket.key_id.clone()) {
            Some(key_id) => key_id,
            None => self.make_key(bucket_name).await?,
        };
        let encryption = Encryption { algorithm, format: self.options.format };
        Ok(Some(Chosen { encryption, key_id, own }))
    }

    /// How objects of a bucket are encrypted that do not say so.
    pub(super) fn default_encryption(&self, bucket: &Bucket) -> Option<BucketEncryption> {
        let fallback = || BucketEncryption {
            algorithm: Algorithm::Aes256,
            key_id: None,
            bucket_key_enabled: false,
        };
        let all = self.options.encrypt == Encrypt::All;
        bucket.encryption.clone().or_else(|| all.then(fallback))
    }

    /// A key that was made for another bucket is destroyed with that bucket: nothing else may depend on it. Says whether it
    /// is the bucket's own.
    pub(super) async fn may_use(&self, bucket: &str, key_id: &str) -> S3Result<bool> {
        // With or without a prefix it is the same key.
        let key: KeyId = key_id.parse().map_err(|error| failure::kmip(&error))?;
        let owner = self.store.owner_of_key(key.unique_identifier()).await;
        let owner = owner.map_err(failure::store)?;
        match owner {
            Some(owner) if owner != bucket => Err(failure::custom(
                "KMS.InvalidKeyUsageException",
                hyper::StatusCode::BAD_REQUEST,
                "The key was made for another bucket and ends with it",
            )),
            owner => Ok(owner.is_some()),
        }
    }

    /// The key of a bucket, made now if it has none.
    pub(super) async fn make_key(&self, bucket: &str) -> S3Result<String> {
        let _alone = self.making.lock().await;
        let found = self.store.bucket(bucket).await.map_err(failure::store)?;
        if let Some(key_id) = found.key_id {
            return Ok(key_id);
        }
        let key_id = self.keys.create(bucket).await?;
        let given = key_id.clone();
        let change = move |bucket: &mut Bucket| bucket.key_id = Some(given.clone());
        if let Err(error) = self.store.change_bucket(bucket, &change).await {
            // Nothing has been encrypted with it.
            if let Err(error) = self.keys.destroy(&key_id).await {
                tracing::warn!(key_id, ?error, "a key that no bucket has is left behind");
            }
            return Err(failure::store(error));
        }
        Ok(key_id)
    }

    /// The data keys that a range of an object needs, once its seal is checked.
    pub(super) async fn unseal(
        &self,
        bucket: &str,
        key: &str,
        held: &Held,
        range: &Range<u64>,
    ) -> S3Result<DataKeys> {
        let outcome = self.unseal_held(bucket, key, held, range).await;
        if outcome.is_ok() {
            return outcome;
        }
        // It may have been put under another key since it was looked up, and the old key may be gone.
        match self.store.get(bucket, key, Some(&held.object.version())).await {
            Ok(again) if again.object.id == held.object.id && !same_wrappings(&again, held) => {
                self.unseal_held(bucket, key, &again, range).await
            }
            _ => outcome,
        }
    }

    async fn unseal_held(
        &self,
        bucket: &str,
        key: &str,
        held: &Held,
        range: &Range<u64>,
    ) -> S3Result<DataKeys> {
        let damaged = || failure::damaged(segments::Damaged);
        let object = &held.object;
        let format = object.about().encryption.as_ref().map(|encryption| encryption.format);
        // Whoever takes the description of an encrypted object away, or puts another in its place, shall not be believed.
        let is_sealed =
            object.wrapping.is_some() || held.parts.iter().any(|part| part.stream.is_some());
        match format {
            Some(Format::Segments) => {}
            _ if is_sealed => return Err(damaged()),
            Some(Format::Scheme1) => return self.scheme1_keys(held, range).await,
            None if held.parts.iter().any(|part| part.wrapping.is_some()) => return Err(damaged()),
            None => return Ok(DataKeys::None),
        }
        let (Some(wrapping), Some(seal)) = (&object.wrapping, &object.seal) else {
            return Err(damaged());
        };
        let data_key = self.keys.open(wrapping).await?;
        let seal = BASE64.decode(seal).map_err(|_| damaged())?;
        let parts = parts_text(&held.parts);
        segments::check_seal(data_key.bytes(), &sealed(bucket, key, object, &parts), &seal)
            .map_err(failure::damaged)?;
        Ok(DataKeys::Segments(data_key))
    }

    /// The data keys of the parts that a range has bytes of.
    async fn scheme1_keys(&self, held: &Held, range: &Range<u64>) -> S3Result<DataKeys> {
        let mut keys = BTreeMap::new();
        let mut start = 0_u64;
        for part in &held.parts {
            let end = start.saturating_add(part.size);
            if is_wanted(range, start, end) || range.is_empty() {
                let wrapping = part.wrapping.as_ref();
                let wrapping = wrapping.ok_or_else(|| failure::damaged(segments::Damaged))?;
                keys.insert(part.number, self.keys.open(wrapping).await?);
            }
            start = end;
        }
        Ok(DataKeys::Scheme1(keys))
    }
}

fn same_wrappings(one: &Held, other: &Held) -> bool {
    let of_parts =
        |held: &Held| -> Vec<_> { held.parts.iter().map(|part| part.wrapping.clone()).collect() };
    one.object.wrapping == other.object.wrapping && of_parts(one) == of_parts(other)
}

/// The seal of an object in its place.
pub(super) fn seal(
    data_key: &DataKey,
    bucket: &str,
    key: &str,
    object: &Object,
    parts: &[Part],
) -> S3Result<String> {
    let parts = parts_text(parts);
    let seal = segments::seal(data_key.bytes(), &sealed(bucket, key, object, &parts));
    Ok(BASE64.encode(seal.map_err(failure::damaged)?))
}

fn sealed<'a>(bucket: &'a str, key: &'a str, object: &'a Object, parts: &'a str) -> [&'a [u8]; 4] {
    [bucket.as_bytes(), key.as_bytes(), object.description.text().as_bytes(), parts.as_bytes()]
}

/// What a seal has of parts: a line for each. Their names in the store may change, their streams may not.
fn parts_text(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let stream = part.stream.as_deref().unwrap_or_default();
        text.push_str(&format!("{} {} {stream}\n", part.number, part.size));
    }
    text
}

/// The key that wraps an object's data keys, for the fields of an answer.
pub(super) fn key_id_of(held: &Held) -> Option<String> {
    let wrapping = held.object.wrapping.as_ref().or_else(|| held.parts.first()?.wrapping.as_ref());
    wrapping.map(|wrapping| wrapping.key_id.clone())
}
