//! What a request says of its body before it comes, and whether that was so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::{S3Result, TrailingHeaders, s3_error};

use super::checksums::Algorithm;
use super::failure;
use super::objects::PUT_SIZE_MAX;
use super::write::Written;
use crate::store::Checksum;

/// What is known of a body before it comes.
pub(super) struct Promised {
    pub(super) length: u64,
    md5: Option<Vec<u8>>,
    checksum: Option<Checksum>,
    /// It comes behind the body.
    trailing: Option<(Algorithm, TrailingHeaders)>,
}

impl Promised {
    pub(super) fn new(
        headers: &hyper::HeaderMap,
        trailers: Option<TrailingHeaders>,
        length: Option<i64>,
        md5: Option<&String>,
        checksum: Option<Checksum>,
    ) -> S3Result<Self> {
        // A body in Amazon's chunks may come in HTTP's, too; then this header has its length.
        let decoded = headers.get("x-amz-decoded-content-length");
        let decoded = decoded.and_then(|length| length.to_str().ok()?.parse().ok());
        let length = length.and_then(|length| u64::try_from(length).ok()).or(decoded);
        let length = length.ok_or_else(|| {
            s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header")
        })?;
        if length > PUT_SIZE_MAX {
            return Err(s3_error!(
                EntityTooLarge,
                "Your proposed upload exceeds the maximum allowed size"
            ));
        }
        let md5 = md5.map(|md5| decode_md5(md5)).transpose()?;
        let announced = headers.get("x-amz-trailer").and_then(|name| name.to_str().ok());
        let announced = announced.and_then(Algorithm::of_header);
        let trailing = announced.zip(trailers);
        if trailing.is_some() && checksum.is_some() {
            return Err(s3_error!(InvalidRequest, "Only one checksum can be given"));
        }
        Ok(Self { length, md5, checksum, trailing })
    }

    /// Which checksum is to be computed.
    pub(super) fn algorithm(&self) -> S3Result<Option<Algorithm>> {
        if let Some((algorithm, _)) = &self.trailing {
            return Ok(Some(*algorithm));
        }
        self.checksum.as_ref().map(|checksum| Algorithm::parse(&checksum.algorithm)).transpose()
    }

    /// Compares what has come with what was promised.
    pub(super) fn check(&self, written: &Written) -> S3Result<()> {
        if written.size != self.length {
            return Err(s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length header"
            ));
        }
        if self.md5.as_ref().is_some_and(|md5| *md5 != written.md5) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received"
            ));
        }
        let promised = match &self.trailing {
            None => self.checksum.as_ref().map(|checksum| checksum.value.clone()),
            Some((algorithm, trailers)) => {
                let name = format!("x-amz-checksum-{}", algorithm.name().to_lowercase());
                let value = trailers.read(|trailers| {
                    trailers.get(&name).and_then(|value| value.to_str().ok().map(str::to_owned))
                });
                Some(value.flatten().ok_or_else(|| {
                    failure::custom(
                        "MalformedTrailerError",
                        hyper::StatusCode::BAD_REQUEST,
                        "The request contained trailing data that was not well-formed or did not conform to our published schema",
                    )
                })?)
            }
        };
        let computed = written.checksum.as_ref().map(|value| base64(value));
        if promised.is_some() && promised != computed {
            return Err(s3_error!(
                BadDigest,
                "The checksum you specified did not match what we received"
            ));
        }
        Ok(())
    }
}

/// Base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

fn decode_md5(text: &str) -> S3Result<Vec<u8>> {
    let decoded = BASE64.decode(text);
    decoded
        .ok()
        .filter(|md5| md5.len() == 16)
        .ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid"))
}
