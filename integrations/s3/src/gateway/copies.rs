//! Copies: a reading and a writing in one.

use std::sync::Arc;

use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag};
use s3s::{S3Result, s3_error};

use super::checksums::{Algorithm, set_checksum};
use super::encryption::{self, asked, set_encryption};
use super::headers::{Kept, given_headers};
use super::objects::{New, PUT_SIZE_MAX, check_key};
use super::{Gateway, conditions, failure, read, tags, timestamp};
use crate::driver::DataKey;
use crate::store::{Condition, Held, Versioning};

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
    /// The source of a copy, with the data key it needs.
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
        let data_key = self.unseal(bucket, key, &held).await?;
        Ok(Source { held, data_key, version })
    }

    pub(super) async fn copy(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        check_key(&input.key)?;
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
        let body = read::read(Arc::clone(&self.store), source.held, source.data_key, 0..about.size)
            .await?;
        let data_key = sealer.as_ref().map(|sealer| sealer.data_key.as_ref());
        let (written, stream) =
            self.write_body(&input.bucket, Some(body), about.size, data_key, algorithm).await?;
        let new = New { kept, tags, chosen, sealer, algorithm };
        let none = Condition::default();
        let object = self.commit(&input.bucket, &input.key, new, written, stream, &none).await?;
        let about = object.about();
        let mut result = CopyObjectResult {
            e_tag: Some(ETag::Strong(about.etag.clone())),
            last_modified: Some(timestamp(about.modified_ms)),
            ..Default::default()
        };
        set_checksum!(result, &about.checksum);
        let mut output = CopyObjectOutput {
            copy_object_result: Some(result),
            copy_source_version_id: source.version,
            version_id: (bucket.versioning != Versioning::Off).then(|| object.version()),
            ..Default::default()
        };
        set_encryption!(output, about, object.wrapping.as_ref());
        Ok(output)
    }
}

/// What is copied.
pub(super) struct Source {
    pub(super) held: Held,
    pub(super) data_key: Option<Arc<DataKey>>,
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

fn refuse_no_change(input: &CopyObjectInput, replaces: bool) -> S3Result<()> {
    let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else { return Ok(()) };
    let same = **bucket == *input.bucket && **key == *input.key && version_id.is_none();
    let changes = replaces
        || input.server_side_encryption.is_some()
        || input.website_redirect_location.is_some()
        || input.storage_class.is_some();
    if same && !changes {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes"
        ));
    }
    Ok(())
}
