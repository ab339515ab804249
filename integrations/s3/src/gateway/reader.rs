//! The chunks of a range: read where the store reads, and opened there, a few ahead of what is sent.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use hyper::body::Bytes;
use s3s::{S3Error, S3Result};

use super::checksums::hex_bytes;
use super::failure;
use super::read::{DataKeys, is_wanted};
use crate::scheme1::Cipher;
use crate::segments::{Damaged, SEGMENT_LEN, Span, Stream, TAG_LEN, stored_len};
use crate::store::{Begun, Held, Opening, Part, Source, Store, StoreError};

/// Bytes of content that are read at once: whole segments.
const CHUNK_LEN: usize = 4 * SEGMENT_LEN;
/// How many chunks of a range are being read or wait to be sent. With the one that is sent they are the megabyte that a
/// transfer may have.
const AHEAD_MAX: usize = 3;

/// The content of a chunk.
#[derive(Default)]
pub(super) struct Content {
    /// Its buffer, which is free again when the pieces are gone.
    pub(super) whole: Bytes,
    /// None of them is empty.
    pub(super) pieces: VecDeque<Bytes>,
}

/// The buffers of a range that nobody uses: the next chunks are read into them, and the system need not clear new memory.
#[derive(Default)]
struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    fn take(&mut self, len: usize) -> Vec<u8> {
        let mut buffer = self.0.pop().unwrap_or_default();
        buffer.resize(len, 0);
        buffer
    }

    fn give(&mut self, buffer: Bytes) {
        if buffer.is_unique() {
            self.0.push(buffer.into());
        }
    }
}

/// Reads a range chunk by chunk, part by part.
pub(super) struct Reader {
    store: Arc<dyn Store>,
    /// Keeps the files.
    held: Held,
    data_keys: DataKeys,
    /// Which part is next, and where in the whole content it begins.
    next: usize,
    at: u64,
    range: Range<u64>,
    open: Option<Open>,
    buffers: Buffers,
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
    /// Chunks that are being read, in their order.
    ahead: VecDeque<Chunk>,
}

/// A chunk that is being read and opened.
struct Chunk {
    bytes: Begun,
    /// Of segments: where the content begins in them.
    skip: Option<usize>,
    wanted: usize,
}

enum Decoder {
    Plain,
    Segments(Arc<Stream>),
    Scheme1(Arc<Cipher>),
}

impl Reader {
    pub(super) fn new(
        store: Arc<dyn Store>,
        held: Held,
        data_keys: DataKeys,
        range: Range<u64>,
    ) -> Self {
        let buffers = Buffers::default();
        Self { store, held, data_keys, next: 0, at: 0, range, open: None, buffers }
    }

    /// Takes the buffer of a chunk that has been sent.
    pub(super) fn give(&mut self, buffer: Bytes) {
        self.buffers.give(buffer);
    }

    /// The next chunk; nothing at the end.
    pub(super) async fn next(&mut self) -> S3Result<Option<Content>> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(content) = open.next(&mut self.buffers).await? {
                    return Ok(Some(content));
                }
                self.open = None;
            }
            let Some(part) = self.held.parts.get(self.next) else { return Ok(None) };
            let (start, end) = (self.at, self.at.saturating_add(part.size));
            let empty = self.range.is_empty() && part.size == 0;
            if is_wanted(&self.range, start, end) || empty {
                let range = self.range.start.max(start).saturating_sub(start)
                    ..self.range.end.min(end).saturating_sub(start);
                self.open = Some(open(&self.store, &self.data_keys, part, range).await?);
            }
            self.next = self.next.saturating_add(1);
            self.at = end;
        }
    }
}

/// Opens a part.
async fn open(
    store: &Arc<dyn Store>,
    data_keys: &DataKeys,
    part: &Part,
    range: Range<u64>,
) -> S3Result<Open> {
    let damaged = || failure::damaged(Damaged);
    let decoder = match (data_keys, &part.stream) {
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
    let source = store.source(&part.blob, stored).await.map_err(failure::store)?;
    if source.size().await.map_err(failure::store)? != expected {
        return Err(damaged());
    }
    Ok(Open { source, decoder, size: part.size, range, fresh: true, ahead: VecDeque::new() })
}

impl Open {
    /// The next chunk; nothing at the end.
    async fn next(&mut self, buffers: &mut Buffers) -> S3Result<Option<Content>> {
        while self.ahead.len() < AHEAD_MAX && (self.fresh || !self.range.is_empty()) {
            let chunk = self.begin(buffers);
            self.ahead.push_back(chunk);
        }
        let Some(chunk) = self.ahead.pop_front() else { return Ok(None) };
        let whole = Bytes::from(chunk.bytes.await.map_err(failure::store)?);
        let pieces = match chunk.skip {
            Some(skip) => pieces(whole.clone(), skip, chunk.wanted),
            None if whole.is_empty() => VecDeque::new(),
            None => VecDeque::from([whole.clone()]),
        };
        Ok(Some(Content { whole, pieces }))
    }

    /// Begins to read the next chunk; chunks end where segments do.
    fn begin(&mut self, buffers: &mut Buffers) -> Chunk {
        self.fresh = false;
        let chunk = u64::try_from(CHUNK_LEN).unwrap_or(u64::MAX);
        let start = self.range.start;
        let border = start.saturating_sub(start.checked_rem(chunk).unwrap_or(0));
        let end = self.range.end.min(border.saturating_add(chunk));
        self.range.start = end;
        let wanted = start..end;
        let (stored, skip, open): (_, _, Opening) = match &self.decoder {
            Decoder::Plain => (wanted.clone(), None, Box::new(|_| Ok(()))),
            Decoder::Scheme1(cipher) => {
                let cipher = Arc::clone(cipher);
                let open = move |bytes: &mut [u8]| {
                    let applied = cipher.apply(start, bytes);
                    applied.map_err(|error| StoreError::Failed(error.to_string()))
                };
                (wanted.clone(), None, Box::new(open))
            }
            Decoder::Segments(stream) => {
                let stream = Arc::clone(stream);
                let span = Span::new(&wanted, self.size);
                let (stored, skip) = (span.stored.clone(), span.skip);
                let open = move |bytes: &mut [u8]| {
                    open_all(&stream, &span, bytes).map_err(|Damaged| StoreError::Damaged)
                };
                (stored, Some(skip), Box::new(open))
            }
        };
        let bytes = self.source.read(stored.start, buffers.take(len(&stored)), open);
        Chunk { bytes, skip, wanted: len(&wanted) }
    }
}

fn len(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
}

/// Opens segments in place.
fn open_all(stream: &Stream, span: &Span, stored: &mut [u8]) -> Result<(), Damaged> {
    let mut index = span.first;
    for segment in stored.chunks_mut(SEGMENT_LEN.saturating_add(TAG_LEN)) {
        let last = index.saturating_add(1) == span.segments;
        let number = u32::try_from(index).map_err(|_| Damaged)?;
        stream.open(number, last, segment)?;
        index = index.saturating_add(1);
    }
    Ok(())
}

/// What of opened segments was wanted, without their tags.
fn pieces(mut opened: Bytes, skip: usize, wanted: usize) -> VecDeque<Bytes> {
    let mut skip = skip;
    let mut wanted = wanted;
    let mut pieces = VecDeque::new();
    while !opened.is_empty() && wanted > 0 {
        let mut segment = opened.split_to(opened.len().min(SEGMENT_LEN.saturating_add(TAG_LEN)));
        segment.truncate(segment.len().saturating_sub(TAG_LEN));
        let mut piece = segment.split_off(skip.min(segment.len()));
        skip = 0;
        piece.truncate(wanted);
        wanted = wanted.saturating_sub(piece.len());
        if !piece.is_empty() {
            pieces.push_back(piece);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_free_when_its_pieces_are_gone() {
        let mut buffers = Buffers::default();
        let len = SEGMENT_LEN + 2 * TAG_LEN + 5;
        let cut = |buffer: Vec<u8>| {
            let whole = Bytes::from(buffer);
            (pieces(whole.clone(), 3, SEGMENT_LEN), whole)
        };
        let (unsent, whole) = cut(buffers.take(len));
        assert_eq!(unsent.iter().map(Bytes::len).collect::<Vec<_>>(), [SEGMENT_LEN - 3, 3]);
        buffers.give(whole);
        assert!(buffers.0.is_empty(), "its pieces are still to be sent");
        let (sent, whole) = cut(buffers.take(len));
        let place = whole.as_ptr();
        drop(sent);
        buffers.give(whole);
        let again = buffers.take(len);
        assert_eq!((again.as_ptr(), again.len()), (place, len));
    }
}
