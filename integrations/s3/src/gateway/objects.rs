//! Objects: writing and reading.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::dto::{
    ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput,
    PutObjectOutput, StreamingBlob,
};
use s3s::header::X_AMZ_TAGGING_COUNT;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::checksums::{Algorithm, given_checksum, set_checksum};
use super::encryption::{self, Chosen, asked, key_id_of, set_encryption};
use super::headers::{Kept, given_headers, refuse_lock, set_headers};
use super::promised::{Promised, base64};
use super::wanted::Wanted;
use super::write::{Encoder, Written};
use super::{Gateway, checksums, conditions, failure, now_ms, random_id, read, signed, tags};
use crate::driver::DataKey;
use crate::scheme1::Cipher;
use crate::segments::{Stream, StreamId, stored_len};
use crate::store::{
    About, Checksum, Condition, Description, Format, Object, Part, StoreError, Target, Versioning,
    Wrapping,
};

/// Most bytes of one PUT, and of one copy: 5 GiB.
pub(super) const PUT_SIZE_MAX: u64 = 5 << 30;

/// The data key of what is being written, and in which format.
pub(super) struct Sealer {
    pub(super) wrapping: Wrapping,
    pub(super) data_key: Arc<DataKey>,
    pub(super) format: Format,
}

impl Gateway {
    /// A new data key, where the object shall be encrypted.
    pub(super) async fn sealer(&self, chosen: Option<&Chosen>) -> S3Result<Option<Sealer>> {
        let Some(chosen) = chosen else { return Ok(None) };
        let (wrapping, data_key) = self.keys.make(&chosen.key_id).await?;
        Ok(Some(Sealer { wrapping, data_key, format: chosen.encryption.format }))
    }

    /// Writes a body of that size into the store; a shorter one is not committed. Says what is written and what part it is.
    pub(super) async fn write_body(
        &self,
        target: Target<'_>,
        body: Option<StreamingBlob>,
        size: u64,
        sealer: Option<&Sealer>,
        checksum: Option<Algorithm>,
    ) -> S3Result<(Written, Part)> {
        let (encoder, stream) = match sealer {
            None => (Encoder::Plain, None),
            Some(Sealer { data_key, format: Format::Segments, .. }) => {
                let mut id: StreamId = [0; 16];
                aws_lc_rs::rand::fill(&mut id)
                    .map_err(|_| s3_error!(InternalError, "There is no randomness"))?;
                let stream = Stream::new(data_key.bytes(), &id).map_err(failure::damaged)?;
                (Encoder::Segments(stream), Some(checksums::hex(&id)))
            }
            Some(Sealer { data_key, format: Format::Scheme1, .. }) => {
                let cipher = Cipher::new(data_key).map_err(S3Error::internal_error)?;
                (Encoder::Scheme1(Box::new(cipher)), None)
            }
        };
        let body = body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let len = match &encoder {
            Encoder::Segments(_) => stored_len(size),
            Encoder::Plain | Encoder::Scheme1(_) => size,
        };
        let sink = self.store.sink(target, len).await.map_err(failure::store)?;
        let written = super::write::write(body, size, encoder, checksum, sink).await?;
        let own = sealer.filter(|sealer| sealer.format == Format::Scheme1);
        let value = written.checksum.as_ref().map(|value| base64(value));
        let part = Part {
            number: target.part.map_or(1, |(_, number)| number),
            size: written.size,
            blob: written.fresh.blob.clone(),
            stream,
            wrapping: own.map(|sealer| sealer.wrapping.clone()),
            checksum: checksum.zip(value).map(|(algorithm, value)| Checksum {
                algorithm: algorithm.name().to_owned(),
                value,
            }),
        };
        Ok((written, part))
    }

    pub(super) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<PutObjectOutput> {
        let input = request.input;
        check_key(&input.key)?;
        refuse_lock!(input);
        if input.write_offset_bytes.is_some() {
            return Err(s3_error!(NotImplemented, "Appending is not implemented"));
        }
        let bucket = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        let promised = Promised::new(
            &request.headers,
            request.trailing_headers,
            input.content_length,
            input.content_md5.as_ref(),
            given_checksum!(input)?,
        )?;
        let kept = given_headers!(input).keep()?;
        let tags = tags::of_header(input.tagging.as_ref())?;
        let mut condition =
            conditions::write(input.if_match.as_ref(), input.if_none_match.as_ref());
        if condition != Condition::default() {
            // Before the body; it is checked again with the commit.
            self.check_early(&input.bucket, &input.key, &condition).await?;
        }
        condition.bucket_created_ms = Some(bucket.created_ms);
        let chosen = self.choose(&input.bucket, &bucket, asked!(input)).await?;
        let sealer = self.sealer(chosen.as_ref()).await?;
        let algorithm = promised.algorithm()?;
        let (bucket_name, key) = (input.bucket.as_str(), input.key.as_str());
        let target = Target { bucket: bucket_name, key, part: None, condition: Some(&condition) };
        let (written, part) = self
            .write_body(target, input.body, promised.length, sealer.as_ref(), algorithm)
            .await?;
        promised.check(&written)?;
        let new = New { kept, tags, chosen, sealer };
        let (object, key_id) =
            self.commit(&input.bucket, &input.key, new, written, part, &condition).await?;
        let about = object.about();
        let mut output = PutObjectOutput {
            e_tag: Some(ETag::Strong(about.etag.clone())),
            version_id: (bucket.versioning != Versioning::Off).then(|| object.version()),
            ..Default::default()
        };
        set_checksum!(output, &about.checksum);
        output.checksum_type = about.checksum.as_ref().map(checksums::kind);
        set_encryption!(output, about, key_id);
        Ok(output)
    }

    async fn check_early(&self, bucket: &str, key: &str, condition: &Condition) -> S3Result<()> {
        let current = match self.store.get(bucket, key, None).await {
            Ok(held) => Some(held.object.about().etag.clone()),
            Err(StoreError::NoSuchKey { .. }) => None,
            Err(error) => return Err(failure::store(error)),
        };
        condition.check(current.as_deref()).map_err(failure::store)
    }

    /// Makes an object of what has been written. Says under which key it is.
    pub(super) async fn commit(
        &self,
        bucket: &str,
        key: &str,
        mut new: New,
        written: Written,
        mut part: Part,
        condition: &Condition,
    ) -> S3Result<(Object, Option<String>)> {
        let _still = self.writes.read().await;
        let key_id = self.under_present_key(bucket, &mut new, &mut part).await?;
        let about = About {
            size: written.size,
            etag: checksums::hex(&written.md5),
            modified_ms: now_ms(),
            headers: new.kept.headers,
            metadata: new.kept.metadata,
            checksum: part.checksum.take(),
            parts_count: None,
            encryption: new.chosen.map(|chosen| chosen.encryption),
        };
        let parts = vec![part];
        let object = sealed_object(bucket, key, about, new.tags, new.sealer, &parts)?;
        let placed =
            self.store.put(bucket, key, object, parts, vec![written.fresh], condition).await;
        Ok((placed.map_err(failure::store)?, key_id))
    }

    pub(super) async fn get(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let customer = input.sse_customer_algorithm.is_some() || input.sse_customer_key.is_some();
        encryption::refuse_customer_keys(customer)?;
        let version = input.version_id.as_deref();
        let held = self.store.get(&input.bucket, &input.key, version).await;
        let held = held.map_err(failure::store)?;
        conditions::Read {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        }
        .check(&held.object)?;
        let wanted = Wanted::new(&held, input.range, input.part_number)?;
        let data_keys = self.unseal(&input.bucket, &input.key, &held, &wanted.range).await?;

        let about = held.object.about().clone();
        let mut output = GetObjectOutput {
            content_length: Some(signed(wanted.len())),
            content_range: wanted.header(about.size),
            parts_count: wanted.parts_count,
            tag_count: tag_count(&held.object),
            version_id: self.version_shown(&input.bucket, &held.object).await?,
            ..Default::default()
        };
        set_headers!(output, about);
        set_encryption!(output, about, key_id_of(&held));
        if input.checksum_mode.is_some() {
            set_checksum!(output, &wanted.checksum);
            output.checksum_type = about.checksum.as_ref().map(checksums::kind);
        }
        let body = read::read(Arc::clone(&self.store), held, data_keys, wanted.range).await?;
        output.body = Some(body);
        Ok(output)
    }

    pub(super) async fn head(
        &self,
        input: HeadObjectInput,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let customer = input.sse_customer_algorithm.is_some() || input.sse_customer_key.is_some();
        encryption::refuse_customer_keys(customer)?;
        let version = input.version_id.as_deref();
        let held = self.store.get(&input.bucket, &input.key, version).await;
        let held = held.map_err(failure::store)?;
        conditions::Read {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        }
        .check(&held.object)?;
        let wanted = Wanted::new(&held, input.range, input.part_number)?;
        let about = held.object.about();
        let mut output = HeadObjectOutput {
            content_length: Some(signed(wanted.len())),
            content_range: wanted.header(about.size),
            parts_count: wanted.parts_count,
            version_id: self.version_shown(&input.bucket, &held.object).await?,
            ..Default::default()
        };
        set_headers!(output, about);
        set_encryption!(output, about, key_id_of(&held));
        if input.checksum_mode.is_some() {
            set_checksum!(output, &wanted.checksum);
            output.checksum_type = about.checksum.as_ref().map(checksums::kind);
        }
        let mut response = S3Response::new(output);
        // The output has no field for it.
        if let Some(count) = tag_count(&held.object) {
            response.headers.insert(X_AMZ_TAGGING_COUNT, count.into());
        }
        Ok(response)
    }
}

/// What a new object is beside its bytes.
pub(super) struct New {
    pub(super) kept: Kept,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) chosen: Option<Chosen>,
    pub(super) sealer: Option<Sealer>,
}

/// An object for the store, with its seal.
pub(super) fn sealed_object(
    bucket: &str,
    key: &str,
    about: About,
    tags: BTreeMap<String, String>,
    sealer: Option<Sealer>,
    parts: &[Part],
) -> S3Result<Object> {
    let mut object = Object {
        id: random_id()?,
        sequence: 0,
        null: false,
        named: None,
        delete_marker: false,
        description: Description::new(about),
        seal: None,
        wrapping: None,
        tags,
    };
    // Parts of Zenko's format have their own data keys, and nothing has a seal.
    if let Some(Sealer { wrapping, data_key, format: Format::Segments }) = sealer {
        object.seal = Some(encryption::seal(&data_key, bucket, key, &object, parts)?);
        object.wrapping = Some(wrapping);
    }
    Ok(object)
}

/// NUL ends keys in the store, and XML has no character for it.
pub(super) fn check_key(key: &str) -> S3Result<()> {
    if key.is_empty() || key.contains('\0') {
        return Err(s3_error!(InvalidArgument, "The object key has a NUL or is empty"));
    }
    Ok(())
}

fn tag_count(object: &Object) -> Option<i32> {
    i32::try_from(object.tags.len()).ok().filter(|count| *count > 0)
}
