//! Stored bytes on their way out: one request for what is going to be read of a part.

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use std::ops::Range;

use super::Inner;
use super::http::{Ask, SILENCE_MAX};
use crate::store::{Source, StoreError};

/// Where the bytes of a part are: a stretch of an object of which it is known which one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version: Option<String>,
    pub(super) etag: String,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// All there is of the object.
    pub(super) total: u64,
}

impl Stretch {
    /// As a part's name of its bytes.
    pub(super) fn name(&self) -> String {
        // Strings and numbers have a JSON text.
        serde_json::to_string(self).unwrap_or_default()
    }
}

struct Reading {
    len: u64,
    state: tokio::sync::Mutex<State>,
}

struct State {
    body: Option<Incoming>,
    /// What has come and is not read yet, and where in the part it begins.
    rest: Bytes,
    at: u64,
}

impl Inner {
    pub(super) async fn open(
        &self,
        name: &str,
        range: Range<u64>,
    ) -> Result<Box<dyn Source>, StoreError> {
        let stretch: Stretch = serde_json::from_str(name).map_err(|_| StoreError::Damaged)?;
        let end = range.end.min(stretch.len);
        let at = range.start;
        let mut body = None;
        if at < end {
            let first = stretch.offset.saturating_add(at);
            let last = stretch.offset.saturating_add(end).saturating_sub(1);
            let whole = first == 0 && last.saturating_add(1) == stretch.total;
            let ask = Ask::object(Method::GET, &stretch.bucket, &stretch.key)
                .version(stretch.version.as_deref())
                .header("if-match", format!("\"{}\"", stretch.etag));
            let ask =
                if whole { ask } else { ask.header("range", format!("bytes={first}-{last}")) };
            let response = match self.client.open(&ask).await {
                // It has been replaced, or deleted.
                Err(
                    StoreError::Precondition
                    | StoreError::NoSuchKey { .. }
                    | StoreError::NoSuchVersion,
                ) => {
                    return Err(StoreError::Busy);
                }
                response => response?,
            };
            check(&response, if whole { None } else { Some((first, last)) })?;
            body = Some(response.into_body());
        }
        let state = tokio::sync::Mutex::new(State { body, rest: Bytes::new(), at });
        Ok(Box::new(Reading { len: stretch.len, state }))
    }
}

/// Whether the answer is the range that was asked for.
fn check(response: &Response<Incoming>, range: Option<(u64, u64)>) -> Result<(), StoreError> {
    let found = response.headers().get("content-range").and_then(|range| range.to_str().ok());
    let right = match range {
        None => response.status() == StatusCode::OK,
        Some((first, last)) => {
            response.status() == StatusCode::PARTIAL_CONTENT
                && found.is_some_and(|found| found.starts_with(&format!("bytes {first}-{last}/")))
        }
    };
    if right { Ok(()) } else { Err(StoreError::Damaged) }
}

#[async_trait]
impl Source for Reading {
    async fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let mut state = self.state.lock().await;
        if state.at != offset {
            return Err(StoreError::Failed("bytes are read out of their order".to_owned()));
        }
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            if state.rest.is_empty() {
                state.rest = state.next().await?;
                continue;
            }
            let wanted = len.saturating_sub(bytes.len()).min(state.rest.len());
            bytes.extend_from_slice(&state.rest.split_to(wanted));
        }
        state.at = offset.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        Ok(bytes)
    }

    async fn size(&self) -> Result<u64, StoreError> {
        Ok(self.len)
    }
}

impl State {
    async fn next(&mut self) -> Result<Bytes, StoreError> {
        // There are fewer than there should be.
        let body = self.body.as_mut().ok_or(StoreError::Damaged)?;
        let frame = tokio::time::timeout(SILENCE_MAX, body.frame());
        let frame = frame
            .await
            .map_err(|_| StoreError::Unavailable("an answer does not go on".to_owned()))?;
        match frame.ok_or(StoreError::Damaged)? {
            Ok(frame) => Ok(frame.into_data().unwrap_or_default()),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }
}
