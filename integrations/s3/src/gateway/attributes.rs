//! GetObjectAttributes.

use s3s::S3Result;
use s3s::dto::{
    ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    ObjectPart, StorageClass,
};

use super::checksums::set_checksum;
use super::{Gateway, checksums, failure, signed, timestamp};
use crate::store::Part;

impl Gateway {
    pub(super) async fn attributes(
        &self,
        input: GetObjectAttributesInput,
    ) -> S3Result<GetObjectAttributesOutput> {
        let version = input.version_id.as_deref();
        let held = self.store.get(&input.bucket, &input.key, version).await;
        let held = held.map_err(failure::store)?;
        let about = held.object.about();
        let wants = |name: &str| {
            // One header may have several.
            let mut asked =
                input.object_attributes.iter().flat_map(|some| some.as_str().split(','));
            asked.any(|attribute| attribute.trim() == name)
        };
        let mut output = GetObjectAttributesOutput {
            last_modified: Some(timestamp(about.modified_ms)),
            version_id: self.version_shown(&input.bucket, &held.object).await?,
            ..Default::default()
        };
        if wants("ETag") {
            output.e_tag = Some(ETag::Strong(about.etag.clone()));
        }
        if wants("ObjectSize") {
            output.object_size = Some(signed(about.size));
        }
        if wants("StorageClass") {
            output.storage_class = Some(StorageClass::from("STANDARD".to_owned()));
        }
        if wants("Checksum")
            && let Some(found) = &about.checksum
        {
            let mut checksum = s3s::dto::Checksum::default();
            set_checksum!(checksum, &Some(found.clone()));
            checksum.checksum_type = Some(checksums::kind(found));
            output.checksum = Some(checksum);
        }
        if wants("ObjectParts") && about.parts_count.is_some() {
            output.object_parts =
                Some(list_parts(&held.parts, input.part_number_marker, input.max_parts));
        }
        Ok(output)
    }
}

fn list_parts(parts: &[Part], after: Option<i32>, max: Option<i32>) -> GetObjectAttributesParts {
    let after = after.and_then(|after| u32::try_from(after).ok()).unwrap_or(0);
    let limit = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(1000).min(1000);
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let mut rest = parts.iter().filter(|part| part.number > after);
    let listed: Vec<ObjectPart> = rest
        .by_ref()
        .take(limit)
        .map(|part| {
            let mut listed = ObjectPart {
                part_number: Some(number(part.number)),
                size: Some(signed(part.size)),
                ..Default::default()
            };
            set_checksum!(listed, &part.checksum);
            listed
        })
        .collect();
    GetObjectAttributesParts {
        is_truncated: Some(rest.next().is_some()),
        max_parts: Some(i32::try_from(limit).unwrap_or(i32::MAX)),
        next_part_number_marker: listed.last().and_then(|part| part.part_number),
        part_number_marker: Some(number(after)),
        parts: Some(listed),
        total_parts_count: Some(i32::try_from(parts.len()).unwrap_or(i32::MAX)),
    }
}
