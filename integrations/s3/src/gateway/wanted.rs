//! Which bytes of an object a reading wants: all, a range, or a part by its number. Pure.

use std::ops::Range;

use s3s::{S3Result, s3_error};

use super::failure;
use crate::store::{Checksum, Held};

/// Which bytes a reading wants.
pub(super) struct Wanted {
    pub(super) range: Range<u64>,
    /// An answer with a part of the content has status 206.
    partial: bool,
    /// The checksum of these bytes, if there is one.
    pub(super) checksum: Option<Checksum>,
    pub(super) parts_count: Option<i32>,
}

impl Wanted {
    pub(super) fn new(
        held: &Held,
        range: Option<s3s::dto::Range>,
        part: Option<i32>,
    ) -> S3Result<Self> {
        let about = held.object.about();
        let size = about.size;
        match (range, part) {
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter"
            )),
            (None, None) => {
                let checksum = about.checksum.clone();
                Ok(Self { range: 0..size, partial: false, checksum, parts_count: None })
            }
            (Some(range), None) => {
                let range = range.check(size).map_err(|_| unsatisfiable(size))?;
                if range.is_empty() {
                    return Err(unsatisfiable(size));
                }
                let checksum = about.checksum.clone().filter(|_| range == (0..size));
                Ok(Self { range, partial: true, checksum, parts_count: None })
            }
            (None, Some(number)) => {
                let mut start = 0_u64;
                for part in &held.parts {
                    let end = start.saturating_add(part.size);
                    let found = i64::from(part.number) == i64::from(number);
                    if found {
                        let parts_count = about.parts_count;
                        let parts_count = parts_count.and_then(|count| i32::try_from(count).ok());
                        // What was not uploaded in parts has its only part's checksum itself.
                        let whole = about.checksum.clone().filter(|_| parts_count.is_none());
                        let checksum = part.checksum.clone().or(whole);
                        let partial = size > 0;
                        return Ok(Self { range: start..end, partial, checksum, parts_count });
                    }
                    start = end;
                }
                Err(failure::custom(
                    "InvalidPartNumber",
                    hyper::StatusCode::RANGE_NOT_SATISFIABLE,
                    "The requested partnumber is not satisfiable",
                ))
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    pub(super) fn header(&self, size: u64) -> Option<String> {
        let last = self.range.end.checked_sub(1)?;
        self.partial.then(|| format!("bytes {}-{last}/{size}", self.range.start))
    }
}

fn unsatisfiable(size: u64) -> s3s::S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    let mut headers = hyper::HeaderMap::new();
    if let Ok(range) = format!("bytes */{size}").parse() {
        headers.insert(hyper::header::CONTENT_RANGE, range);
    }
    let xml = hyper::header::HeaderValue::from_static("application/xml");
    headers.insert(hyper::header::CONTENT_TYPE, xml);
    error.set_headers(headers);
    error
}
