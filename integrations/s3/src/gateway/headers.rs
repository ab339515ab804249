//! The headers and metadata that S3 keeps with an object.

use std::collections::{BTreeMap, HashMap};

use s3s::dto::{Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};

use super::{failure, http_date};

/// Longest metadata of a client, names and values together, in bytes.
const METADATA_LEN_MAX: usize = 2048;
/// What an object is that nobody has said anything of.
const DEFAULT_TYPE: &str = "binary/octet-stream";
const EXPIRES: &str = "expires";

/// Headers that a request sets and answers have.
#[derive(Default)]
pub(super) struct Given {
    pub(super) named: [(&'static str, Option<String>); 6],
    pub(super) expires: Option<Timestamp>,
    pub(super) metadata: Option<HashMap<String, String>>,
}

/// The fields of a request.
macro_rules! given_headers {
    ($input:expr) => {
        $crate::gateway::headers::Given {
            named: [
                ("content-type", $input.content_type.clone()),
                ("cache-control", $input.cache_control.clone()),
                ("content-disposition", $input.content_disposition.clone()),
                ("content-encoding", $input.content_encoding.clone()),
                ("content-language", $input.content_language.clone()),
                ("website-redirect-location", $input.website_redirect_location.clone()),
            ],
            expires: $input.expires.clone(),
            metadata: $input.metadata.clone(),
        }
    };
}

/// The fields of an answer.
macro_rules! set_headers {
    ($output:expr, $about:expr) => {
        let of = |name: &str| $about.headers.get(name).cloned();
        $output.content_type = of("content-type");
        $output.cache_control = of("cache-control");
        $output.content_disposition = of("content-disposition");
        $output.content_encoding = of("content-encoding");
        $output.content_language = of("content-language");
        $output.website_redirect_location = of("website-redirect-location");
        $output.expires = of("expires").and_then(|text| $crate::gateway::headers::expires(&text));
        $output.metadata = Some($about.metadata.clone().into_iter().collect());
        $output.last_modified = Some($crate::gateway::timestamp($about.modified_ms));
        $output.e_tag = Some(s3s::dto::ETag::Strong($about.etag.clone()));
        $output.accept_ranges = Some("bytes".to_owned());
    };
}

/// Whoever asks for a lock and gets none would believe that an object cannot be deleted.
macro_rules! refuse_lock {
    ($input:expr) => {
        if $input.object_lock_mode.is_some()
            || $input.object_lock_retain_until_date.is_some()
            || $input.object_lock_legal_hold_status.is_some()
        {
            return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
        }
    };
}

pub(super) use {given_headers, refuse_lock, set_headers};

/// Headers and metadata as they are stored.
pub(super) struct Kept {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Given {
    pub(super) fn keep(self) -> S3Result<Kept> {
        let mut headers = BTreeMap::new();
        for (name, value) in self.named {
            let Some(mut value) = value else { continue };
            if name == "content-encoding" {
                value = without_aws_chunked(&value);
                if value.is_empty() {
                    continue;
                }
            }
            headers.insert(name.to_owned(), value);
        }
        headers.entry("content-type".to_owned()).or_insert_with(|| DEFAULT_TYPE.to_owned());
        if let Some(date) = self.expires.and_then(|expires| http_date(&expires)) {
            headers.insert(EXPIRES.to_owned(), date);
        }
        let metadata: BTreeMap<String, String> =
            self.metadata.unwrap_or_default().into_iter().collect();
        let len: usize =
            metadata.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
        if len > METADATA_LEN_MAX {
            return Err(failure::custom(
                "MetadataTooLarge",
                hyper::StatusCode::BAD_REQUEST,
                "Your metadata headers exceed the maximum allowed metadata size",
            ));
        }
        let mut values = headers.values().chain(metadata.values());
        if values.any(|value| value.contains(['\r', '\n', '\0'])) {
            return Err(s3_error!(InvalidArgument, "A header has a character it cannot have"));
        }
        Ok(Kept { headers, metadata })
    }
}

/// The chunks of a transfer are none of the object's business.
fn without_aws_chunked(encoding: &str) -> String {
    let codings = encoding.split(',').map(str::trim);
    let codings: Vec<&str> = codings.filter(|coding| *coding != "aws-chunked").collect();
    codings.join(", ")
}

pub(super) fn expires(date: &str) -> Option<Timestamp> {
    Timestamp::parse(TimestampFormat::HttpDate, date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(encoding: &str) -> Given {
        let mut given = Given::default();
        given.named[0] = ("content-encoding", Some(encoding.to_owned()));
        given.named[1..].iter_mut().for_each(|named| *named = ("cache-control", None));
        given
    }

    #[test]
    fn chunks_of_a_transfer_are_not_kept_and_a_type_always_is() {
        let kept = given("aws-chunked").keep().unwrap();
        assert_eq!(kept.headers, [("content-type".into(), DEFAULT_TYPE.into())].into());
        let kept = given("gzip, aws-chunked").keep().unwrap();
        assert_eq!(kept.headers["content-encoding"], "gzip");
    }

    #[test]
    fn metadata_has_a_limit() {
        let with = |len: usize| {
            let metadata = Some([("m".to_owned(), "x".repeat(len - 1))].into());
            Given { metadata, ..given("gzip") }.keep()
        };
        assert!(with(METADATA_LEN_MAX).is_ok());
        assert!(with(METADATA_LEN_MAX + 1).is_err());
    }
}
