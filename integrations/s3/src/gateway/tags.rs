//! Tags of objects and of buckets.

use std::collections::BTreeMap;

use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput,
    DeleteObjectTaggingOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, PutBucketTaggingInput, PutBucketTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Result, s3_error};

use super::{Gateway, failure};

type Tags = BTreeMap<String, String>;

/// Most tags of an object, and of a bucket.
const OBJECT_TAGS_MAX: usize = 10;
const BUCKET_TAGS_MAX: usize = 50;
/// Longest key and value, in characters.
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

/// The tags of an `x-amz-tagging` header: a query string.
pub(super) fn of_header(header: Option<&String>) -> S3Result<Tags> {
    let Some(header) = header else { return Ok(Tags::new()) };
    let pairs = header.split('&').filter(|pair| !pair.is_empty());
    checked(
        pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        }),
        OBJECT_TAGS_MAX,
    )
}

fn decoded(text: &str) -> S3Result<String> {
    let invalid = || {
        s3_error!(
            InvalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates"
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (Some(high), Some(low)) = (digit(), digit()) else { return Err(invalid()) };
                bytes.push(u8::try_from((high << 4) | low).unwrap_or_default());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

fn of_set(set: &[Tag], max: usize) -> S3Result<Tags> {
    checked(
        set.iter().map(|tag| {
            let key = tag.key.clone().ok_or_else(|| s3_error!(MalformedXML))?;
            Ok((key, tag.value.clone().unwrap_or_default()))
        }),
        max,
    )
}

fn checked(pairs: impl Iterator<Item = S3Result<(String, String)>>, max: usize) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for pair in pairs {
        let (key, value) = pair?;
        let characters = key.chars().count();
        if characters == 0 || characters > KEY_CHARACTERS_MAX || key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > VALUE_CHARACTERS_MAX {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
        if tags.insert(key, value).is_some() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > max {
        let message = format!("Object tags cannot be greater than {max}");
        return Err(failure::custom("BadRequest", hyper::StatusCode::BAD_REQUEST, &message));
    }
    Ok(tags)
}

fn to_set(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    tags.iter().map(tag).collect()
}

impl Gateway {
    pub(super) async fn put_object_tags(
        &self,
        input: PutObjectTaggingInput,
    ) -> S3Result<PutObjectTaggingOutput> {
        let tags = of_set(&input.tagging.tag_set, OBJECT_TAGS_MAX)?;
        let version = input.version_id.as_deref();
        let version_id = self.set_tags(&input.bucket, &input.key, version, tags).await?;
        Ok(PutObjectTaggingOutput { version_id })
    }

    pub(super) async fn get_object_tags(
        &self,
        input: GetObjectTaggingInput,
    ) -> S3Result<GetObjectTaggingOutput> {
        let version = input.version_id.as_deref();
        let held = self.store.get(&input.bucket, &input.key, version).await;
        let held = held.map_err(failure::store)?;
        let version_id = self.version_shown(&input.bucket, &held.object).await?;
        Ok(GetObjectTaggingOutput { tag_set: to_set(&held.object.tags), version_id })
    }

    pub(super) async fn delete_object_tags(
        &self,
        input: DeleteObjectTaggingInput,
    ) -> S3Result<DeleteObjectTaggingOutput> {
        let version = input.version_id.as_deref();
        let version_id = self.set_tags(&input.bucket, &input.key, version, Tags::new()).await?;
        Ok(DeleteObjectTaggingOutput { version_id })
    }

    async fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: Tags,
    ) -> S3Result<Option<String>> {
        let object = self.store.tag(bucket, key, version, tags).await.map_err(failure::store)?;
        self.version_shown(bucket, &object).await
    }

    pub(super) async fn put_bucket_tags(
        &self,
        input: PutBucketTaggingInput,
    ) -> S3Result<PutBucketTaggingOutput> {
        let tags = of_set(&input.tagging.tag_set, BUCKET_TAGS_MAX)?;
        self.change_bucket(&input.bucket, move |bucket| bucket.tags.clone_from(&tags)).await?;
        Ok(PutBucketTaggingOutput::default())
    }

    pub(super) async fn get_bucket_tags(
        &self,
        input: GetBucketTaggingInput,
    ) -> S3Result<GetBucketTaggingOutput> {
        let bucket = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        if bucket.tags.is_empty() {
            return Err(failure::custom(
                "NoSuchTagSet",
                hyper::StatusCode::NOT_FOUND,
                "The TagSet does not exist",
            ));
        }
        Ok(GetBucketTaggingOutput { tag_set: to_set(&bucket.tags) })
    }

    pub(super) async fn delete_bucket_tags(
        &self,
        input: DeleteBucketTaggingInput,
    ) -> S3Result<DeleteBucketTaggingOutput> {
        self.change_bucket(&input.bucket, |bucket| bucket.tags.clear()).await?;
        Ok(DeleteBucketTaggingOutput::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_a_query_string() {
        let tags = of_header(Some(&"a=1&b%20c=%C3%A9+&d".to_owned())).unwrap();
        let expected = [("a", "1"), ("b c", "é "), ("d", "")];
        assert_eq!(tags, expected.map(|(key, value)| (key.into(), value.into())).into());
        for wrong in ["a=1&a=2", "=1", "a=%f", "a=%ff", "aws:x=1"] {
            assert!(of_header(Some(&wrong.to_owned())).is_err(), "{wrong}");
        }
        let many: Vec<String> = (0..11).map(|at| format!("k{at}=v")).collect();
        assert!(of_header(Some(&many.join("&"))).is_err());
    }
}
