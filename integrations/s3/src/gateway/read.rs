//! Bytes on their way out: from the store, decrypted and checked, into a stream.
//!
//! Before an answer begins, the first bytes have been read and checked, so that most of what can be wrong is said with a
//! status. What goes wrong later cuts the stream: no byte leaves that has not been checked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::body::Bytes;
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3Result, StdError, s3_error};

use super::failure;
use super::reader::{Content, Reader};
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
    let mut reader = Reader::new(store, held, data_keys, range);
    let (content, rest) = loop {
        match reader.next().await? {
            None => break (Content::default(), Rest::Ended),
            Some(content) if content.pieces.is_empty() => {}
            Some(content) => break (content, Rest::Waits(Box::new(reader))),
        }
    };
    Ok(StreamingBlob::new(Body { content, rest: Mutex::new(rest), left }))
}

/// The stream of a body: what has been read already, and what follows.
struct Body {
    /// Of the chunk that has come last.
    content: Content,
    /// Nobody else has it: the lock is for the compiler.
    rest: Mutex<Rest>,
    left: u64,
}

/// What follows.
enum Rest {
    Waits(Box<Reader>),
    Reads(Pin<Box<Next>>),
    Ended,
}

type Next = dyn Future<Output = (Box<Reader>, S3Result<Option<Content>>)> + Send;

impl futures_core::Stream for Body {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { content, rest, left } = &mut *self;
        loop {
            if let Some(piece) = content.pieces.pop_front() {
                *left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                return Poll::Ready(Some(Ok(piece)));
            }
            let rest = rest.get_mut().unwrap_or_else(PoisonError::into_inner);
            match std::mem::replace(rest, Rest::Ended) {
                Rest::Ended => return Poll::Ready(None),
                Rest::Waits(mut reader) => {
                    reader.give(std::mem::take(&mut content.whole));
                    *rest = Rest::Reads(Box::pin(async move {
                        let content = reader.next().await;
                        (reader, content)
                    }));
                }
                Rest::Reads(mut reading) => match reading.as_mut().poll(context) {
                    Poll::Pending => {
                        *rest = Rest::Reads(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready((_, Ok(None))) => {}
                    Poll::Ready((reader, Ok(Some(next)))) => {
                        *rest = Rest::Waits(reader);
                        *content = next;
                    }
                    Poll::Ready((_, Err(error))) => {
                        let failed = ReadFailed::of(&error);
                        return Poll::Ready(Some(Err(Box::new(failed))));
                    }
                },
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
