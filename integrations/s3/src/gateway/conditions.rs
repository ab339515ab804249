//! Conditional requests: RFC 9110 §13, as far as S3 has it.

use hyper::HeaderMap;
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use super::{http_date, timestamp};
use crate::store::{Condition, Match, Object};

/// What a reading asks for.
#[derive(Default)]
pub(super) struct Read<'a> {
    pub(super) if_match: Option<&'a ETagCondition>,
    pub(super) if_none_match: Option<&'a ETagCondition>,
    pub(super) if_modified_since: Option<&'a Timestamp>,
    pub(super) if_unmodified_since: Option<&'a Timestamp>,
}

impl Read<'_> {
    /// Checks the conditions of GET and HEAD: 412, or 304 with the validators.
    pub(super) fn check(&self, object: &Object) -> S3Result<()> {
        match self.outcome(object) {
            Outcome::Holds => Ok(()),
            Outcome::Failed => Err(failed()),
            Outcome::Unchanged => {
                let mut error = s3_error!(NotModified);
                let mut headers = HeaderMap::new();
                let about = object.about();
                if let Ok(etag) = format!("\"{}\"", about.etag).parse() {
                    headers.insert(hyper::header::ETAG, etag);
                }
                let date = http_date(&timestamp(about.modified_ms));
                if let Some(date) = date.and_then(|date| date.parse().ok()) {
                    headers.insert(hyper::header::LAST_MODIFIED, date);
                }
                error.set_headers(headers);
                Err(error)
            }
        }
    }

    /// Checks the conditions of a copy's source: 412 for all.
    pub(super) fn check_source(&self, object: &Object) -> S3Result<()> {
        match self.outcome(object) {
            Outcome::Holds => Ok(()),
            Outcome::Failed | Outcome::Unchanged => Err(failed()),
        }
    }

    fn outcome(&self, object: &Object) -> Outcome {
        let about = object.about();
        // Dates have seconds.
        let modified = timestamp(about.modified_ms / 1000 * 1000);
        if let Some(condition) = self.if_match {
            if !holds(condition, &about.etag) {
                return Outcome::Failed;
            }
        } else if self.if_unmodified_since.is_some_and(|date| modified > *date) {
            return Outcome::Failed;
        }
        let unchanged = match self.if_none_match {
            Some(condition) => holds(condition, &about.etag),
            None => self.if_modified_since.is_some_and(|date| modified <= *date),
        };
        if unchanged { Outcome::Unchanged } else { Outcome::Holds }
    }
}

enum Outcome {
    Holds,
    Failed,
    Unchanged,
}

/// What a write asks of the object it replaces.
pub(super) fn write(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> Condition {
    let wanted = |condition: &ETagCondition| match condition {
        ETagCondition::Any => Match::Any,
        ETagCondition::ETag(ETag::Strong(value) | ETag::Weak(value)) => Match::ETag(value.clone()),
    };
    Condition {
        if_match: if_match.map(wanted),
        if_none_match: if_none_match.map(wanted),
        bucket_created_ms: None,
    }
}

fn holds(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.value() == etag,
    }
}

fn failed() -> s3s::S3Error {
    s3_error!(PreconditionFailed, "At least one of the preconditions you specified did not hold")
}
