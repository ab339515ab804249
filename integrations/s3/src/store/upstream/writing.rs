//! Bytes on their way to the store: sent as they come, the last ones held back until there is an object for them.
//!
//! A request that ends before its length is reached leaves nothing behind, so that what is given up has never been there.

use std::sync::Arc;

use async_trait::async_trait;
use hyper::Method;
use hyper::body::Bytes;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};

use super::http::{Answer, Ask, SILENCE_MAX};
use super::records::RECORD_HEADER;
use super::{Inner, locked, random_name, reserved};
use crate::store::{Fresh, Sink, StoreError, Target};

/// Bytes that are being sent.
pub(super) struct Writing {
    inner: Arc<Inner>,
    request: What,
    len: u64,
    written: u64,
    held: Vec<u8>,
    transfer: Option<Transfer>,
}

/// What the bytes are for.
struct What {
    bucket: String,
    key: String,
    part: Option<(String, u32)>,
    /// The record of the object; parts have none of their own.
    record: String,
    condition: Option<(&'static str, String)>,
}

struct Transfer {
    bytes: mpsc::Sender<Bytes>,
    answer: JoinHandle<Result<Answer, StoreError>>,
    abort: AbortHandle,
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

impl What {
    fn ask(&self) -> Ask<'_> {
        let ask = Ask::object(Method::PUT, &self.bucket, &self.key);
        let ask = match &self.part {
            Some((upload, number)) => {
                ask.query("uploadId", upload.as_str()).query("partNumber", number.to_string())
            }
            None => ask.header(RECORD_HEADER, self.record.as_str()),
        };
        match &self.condition {
            Some((name, value)) => ask.header(name, value.as_str()),
            None => ask,
        }
    }
}

impl Inner {
    pub(super) async fn begin(
        self: &Arc<Self>,
        target: Target<'_>,
        len: u64,
    ) -> Result<Writing, StoreError> {
        if reserved(target.key) {
            return Err(StoreError::Reserved);
        }
        let condition = match target.condition.filter(|condition| condition.asks()) {
            None => None,
            // Whoever else changes the object until the bytes are there, the store notices.
            Some(_) => match self.find(target.bucket, target.key, None).await {
                Ok(found) => Some(("if-match", format!("\"{}\"", found.etag))),
                Err(StoreError::NoSuchKey { delete_marker: None }) => {
                    Some(("if-none-match", "*".to_owned()))
                }
                Err(StoreError::NoSuchKey { .. }) => None,
                Err(error) => return Err(error),
            },
        };
        let request = What {
            bucket: target.bucket.to_owned(),
            key: target.key.to_owned(),
            part: target.part.map(|(upload, number)| (upload.to_owned(), number)),
            record: random_name()?,
            condition,
        };
        let inner = Arc::clone(self);
        Ok(Writing { inner, request, len, written: 0, held: Vec::new(), transfer: None })
    }

    /// What has been written under a name.
    pub(super) fn take_written(&self, fresh: &Fresh) -> Result<Writing, StoreError> {
        let written = locked(&self.written).remove(&fresh.blob);
        written.ok_or_else(|| StoreError::Failed("bytes were written and are not there".to_owned()))
    }
}

impl Writing {
    /// The name of the record that the object will have.
    pub(super) fn record(&self) -> &str {
        &self.request.record
    }

    fn transfer(&mut self) -> &mut Transfer {
        let Self { transfer, inner, request, len, .. } = self;
        transfer.get_or_insert_with(|| {
            // One piece is being sent, one waits.
            let (bytes, receiver) = mpsc::channel(1);
            let what = What {
                bucket: request.bucket.clone(),
                key: request.key.clone(),
                part: request.part.clone(),
                record: request.record.clone(),
                condition: request.condition.clone(),
            };
            let (inner, len) = (Arc::clone(inner), *len);
            let answer =
                tokio::spawn(async move { inner.client.stream(&what.ask(), receiver, len).await });
            let abort = answer.abort_handle();
            Transfer { bytes, answer, abort }
        })
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let transfer = self.transfer();
        let sent = tokio::time::timeout(SILENCE_MAX, transfer.bytes.send(Bytes::from(bytes)));
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(StoreError::Unavailable("nothing is taken any more".to_owned())),
            // The store has answered already: with a refusal.
            Ok(Err(_)) => match self.answer().await {
                Ok(_) => Err(StoreError::Failed("an answer came before its question".to_owned())),
                Err(error) => Err(error),
            },
        }
    }

    async fn answer(&mut self) -> Result<Answer, StoreError> {
        let answer = &mut self.transfer().answer;
        match tokio::time::timeout(SILENCE_MAX, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(StoreError::Failed(error.to_string())),
            Err(_) => Err(StoreError::Unavailable("no answer in time".to_owned())),
        }
    }

    /// Sends what was held back: the bytes are those of their object, or of their part, then.
    pub(super) async fn commit(mut self) -> Result<Answer, StoreError> {
        if self.written != self.len {
            return Err(StoreError::Failed("fewer bytes than promised were written".to_owned()));
        }
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.send(held).await?;
        }
        self.answer().await
    }
}

#[async_trait]
impl Sink for Writing {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.written = self.written.saturating_add(len);
        let before = std::mem::replace(&mut self.held, bytes);
        if !before.is_empty() {
            self.send(before).await?;
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Fresh, StoreError> {
        let name = random_name()?;
        let inner = Arc::clone(&self.inner);
        locked(&inner.written).insert(name.clone(), *self);
        let undone = name.clone();
        Ok(Fresh::new(name, move || drop(locked(&inner.written).remove(&undone))))
    }
}
