//! Bytes on their way out: from the store, decrypted and checked, into a stream.
//!
//! Before an answer begins, the first bytes have been read and checked, so that most of what can be wrong is said with a
//! status. What goes wrong later cuts the stream: no byte leaves that has not been checked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3Result, StdError, s3_error};
use tokio::sync::mpsc;

use super::failure;
use super::reader::{Buffers, Content, Reader};
use super::write::SILENCE_MAX;
use crate::driver::DataKey;
use crate::segments::Damaged;
use crate::store::{Held, Store};

/// A stream failed after its answer had begun.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the stored object cannot be read")]
pub(super) struct ReadFailed {
    damaged: bool,
}

impl ReadFailed {
    fn of(error: &S3Error) -> Self {
        Self { damaged: error.message().is_some_and(|message| message.contains("damaged")) }
    }

    /// For a copy, whose answer has not begun.
    pub(super) fn to_s3(self) -> S3Error {
        if self.damaged {
            failure::damaged(Damaged)
        } else {
            s3_error!(InternalError, "The stored object cannot be read")
        }
    }
}

/// The data keys of an object.
pub(super) enum DataKeys {
    /// It is not encrypted.
    None,
    /// That of all parts, which are segments.
    Segments(Arc<DataKey>),
    /// That of each part that is wanted, by its number; of Zenko's format.
    Scheme1(BTreeMap<u32, Arc<DataKey>>),
}

/// A range of an object's content.
pub(super) async fn read(
    store: Arc<dyn Store>,
    held: Held,
    data_keys: DataKeys,
    range: Range<u64>,
) -> S3Result<StreamingBlob> {
    let left = range.end.saturating_sub(range.start);
    let buffers = Arc::new(Buffers::default());
    let mut reader = Reader::new(store, held, data_keys, range, Arc::clone(&buffers));
    let content = loop {
        match reader.next().await? {
            None => return Ok(StreamingBlob::new(Body::default())),
            Some(content) if content.pieces.is_empty() => {}
            Some(content) => break content,
        }
    };
    // While a chunk is sent, the next one waits here and those behind it are read.
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        // A client that takes nothing for too long keeps no files; one that is gone needs to be told nothing.
        while let Ok(Ok(place)) = tokio::time::timeout(SILENCE_MAX, sender.reserve()).await {
            match reader.next().await {
                Ok(Some(content)) => place.send(Ok(content)),
                Ok(None) => return,
                Err(error) => return place.send(Err(ReadFailed::of(&error))),
            }
        }
    });
    Ok(StreamingBlob::new(Body { content, rest: Some(receiver), left, buffers }))
}

/// The stream of a body: what has been read already, and what follows.
#[derive(Default)]
struct Body {
    /// Of the chunk that has come last.
    content: Content,
    rest: Option<mpsc::Receiver<Result<Content, ReadFailed>>>,
    left: u64,
    buffers: Arc<Buffers>,
}

impl futures_core::Stream for Body {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(piece) = self.content.pieces.pop_front() {
                let len = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.left = self.left.saturating_sub(len);
                return Poll::Ready(Some(Ok(piece)));
            }
            let sent = std::mem::take(&mut self.content.whole);
            self.buffers.give(sent);
            let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
            let Some(chunk) = std::task::ready!(rest.poll_recv(context)) else {
                return Poll::Ready(None);
            };
            match chunk {
                Ok(content) => self.content = content,
                Err(error) => {
                    self.rest = None;
                    return Poll::Ready(Some(Err(Box::new(error))));
                }
            }
        }
    }
}

impl ByteStream for Body {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.left).unwrap_or(usize::MAX))
    }
}

/// Whether a range has bytes of the stretch from `start` to `end`.
pub(super) fn is_wanted(range: &Range<u64>, start: u64, end: u64) -> bool {
    range.start < end && range.end > start
}
