//! Uploads in parts. All parts of an upload have one data key, each a stream of its own.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput,
    Part as ListedPart, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::checksums::{Algorithm, given_checksum, set_checksum};
use super::copies::copy_conditions;
use super::encryption::{asked, set_encryption};
use super::headers::{given_headers, refuse_lock};
use super::objects::{PUT_SIZE_MAX, Sealer, check_key, sealed_object};
use super::parts::{checksum_of, chosen_parts, copy_range, upload_algorithm};
use super::promised::Promised;
use super::write::Written;
use super::{Gateway, checksums, conditions, encryption, failure, now_ms, signed, tags, timestamp};
use crate::store::{About, Format, Part, StoreError, Target, Upload, UploadedPart, Versioning};

/// Most parts of an upload.
const PARTS_MAX: u32 = 10_000;
/// Most bytes of an object: 5 TiB.
const OBJECT_SIZE_MAX: u64 = 5 << 40;
/// Parts that a listing has at most.
const LISTED_MAX: usize = 1000;

impl Gateway {
    pub(super) async fn begin(
        &self,
        input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        check_key(&input.key)?;
        refuse_lock!(input);
        let kept = given_headers!(input).keep()?;
        let algorithm = input.checksum_algorithm.as_ref();
        let algorithm = algorithm.map(|name| Algorithm::parse(name.as_str())).transpose()?;
        let of_content = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
            None => algorithm == Some(Algorithm::Crc64Nvme),
            Some("COMPOSITE") if algorithm != Some(Algorithm::Crc64Nvme) => false,
            Some("FULL_OBJECT")
                if !matches!(algorithm, None | Some(Algorithm::Sha1 | Algorithm::Sha256)) =>
            {
                true
            }
            Some(_) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "The checksum type cannot be used with the checksum algorithm"
                ));
            }
        };
        let tags = tags::of_header(input.tagging.as_ref())?;
        // A rotation comes before the choice of the key, or after the upload is there.
        let _still = self.writes.read().await;
        let bucket = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        let chosen = self.choose(&input.bucket, &bucket, asked!(input)).await?;
        let key_id = chosen.as_ref().map(|chosen| chosen.key_id.clone());
        // Parts of Zenko's format have their own data keys.
        let shared = chosen.as_ref().filter(|chosen| chosen.encryption.format == Format::Segments);
        let sealer = self.sealer(shared).await?;
        if let Some(sealer) = &sealer {
            self.keys.keep_for_upload(&sealer.wrapping, &sealer.data_key);
        }
        let upload = Upload {
            about: About {
                modified_ms: now_ms(),
                headers: kept.headers,
                metadata: kept.metadata,
                encryption: chosen.map(|chosen| chosen.encryption),
                ..About::default()
            },
            wrapping: sealer.map(|sealer| sealer.wrapping),
            key_id,
            tags,
            checksum_algorithm: algorithm.map(|algorithm| algorithm.name().to_owned()),
            checksum_of_content: of_content,
        };
        let id = self.store.create_upload(&input.bucket, &input.key, &upload).await;
        let id = id.map_err(failure::store)?;
        let again = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        if again.created_ms != bucket.created_ms {
            // Its key is that of another bucket of this name, which is gone.
            drop(self.store.abort(&input.bucket, &input.key, &id).await);
            return Err(failure::store(StoreError::NoSuchBucket));
        }
        let mut output = CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: algorithm.map(|_| checksum_type(of_content)),
            ..Default::default()
        };
        set_encryption!(output, upload.about, upload.key_id.clone());
        Ok(output)
    }

    pub(super) async fn put_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<UploadPartOutput> {
        let input = request.input;
        let number = part_number(input.part_number)?;
        let upload = self.store.upload(&input.bucket, &input.key, &input.upload_id).await;
        let upload = upload.map_err(failure::store)?;
        let promised = Promised::new(
            &request.headers,
            request.trailing_headers,
            input.content_length,
            input.content_md5.as_ref(),
            given_checksum!(input)?,
        )?;
        let algorithm = match promised.algorithm()? {
            Some(algorithm) => Some(algorithm),
            None => upload_algorithm(&upload)?,
        };
        if let Some(expected) = upload_algorithm(&upload)?
            && algorithm != Some(expected)
        {
            return Err(s3_error!(
                InvalidRequest,
                "The checksum is of another algorithm than the upload's"
            ));
        }
        let place = Place { bucket: &input.bucket, key: &input.key, id: &input.upload_id };
        let sealer = self.part_sealer(&upload).await?;
        let (written, part) = self
            .write_body(
                place.target(number),
                input.body,
                promised.length,
                sealer.as_ref(),
                algorithm,
            )
            .await?;
        promised.check(&written)?;
        let part = self.add(&place, part, written).await?;
        let mut output =
            UploadPartOutput { e_tag: Some(ETag::Strong(part.etag.clone())), ..Default::default() };
        set_checksum!(output, &part.part.checksum);
        set_encryption!(output, upload.about, upload.key_id.clone());
        Ok(output)
    }

    /// The data key of all parts.
    async fn shared_sealer(&self, upload: &Upload) -> S3Result<Option<Sealer>> {
        let Some(wrapping) = &upload.wrapping else { return Ok(None) };
        let data_key = self.keys.open_for_upload(wrapping).await?;
        Ok(Some(Sealer { wrapping: wrapping.clone(), data_key, format: Format::Segments }))
    }

    /// The data key of a new part: that of all parts, or its own.
    async fn part_sealer(&self, upload: &Upload) -> S3Result<Option<Sealer>> {
        match (&upload.about.encryption, &upload.key_id) {
            (Some(encryption), Some(key_id)) if encryption.format == Format::Scheme1 => {
                let (wrapping, data_key) = self.keys.make(key_id).await?;
                Ok(Some(Sealer { wrapping, data_key, format: Format::Scheme1 }))
            }
            _ => self.shared_sealer(upload).await,
        }
    }

    async fn add(&self, place: &Place<'_>, part: Part, written: Written) -> S3Result<UploadedPart> {
        let etag = checksums::hex(&written.md5);
        let part = UploadedPart { part, etag, modified_ms: now_ms() };
        let added = self
            .store
            .put_part(place.bucket, place.key, place.id, part.clone(), written.fresh)
            .await;
        added.map_err(failure::store)?;
        Ok(part)
    }

    pub(super) async fn copy_part(
        &self,
        input: UploadPartCopyInput,
    ) -> S3Result<UploadPartCopyOutput> {
        let number = part_number(input.part_number)?;
        encryption::refuse_customer_keys(input.copy_source_sse_customer_algorithm.is_some())?;
        let upload = self.store.upload(&input.bucket, &input.key, &input.upload_id).await;
        let upload = upload.map_err(failure::store)?;
        let source = self.copy_source(&input.copy_source, copy_conditions!(input)).await?;
        let size = source.held.object.about().size;
        let range = match &input.copy_source_range {
            None => 0..size,
            Some(range) => copy_range(range, size)?,
        };
        let len = range.end.saturating_sub(range.start);
        if len > PUT_SIZE_MAX {
            return Err(s3_error!(InvalidRequest, "The copied part is too large"));
        }
        let algorithm = upload_algorithm(&upload)?;
        let place = Place { bucket: &input.bucket, key: &input.key, id: &input.upload_id };
        let sealer = self.part_sealer(&upload).await?;
        let version = source.version.clone();
        let body = self.read_source(source, range).await?;
        let (written, part) = self
            .write_body(place.target(number), Some(body), len, sealer.as_ref(), algorithm)
            .await?;
        let part = self.add(&place, part, written).await?;
        let mut result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag.clone())),
            last_modified: Some(timestamp(part.modified_ms)),
            ..Default::default()
        };
        set_checksum!(result, &part.part.checksum);
        let mut output = UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: version,
            ..Default::default()
        };
        set_encryption!(output, upload.about, upload.key_id.clone());
        Ok(output)
    }

    pub(super) async fn finish(
        &self,
        mut input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        checksums::without_count([
            &mut input.checksum_crc32,
            &mut input.checksum_crc32c,
            &mut input.checksum_crc64nvme,
            &mut input.checksum_sha1,
            &mut input.checksum_sha256,
        ]);
        let (bucket_name, key, id) = (&input.bucket, &input.key, &input.upload_id);
        let bucket = self.store.bucket(bucket_name).await.map_err(failure::store)?;
        let upload = match self.store.upload(bucket_name, key, id).await {
            Err(StoreError::NoSuchUpload) => return self.finished(input).await,
            upload => upload.map_err(failure::store)?,
        };
        let listed = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_ref());
        let listed = listed.filter(|parts| !parts.is_empty()).ok_or_else(|| {
            s3_error!(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
        })?;
        let found = self.store.parts(bucket_name, key, id, 0, usize::MAX).await;
        let used = chosen_parts(&found.map_err(failure::store)?, listed)?;

        let algorithm = upload_algorithm(&upload)?;
        let given = given_checksum!(input)?;
        let checksum = checksum_of(&upload, algorithm, &used, given)?;
        let size = used.iter().fold(0, |size: u64, part| size.saturating_add(part.part.size));
        if size > OBJECT_SIZE_MAX {
            return Err(s3_error!(EntityTooLarge));
        }
        if input.mpu_object_size.is_some_and(|given| given != signed(size)) {
            return Err(s3_error!(InvalidRequest, "The size of the object is another"));
        }
        let about = About {
            size,
            etag: checksums::etag_of_parts(used.iter().map(|part| part.etag.as_str())),
            modified_ms: now_ms(),
            checksum,
            parts_count: u32::try_from(used.len()).ok(),
            ..upload.about.clone()
        };
        let parts: Vec<Part> = used.into_iter().map(|part| part.part).collect();
        let sealer = self.shared_sealer(&upload).await?;
        let object = sealed_object(bucket_name, key, about, upload.tags, sealer, &parts)?;
        let condition = conditions::write(input.if_match.as_ref(), input.if_none_match.as_ref());
        let completed = self.store.complete(bucket_name, key, id, object, parts, &condition).await;
        let object = completed.map_err(failure::store)?;
        if let Some(wrapping) = &upload.wrapping {
            self.keys.end_upload(wrapping);
        }
        let about = object.about();
        let mut output = CompleteMultipartUploadOutput {
            e_tag: Some(ETag::Strong(about.etag.clone())),
            location: Some(format!("/{bucket_name}/{key}")),
            version_id: (bucket.versioning != Versioning::Off).then(|| object.version()),
            ..Default::default()
        };
        set_checksum!(output, &about.checksum);
        output.checksum_type = about.checksum.as_ref().map(checksums::kind);
        set_encryption!(output, about, upload.key_id);
        output.bucket = Some(input.bucket);
        output.key = Some(input.key);
        Ok(output)
    }

    /// The answer to who did not hear that an upload is complete: its parts are what the object is.
    async fn finished(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let no_upload = || failure::store(StoreError::NoSuchUpload);
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let etags: Option<Vec<&str>> =
            parts.iter().map(|part| part.e_tag.as_ref().map(ETag::value)).collect();
        let etags = etags.filter(|etags| !etags.is_empty()).ok_or_else(no_upload)?;
        let etag = checksums::etag_of_parts(etags.into_iter());
        let held = self.store.get(&input.bucket, &input.key, None).await;
        let held = held.map_err(|_| no_upload())?;
        let about = held.object.about();
        if about.etag != etag {
            return Err(no_upload());
        }
        let mut output = CompleteMultipartUploadOutput {
            e_tag: Some(ETag::Strong(etag)),
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            version_id: self.version_shown(&input.bucket, &held.object).await?,
            ..Default::default()
        };
        set_checksum!(output, &about.checksum);
        output.checksum_type = about.checksum.as_ref().map(checksums::kind);
        set_encryption!(output, about, encryption::key_id_of(&held));
        output.bucket = Some(input.bucket);
        output.key = Some(input.key);
        Ok(output)
    }

    pub(super) async fn abort(
        &self,
        input: AbortMultipartUploadInput,
    ) -> S3Result<AbortMultipartUploadOutput> {
        if let Ok(Upload { wrapping: Some(wrapping), .. }) =
            self.store.upload(&input.bucket, &input.key, &input.upload_id).await
        {
            self.keys.end_upload(&wrapping);
        }
        let aborted = self.store.abort(&input.bucket, &input.key, &input.upload_id).await;
        aborted.map_err(failure::store)?;
        Ok(AbortMultipartUploadOutput::default())
    }

    pub(super) async fn list_parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        let upload = self.store.upload(&input.bucket, &input.key, &input.upload_id).await;
        let upload = upload.map_err(failure::store)?;
        let limit = input.max_parts.map_or(LISTED_MAX, |max| usize::try_from(max).unwrap_or(0));
        let limit = limit.min(LISTED_MAX);
        let after = input.part_number_marker.unwrap_or(0);
        let after_number = u32::try_from(after).unwrap_or(0);
        let more = limit.saturating_add(1);
        let found =
            self.store.parts(&input.bucket, &input.key, &input.upload_id, after_number, more).await;
        let mut found = found.map_err(failure::store)?;
        let truncated = found.len() > limit;
        found.truncate(limit);
        let parts: Vec<ListedPart> = found
            .iter()
            .map(|part| {
                let mut listed = ListedPart {
                    e_tag: Some(ETag::Strong(part.etag.clone())),
                    last_modified: Some(timestamp(part.modified_ms)),
                    part_number: i32::try_from(part.part.number).ok(),
                    size: Some(signed(part.part.size)),
                    ..Default::default()
                };
                set_checksum!(listed, &part.part.checksum);
                listed
            })
            .collect();
        let algorithm = upload.checksum_algorithm;
        Ok(ListPartsOutput {
            checksum_type: algorithm.as_ref().map(|_| checksum_type(upload.checksum_of_content)),
            checksum_algorithm: algorithm.map(ChecksumAlgorithm::from),
            is_truncated: Some(truncated),
            max_parts: i32::try_from(limit).ok(),
            next_part_number_marker: parts.last().and_then(|part| part.part_number),
            owner: Some(super::buckets::owner()),
            part_number_marker: Some(after),
            parts: Some(parts),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            ..Default::default()
        })
    }
}

/// Where a part goes.
struct Place<'a> {
    bucket: &'a str,
    key: &'a str,
    id: &'a str,
}

impl<'a> Place<'a> {
    fn target(&self, number: u32) -> Target<'a> {
        let Self { bucket, key, id } = *self;
        Target { bucket, key, part: Some((id, number)), condition: None }
    }
}

fn part_number(number: i32) -> S3Result<u32> {
    u32::try_from(number).ok().filter(|number| (1..=PARTS_MAX).contains(number)).ok_or_else(|| {
        s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive")
    })
}

fn checksum_type(of_content: bool) -> ChecksumType {
    ChecksumType::from(if of_content { "FULL_OBJECT" } else { "COMPOSITE" }.to_owned())
}
