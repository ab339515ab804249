//! Bodies in Amazon's chunks (`aws-chunked`), before s3s reads them.
//!
//! s3s holds a chunk until it has come whole, and some clients send everything as one. Chunks without a signature are cut into
//! smaller ones as their bytes come. A signature is of a whole chunk, so that one with a signature has to be held: it must be small.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::HeaderMap;
use hyper::body::{Body, Bytes, Frame};
use s3s::StdError;

/// Most bytes of a chunk with a signature: a transfer shall hold 1 MiB at most, and clients make them of 64 or 128 KiB.
const SIGNED_LEN_MAX: u64 = 512 << 10;
/// Longest line before a chunk.
const LINE_LEN_MAX: usize = 1024;
const LINE_END: &[u8] = b"\r\n";

/// Why a body is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChunkError {
    /// s3s hands errors on as text: this one has to be found in it.
    #[error("SignedChunkTooLong")]
    SignedTooLong,
    #[error("FormatError")]
    Malformed,
}

/// Whether the body of a request is in chunks.
pub(super) fn is_chunked(headers: &HeaderMap) -> bool {
    let kind = headers.get("x-amz-content-sha256");
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"STREAMING-"))
}

/// A body whose chunks are small enough to be held.
pub(super) struct Chunked<B> {
    body: B,
    cutter: Cutter,
}

impl<B> Chunked<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, cutter: Cutter::default() }
    }
}

impl<B> Body for Chunked<B>
where
    B: Body<Data = Bytes> + Unpin,
    StdError: From<B::Error>,
{
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        loop {
            if let Some(bytes) = self.cutter.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(frame) => frame.map_err(StdError::from)?,
            };
            if let Ok(bytes) = frame.into_data() {
                self.cutter.take(bytes)?;
            }
        }
    }
}

/// What is done with the bytes as they come.
#[derive(Default)]
struct Cutter {
    state: State,
    /// The line before a chunk, as far as it has come.
    line: Vec<u8>,
    ready: VecDeque<Bytes>,
}

#[derive(Clone, Copy, Default)]
enum State {
    /// In the line before a chunk.
    #[default]
    Line,
    /// So many bytes of a chunk are to come.
    Data { left: u64, signed: bool },
    /// So many bytes of the line's end behind a chunk are to come.
    End { left: usize, signed: bool },
    /// Behind the last chunk, or in what s3s will refuse.
    Rest,
}

impl Cutter {
    fn take(&mut self, mut bytes: Bytes) -> Result<(), ChunkError> {
        while !bytes.is_empty() {
            match self.state {
                State::Line => self.take_line(&mut bytes)?,
                State::Data { left, signed } => {
                    let room = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let data = bytes.split_to(room);
                    let left = left.saturating_sub(u64::try_from(room).unwrap_or(u64::MAX));
                    if signed {
                        self.ready.push_back(data);
                    } else {
                        self.ready.push_back(Bytes::from(format!("{room:x}\r\n")));
                        self.ready.push_back(data);
                        self.ready.push_back(Bytes::from_static(LINE_END));
                    }
                    self.state = match left {
                        0 => State::End { left: LINE_END.len(), signed },
                        left => State::Data { left, signed },
                    };
                }
                State::End { left, signed } => {
                    let end = bytes.split_to(left.min(bytes.len()));
                    let left = left.saturating_sub(end.len());
                    let until = LINE_END.len().saturating_sub(left);
                    let from = until.saturating_sub(end.len());
                    if LINE_END.get(from..until) != Some(&*end) {
                        return Err(ChunkError::Malformed);
                    }
                    if signed {
                        self.ready.push_back(end);
                    }
                    self.state = if left == 0 { State::Line } else { State::End { left, signed } };
                }
                State::Rest => self.ready.push_back(std::mem::take(&mut bytes)),
            }
        }
        Ok(())
    }

    /// Takes what is of the line before a chunk.
    fn take_line(&mut self, bytes: &mut Bytes) -> Result<(), ChunkError> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let taken = bytes.split_to(end.map_or(bytes.len(), |end| end.saturating_add(1)));
        self.line.extend_from_slice(&taken);
        if self.line.len() > LINE_LEN_MAX {
            return Err(ChunkError::Malformed);
        }
        if end.is_none() {
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        let (size, signed) = read_line(&line).ok_or(ChunkError::Malformed)?;
        if signed && size > SIGNED_LEN_MAX {
            return Err(ChunkError::SignedTooLong);
        }
        if signed || size == 0 {
            self.ready.push_back(Bytes::from(line));
        }
        self.state = match size {
            0 => State::Rest,
            left => State::Data { left, signed },
        };
        Ok(())
    }
}

/// The length of a chunk by the line before it, and whether it has a signature.
fn read_line(line: &[u8]) -> Option<(u64, bool)> {
    let line = str::from_utf8(line.strip_suffix(LINE_END)?).ok()?;
    let (size, more) = line.split_once(';').unwrap_or((line, ""));
    // No sign and no blank.
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = digits.then(|| u64::from_str_radix(size, 16).ok()).flatten()?;
    Some((size, !more.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a body that arrives in pieces of a length.
    fn cut(body: &[u8], piece: usize) -> Result<Vec<Bytes>, ChunkError> {
        let mut cutter = Cutter::default();
        for piece in body.chunks(piece) {
            cutter.take(Bytes::copy_from_slice(piece))?;
        }
        Ok(cutter.ready.into())
    }

    /// The contents of chunks, and what is behind the last.
    fn contents(mut body: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut chunks = Vec::new();
        loop {
            let end = body.iter().position(|byte| *byte == b'\n').unwrap();
            let (size, _) = read_line(&body[..=end]).unwrap();
            body = &body[end + 1..];
            if size == 0 {
                return (chunks, body.to_vec());
            }
            chunks.push(body[..size as usize].to_vec());
            assert_eq!(&body[size as usize..][..2], LINE_END);
            body = &body[size as usize + 2..];
        }
    }

    #[test]
    fn chunks_without_a_signature_are_cut_as_they_come() {
        let content = vec![7; 100_000];
        let mut body = format!("{:x}\r\n", content.len()).into_bytes();
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n");
        for piece in [1, 2, 3, 7, 1000, body.len()] {
            let out = cut(&body, piece).unwrap();
            assert!(out.iter().all(|bytes| bytes.len() <= piece.max(LINE_LEN_MAX)));
            let (chunks, rest) = contents(&out.concat());
            assert_eq!(chunks.concat(), [&content[..], b"hello"].concat(), "in pieces of {piece}");
            assert!(chunks.iter().all(|chunk| chunk.len() <= piece));
            assert_eq!(rest, b"x-amz-checksum-crc32:AAAA\r\n\r\n");
        }
    }

    #[test]
    fn chunks_with_a_signature_stay_as_they_are_and_must_be_small() {
        let body = b"5;chunk-signature=aa\r\nhello\r\n0;chunk-signature=bb\r\n\r\n";
        for piece in [1, 2, 3, 7, body.len()] {
            assert_eq!(cut(body, piece).unwrap().concat(), body);
        }
        let with = |size: u64| cut(format!("{size:x};chunk-signature=aa\r\n").as_bytes(), 9);
        assert!(with(SIGNED_LEN_MAX).is_ok());
        assert_eq!(with(SIGNED_LEN_MAX + 1), Err(ChunkError::SignedTooLong));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for body in [
            &b"zz\r\n"[..],
            b"\r\n",
            b"+5\r\nhello\r\n",
            b"5\nhello\r\n",
            b"5\r\nhelloX\r\n",
            b"5\r\nhello\rX",
            &[b'1'; 2000],
        ] {
            for piece in [1, body.len()] {
                assert_eq!(cut(body, piece), Err(ChunkError::Malformed), "{body:?}");
            }
        }
    }
}
