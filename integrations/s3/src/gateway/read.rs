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
    let left = range.end.saturating_sub(range.start);
    let mut reader = Reader::new(store, held, data_keys, range);
    let first = loop {
        let Some(chunk) = reader.next().await? else {
            return Ok(StreamingBlob::new(Body { pieces: VecDeque::new(), rest: None, left: 0 }));
        };
        let pieces = chunk.open()?;
        if !pieces.is_empty() {
            break pieces;
        }
    };
    // One chunk waits here, one is being read, while the one before them is opened and sent.
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
    Ok(StreamingBlob::new(Body { pieces: first.into(), rest: Some(receiver), left }))
}

/// The stream of a body: what has been read already, and what follows.
struct Body {
    /// Of the chunk that has come last.
    pieces: VecDeque<Bytes>,
    rest: Option<mpsc::Receiver<Result<Chunk, ReadFailed>>>,
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
            let Some(chunk) = std::task::ready!(rest.poll_recv(context)) else {
                return Poll::Ready(None);
            };
            match chunk.and_then(|chunk| chunk.open().map_err(|error| ReadFailed::of(&error))) {
                Ok(pieces) => self.pieces = pieces.into(),
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
    Segments(Arc<Stream>),
    Scheme1(Arc<Cipher>),
}

impl Reader {
    fn new(store: Arc<dyn Store>, held: Held, data_keys: DataKeys, range: Range<u64>) -> Self {
        Self { store, held, data_keys, next: 0, at: 0, range, open: None }
    }

    /// The next chunk; nothing at the end.
    async fn next(&mut self) -> S3Result<Option<Chunk>> {
        loop {
            if let Some(open) = &mut self.open {
                if open.fresh || !open.range.is_empty() {
                    return open.read().await.map(Some);
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
                Decoder::Scheme1(Arc::new(Cipher::new(data_key).map_err(S3Error::internal_error)?))
            }
            (DataKeys::Segments(data_key), Some(stream)) => {
                let stream = hex_bytes(stream).and_then(|stream| stream.try_into().ok());
                let stream = stream.ok_or_else(damaged)?;
                let stream = Stream::new(data_key.bytes(), &stream).map_err(failure::damaged)?;
                Decoder::Segments(Arc::new(stream))
            }
            _ => return Err(damaged()),
        };
        let (expected, stored) = match &decoder {
            Decoder::Plain | Decoder::Scheme1(_) => (part.size, range.clone()),
            Decoder::Segments(_) => (stored_len(part.size), Span::new(&range, part.size).stored),
        };
        let source = self.store.source(&part.blob, stored).await.map_err(failure::store)?;
        if source.size().await.map_err(failure::store)? != expected {
            return Err(damaged());
        }
        Ok(Open { source, decoder, size: part.size, range, fresh: true })
    }
}

impl Open {
    /// The next chunk; chunks end where segments do.
    async fn read(&mut self) -> S3Result<Chunk> {
        self.fresh = false;
        let chunk = u64::try_from(CHUNK_LEN).unwrap_or(u64::MAX);
        let start = self.range.start;
        let border = start.saturating_sub(start.checked_rem(chunk).unwrap_or(0));
        let end = self.range.end.min(border.saturating_add(chunk));
        self.range.start = end;
        let sealed = match &self.decoder {
            Decoder::Plain => Sealed::Not,
            Decoder::Segments(stream) => {
                Sealed::Segments(Arc::clone(stream), Span::new(&(start..end), self.size))
            }
            Decoder::Scheme1(cipher) => Sealed::Scheme1(Arc::clone(cipher), start),
        };
        let stored = match &sealed {
            Sealed::Segments(_, span) => span.stored.clone(),
            Sealed::Not | Sealed::Scheme1(..) => start..end,
        };
        let bytes = self.source.read(stored.start, len(&stored)).await.map_err(failure::store)?;
        Ok(Chunk { bytes, sealed, wanted: len(&(start..end)) })
    }
}

/// Stored bytes that were read at once.
struct Chunk {
    bytes: Vec<u8>,
    sealed: Sealed,
    /// How many bytes of content were asked for.
    wanted: usize,
}

enum Sealed {
    Not,
    Segments(Arc<Stream>, Span),
    /// The content begins there in its part.
    Scheme1(Arc<Cipher>, u64),
}

impl Chunk {
    /// The content, in pieces, none of them empty.
    fn open(mut self) -> S3Result<Vec<Bytes>> {
        match self.sealed {
            Sealed::Segments(stream, span) => {
                open_all(&stream, &span, &mut self.bytes)?;
                return Ok(pieces(self.bytes, span.skip, self.wanted));
            }
            Sealed::Scheme1(cipher, start) => {
                cipher.apply(start, &mut self.bytes).map_err(S3Error::internal_error)?;
            }
            Sealed::Not => {}
        }
        Ok(if self.bytes.is_empty() { Vec::new() } else { vec![Bytes::from(self.bytes)] })
    }
}

fn len(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
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
