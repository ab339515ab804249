//! Bytes on their way out: from the store, decrypted and checked, into a stream.
//!
//! Before an answer begins, the first bytes have been read and checked, so that most of what can be wrong is said with a
//! status. What goes wrong later cuts the stream: no byte leaves that has not been checked.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3Result, StdError, s3_error};
use tokio::sync::mpsc;

use super::checksums::hex_bytes;
use super::failure;
use super::write::SILENCE_MAX;
use crate::driver::DataKey;
use crate::scheme1::Cipher;
use crate::segments::{SEGMENT_LEN, Span, Stream, TAG_LEN, stored_len};
use crate::store::{Held, Part, Source, Store};

/// Plaintext bytes that are read at once: whole segments.
const CHUNK_LEN: usize = 4 * SEGMENT_LEN;

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
            failure::damaged(crate::segments::Damaged)
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
    let len = range.end.saturating_sub(range.start);
    let mut reader = Reader::new(store, held, data_keys, range);
    let Some(first) = reader.next().await? else {
        return Ok(StreamingBlob::new(Body { pieces: VecDeque::new(), rest: None, left: 0 }));
    };
    // One chunk waits here, one is being read.
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let chunk = reader.next().await.map_err(|error| ReadFailed::of(&error));
            let ends = chunk.is_err();
            let Some(chunk) = chunk.transpose() else { return };
            // A client that takes nothing for too long keeps no files; one that is gone needs to be told nothing.
            let sent = tokio::time::timeout(SILENCE_MAX, sender.send(chunk)).await;
            if ends || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    });
    Ok(StreamingBlob::new(Body { pieces: first.into(), rest: Some(receiver), left: len }))
}

/// The stream of a body: what has been read already, and what follows.
struct Body {
    /// Of the chunk that has come last.
    pieces: VecDeque<Bytes>,
    rest: Option<mpsc::Receiver<Result<Vec<Bytes>, ReadFailed>>>,
    left: u64,
}

impl futures_core::Stream for Body {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                let len = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.left = self.left.saturating_sub(len);
                return Poll::Ready(Some(Ok(piece)));
            }
            let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
            match std::task::ready!(rest.poll_recv(context)) {
                None => return Poll::Ready(None),
                Some(Ok(chunk)) => self.pieces = chunk.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(Box::new(error)))),
            }
        }
    }
}

impl ByteStream for Body {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.left).unwrap_or(usize::MAX))
    }
}

/// Reads a range chunk by chunk, part by part.
struct Reader {
    store: Arc<dyn Store>,
    /// Keeps the files.
    held: Held,
    data_keys: DataKeys,
    /// Which part is next, and where in the whole content it begins.
    next: usize,
    at: u64,
    range: Range<u64>,
    open: Option<Open>,
}

/// A part that is being read.
struct Open {
    source: Box<dyn Source>,
    decoder: Decoder,
    size: u64,
    /// What is left to read of it.
    range: Range<u64>,
    /// The range has been empty from the start: the part is checked, and nothing comes of it.
    fresh: bool,
}

enum Decoder {
    Plain,
    Segments(Stream),
    Scheme1(Box<Cipher>),
}

impl Reader {
    fn new(store: Arc<dyn Store>, held: Held, data_keys: DataKeys, range: Range<u64>) -> Self {
        Self { store, held, data_keys, next: 0, at: 0, range, open: None }
    }

    /// The next pieces, none of them empty; nothing at the end.
    async fn next(&mut self) -> S3Result<Option<Vec<Bytes>>> {
        loop {
            if let Some(open) = &mut self.open {
                if open.fresh || !open.range.is_empty() {
                    let pieces = open.read().await?;
                    if !pieces.is_empty() {
                        return Ok(Some(pieces));
                    }
                    continue;
                }
                self.open = None;
            }
            let Some(part) = self.held.parts.get(self.next) else { return Ok(None) };
            let (start, end) = (self.at, self.at.saturating_add(part.size));
            let empty = self.range.is_empty() && part.size == 0;
            if is_wanted(&self.range, start, end) || empty {
                let range = self.range.start.max(start).saturating_sub(start)
                    ..self.range.end.min(end).saturating_sub(start);
                self.open = Some(self.open(part, range).await?);
            }
            self.next = self.next.saturating_add(1);
            self.at = end;
        }
    }

    async fn open(&self, part: &Part, range: Range<u64>) -> S3Result<Open> {
        let damaged = || failure::damaged(crate::segments::Damaged);
        let decoder = match (&self.data_keys, &part.stream) {
            (DataKeys::None, None) => Decoder::Plain,
            (DataKeys::Scheme1(keys), None) => {
                let data_key = keys.get(&part.number).ok_or_else(damaged)?;
                Decoder::Scheme1(Box::new(Cipher::new(data_key).map_err(S3Error::internal_error)?))
            }
            (DataKeys::Segments(data_key), Some(stream)) => {
                let stream = hex_bytes(stream).and_then(|stream| stream.try_into().ok());
                let stream = stream.ok_or_else(damaged)?;
                Decoder::Segments(Stream::new(data_key.bytes(), &stream).map_err(failure::damaged)?)
            }
            _ => return Err(damaged()),
        };
        let source = self.store.source(&part.blob).await.map_err(failure::store)?;
        let expected = match &decoder {
            Decoder::Plain | Decoder::Scheme1(_) => part.size,
            Decoder::Segments(_) => stored_len(part.size),
        };
        if source.size().await.map_err(failure::store)? != expected {
            return Err(damaged());
        }
        Ok(Open { source, decoder, size: part.size, range, fresh: true })
    }
}

impl Open {
    /// The pieces of the next chunk; chunks end where segments do.
    async fn read(&mut self) -> S3Result<Vec<Bytes>> {
        self.fresh = false;
        let chunk = u64::try_from(CHUNK_LEN).unwrap_or(u64::MAX);
        let start = self.range.start;
        let border = start.saturating_sub(start.checked_rem(chunk).unwrap_or(0));
        let end = self.range.end.min(border.saturating_add(chunk));
        self.range.start = end;
        let wanted = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        let stream = match &self.decoder {
            Decoder::Segments(stream) => stream,
            Decoder::Plain | Decoder::Scheme1(_) => {
                let mut bytes = self.source.read(start, wanted).await.map_err(failure::store)?;
                if let Decoder::Scheme1(cipher) = &self.decoder {
                    cipher.apply(start, &mut bytes).map_err(S3Error::internal_error)?;
                }
                return Ok(if bytes.is_empty() { Vec::new() } else { vec![Bytes::from(bytes)] });
            }
        };
        let span = Span::new(&(start..end), self.size);
        let stored = span.stored.end.saturating_sub(span.stored.start);
        let stored = usize::try_from(stored).unwrap_or(usize::MAX);
        let mut stored =
            self.source.read(span.stored.start, stored).await.map_err(failure::store)?;
        open_all(stream, &span, &mut stored)?;
        Ok(pieces(stored, span.skip, wanted))
    }
}

/// Whether a range has bytes of the stretch from `start` to `end`.
pub(super) fn is_wanted(range: &Range<u64>, start: u64, end: u64) -> bool {
    range.start < end && range.end > start
}

/// Opens segments in place.
fn open_all(stream: &Stream, span: &Span, stored: &mut [u8]) -> S3Result<()> {
    let mut index = span.first;
    for segment in stored.chunks_mut(SEGMENT_LEN.saturating_add(TAG_LEN)) {
        let last = index.saturating_add(1) == span.segments;
        let number =
            u32::try_from(index).map_err(|_| failure::damaged(crate::segments::Damaged))?;
        stream.open(number, last, segment).map_err(failure::damaged)?;
        index = index.saturating_add(1);
    }
    Ok(())
}

/// What of opened segments was wanted, without their tags.
fn pieces(opened: Vec<u8>, skip: usize, wanted: usize) -> Vec<Bytes> {
    let mut opened = Bytes::from(opened);
    let mut skip = skip;
    let mut wanted = wanted;
    let mut pieces = Vec::new();
    while !opened.is_empty() && wanted > 0 {
        let mut segment = opened.split_to(opened.len().min(SEGMENT_LEN.saturating_add(TAG_LEN)));
        segment.truncate(segment.len().saturating_sub(TAG_LEN));
        let mut piece = segment.split_off(skip.min(segment.len()));
        skip = 0;
        piece.truncate(wanted);
        wanted = wanted.saturating_sub(piece.len());
        if !piece.is_empty() {
            pieces.push(piece);
        }
    }
    pieces
}
