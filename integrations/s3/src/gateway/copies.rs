//! Copies: a reading and a writing in one.

use std::ops::Range;
use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, StreamingBlob,
};
use s3s::{S3ErrorCode, S3Result, s3_error};

use super::checksums::{Algorithm, set_checksum};
use super::encryption::{self, asked, set_encryption};
use super::headers::{Kept, given_headers, refuse_lock};
use super::objects::{New, PUT_SIZE_MAX, check_key};
use super::{Gateway, checksums, conditions, failure, read, tags, timestamp};
use crate::store::{Condition, Held, Match, StoreError, Target, Versioning};

/// The conditions of a copy's source, of the fields of a request.
macro_rules! copy_conditions {
    ($input:expr) => {
        $crate::gateway::conditions::Read {
            if_match: $input.copy_source_if_match.as_ref(),
            if_none_match: $input.copy_source_if_none_match.as_ref(),
            if_modified_since: $input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.as_ref(),
        }
    };
}

pub(super) use copy_conditions;

impl Gateway {
    /// The source of a copy.
    pub(super) async fn copy_source(
        &self,
        source: &CopySource,
        read: conditions::Read<'_>,
    ) -> S3Result<Source> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(s3_error!(NotImplemented, "Access points are not implemented"));
        };
        let held =
            self.store.get(bucket, key, version_id.as_deref()).await.map_err(failure::store)?;
        read.check_source(&held.object)?;
        let version = self.version_shown(bucket, &held.object).await?;
        Ok(Source { bucket: bucket.to_string(), key: key.to_string(), held, version })
    }

    /// The bytes of a copy's source.
    pub(super) async fn read_source(
        &self,
        source: Source,
        range: Range<u64>,
    ) -> S3Result<StreamingBlob> {
        let Source { bucket, key, held, .. } = source;
        let data_keys = self.unseal(&bucket, &key, &held, &range).await?;
        read::read(Arc::clone(&self.store), held, data_keys, range).await
    }

    pub(super) async fn copy(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        check_key(&input.key)?;
        refuse_lock!(input);
        let bucket = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        let customer = input.copy_source_sse_customer_algorithm.is_some();
        encryption::refuse_customer_keys(customer)?;
        let replaces =
            directive(input.metadata_directive.as_ref().map(|directive| directive.as_str()))?;
        let replaces_tags =
            directive(input.tagging_directive.as_ref().map(|directive| directive.as_str()))?;
        refuse_no_change(&input, replaces)?;
        let read = copy_conditions!(input);
        let source = self.copy_source(&input.copy_source, read).await?;
        let object = source.held.object.clone();
        let about = object.about();
        if about.size > PUT_SIZE_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
            ));
        }
        let kept = if replaces {
            given_headers!(input).keep()?
        } else {
            Kept { headers: about.headers.clone(), metadata: about.metadata.clone() }
        };
        let tags = if replaces_tags {
            tags::of_header(input.tagging.as_ref())?
        } else {
            object.tags.clone()
        };
        let algorithm = match &input.checksum_algorithm {
            Some(algorithm) => Some(Algorithm::parse(algorithm.as_str())?),
            None => about
                .checksum
                .as_ref()
                .map(|checksum| Algorithm::parse(&checksum.algorithm))
                .transpose()?,
        };
        let chosen = self.choose(&input.bucket, &bucket, asked!(input)).await?;
        let sealer = self.sealer(chosen.as_ref()).await?;
        let version = source.version.clone();
        let body = self.read_source(source, 0..about.size).await?;
        // A copy onto itself must not undo what others write meanwhile.
        let own = is_own(&input).then(|| Match::ETag(about.etag.clone()));
        let condition = Condition {
            if_match: own,
            bucket_created_ms: Some(bucket.created_ms),
            ..Condition::default()
        };
        let (bucket_name, key) = (input.bucket.as_str(), input.key.as_str());
        let target = Target { bucket: bucket_name, key, part: None, condition: Some(&condition) };
        let (written, part) =
            self.write_body(target, Some(body), about.size, sealer.as_ref(), algorithm).await?;
        let new = New { kept, tags, chosen, sealer };
        let committed = self.commit(bucket_name, key, new, written, part, &condition).await;
        let (object, key_id) = committed.map_err(|error| match error.code() {
            S3ErrorCode::PreconditionFailed => failure::store(StoreError::Busy),
            _ => error,
        })?;
        let about = object.about();
        let mut result = CopyObjectResult {
            e_tag: Some(ETag::Strong(about.etag.clone())),
            last_modified: Some(timestamp(about.modified_ms)),
            ..Default::default()
        };
        set_checksum!(result, &about.checksum);
        result.checksum_type = about.checksum.as_ref().map(checksums::kind);
        let mut output = CopyObjectOutput {
            copy_object_result: Some(result),
            copy_source_version_id: version,
            version_id: (bucket.versioning != Versioning::Off).then(|| object.version()),
            ..Default::default()
        };
        set_encryption!(output, about, key_id);
        Ok(output)
    }
}

/// What is copied.
pub(super) struct Source {
    bucket: String,
    key: String,
    pub(super) held: Held,
    pub(super) version: Option<String>,
}

/// Whether a copy replaces, by its directive.
fn directive(directive: Option<&str>) -> S3Result<bool> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "Unknown directive")),
    }
}

/// Whether an object is copied onto itself.
fn is_own(input: &CopyObjectInput) -> bool {
    let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else { return false };
    **bucket == *input.bucket && **key == *input.key && version_id.is_none()
}

fn refuse_no_change(input: &CopyObjectInput, replaces: bool) -> S3Result<()> {
    let changes = replaces
        || input.server_side_encryption.is_some()
        || input.website_redirect_location.is_some()
        || input.storage_class.is_some();
    if is_own(input) && !changes {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes"
        ));
    }
    Ok(())
}
