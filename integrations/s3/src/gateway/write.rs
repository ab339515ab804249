//! Bytes on their way in: from a stream, through hashes and encryption, into the store.
//!
//! Three things happen at once: a chunk arrives, the one before it is hashed and encrypted on another thread, the one before
//! that is written. A transfer holds a few chunks, whatever its size.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream as _;
use hyper::StatusCode;
use hyper::body::Bytes;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, StdError, s3_error};
use tokio::task::{JoinHandle, spawn_blocking};

use super::checksums::{Algorithm, Hasher};
use super::chunks::ChunkError;
use super::failure;
use super::unread::Silent;
use crate::scheme1::Cipher;
use crate::segments::{SEGMENT_LEN, Stream};
use crate::store::{Fresh, Sink};

/// Plaintext bytes that are handed on at once: whole segments.
const CHUNK_LEN: usize = 2 * SEGMENT_LEN;

/// What the bytes are turned into.
pub(super) enum Encoder {
    /// Themselves.
    Plain,
    /// Authenticated segments.
    Segments(Stream),
    /// Zenko's format.
    Scheme1(Box<Cipher>),
}

/// What has been written.
pub(super) struct Written {
    pub(super) fresh: Fresh,
    /// Bytes of content.
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    /// Of the algorithm that was asked for.
    pub(super) checksum: Option<Vec<u8>>,
}

/// Writes a stream to its end.
pub(super) async fn write(
    mut body: StreamingBlob,
    size_max: u64,
    encoder: Encoder,
    checksum: Option<Algorithm>,
    mut sink: Box<dyn Sink>,
) -> S3Result<Written> {
    let hasher = checksum.map(Hasher::new);
    let mut work = Some(Work { encoder, md5: Md5::new(), hasher, size: 0, segments: 0 });
    let mut working: Option<Working> = None;
    let mut chunks = Chunks { rest: Bytes::new(), ended: false };
    let mut size = 0_u64;
    loop {
        let chunk = chunks.next(&mut body).await?;
        size = size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if size > size_max {
            return Err(s3_error!(
                EntityTooLarge,
                "Your proposed upload exceeds the maximum allowed size"
            ));
        }
        if let Some(handle) = working.take() {
            let (done, stored) = finished(handle).await?;
            sink.write(stored).await.map_err(failure::store)?;
            work = Some(done);
        }
        let last = chunks.ended;
        if let Some(work) = work.take() {
            working = Some(spawn_blocking(move || work.take(&chunk, last)));
        }
        if last {
            break;
        }
    }
    let Some(handle) = working else {
        return Err(s3_error!(InternalError));
    };
    let (work, stored) = finished(handle).await?;
    sink.write(stored).await.map_err(failure::store)?;
    let fresh = sink.finish().await.map_err(failure::store)?;
    let checksum = work.hasher.map(Hasher::finish);
    Ok(Written { fresh, size: work.size, md5: work.md5.finalize(), checksum })
}

/// A chunk on its way through hashes and encryption; then, what is stored for it.
type Working = JoinHandle<S3Result<(Work, Vec<u8>)>>;

async fn finished(handle: Working) -> S3Result<(Work, Vec<u8>)> {
    handle.await.map_err(S3Error::internal_error)?
}

/// The state of a transfer between two chunks.
struct Work {
    encoder: Encoder,
    md5: Md5,
    hasher: Option<Hasher>,
    size: u64,
    segments: u32,
}

impl Work {
    /// Hashes a chunk, and says what is stored for it.
    fn take(mut self, chunk: &[u8], last: bool) -> S3Result<(Self, Vec<u8>)> {
        self.md5.update(chunk);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(chunk);
        }
        let stored = match &self.encoder {
            Encoder::Plain => chunk.to_vec(),
            Encoder::Scheme1(cipher) => {
                let mut stored = chunk.to_vec();
                cipher.apply(self.size, &mut stored).map_err(S3Error::internal_error)?;
                stored
            }
            Encoder::Segments(stream) => {
                let (next, stored) = encrypt(stream, self.segments, chunk, last)?;
                self.segments = next;
                stored
            }
        };
        self.size = self.size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        Ok((self, stored))
    }
}

/// The segments of a chunk, and the index of the next one.
fn encrypt(stream: &Stream, first: u32, chunk: &[u8], last: bool) -> S3Result<(u32, Vec<u8>)> {
    let stored_len = crate::segments::stored_len(u64::try_from(chunk.len()).unwrap_or(0));
    let mut stored = Vec::with_capacity(usize::try_from(stored_len).unwrap_or(0));
    let mut index = first;
    let mut segments = chunk.chunks(SEGMENT_LEN).peekable();
    let mut next = segments.next().or(last.then_some(&[]));
    while let Some(segment) = next {
        let following = segments.next();
        let is_last = last && following.is_none();
        stream.seal(index, is_last, segment, &mut stored).map_err(failure::damaged)?;
        index = index.checked_add(1).ok_or_else(|| s3_error!(EntityTooLarge))?;
        next = following;
    }
    Ok((index, stored))
}

/// A stream in chunks of one length. Only the last is shorter, and it is known to be the last.
struct Chunks {
    /// What has arrived and is of the next chunk.
    rest: Bytes,
    ended: bool,
}

impl Chunks {
    async fn next(&mut self, body: &mut StreamingBlob) -> S3Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(CHUNK_LEN);
        loop {
            let room = CHUNK_LEN.saturating_sub(chunk.len()).min(self.rest.len());
            chunk.extend_from_slice(&self.rest.split_to(room));
            if !self.rest.is_empty() {
                return Ok(chunk);
            }
            match poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await {
                None => {
                    self.ended = true;
                    return Ok(chunk);
                }
                Some(Err(error)) => return Err(broken(&error)),
                Some(Ok(bytes)) => self.rest = bytes,
            }
        }
    }
}

/// What is wrong with a body. The library's own types are not public: their texts are what there is.
fn broken(error: &StdError) -> S3Error {
    if let Some(error) = error.downcast_ref::<super::read::ReadFailed>() {
        return error.to_s3();
    }
    let text = error.to_string();
    let is = |reason: &str| text.contains(reason);
    if is(&Silent.to_string()) {
        s3_error!(
            RequestTimeout,
            "Your socket connection to the server was not read from or written to within the timeout period"
        )
    } else if is(&ChunkError::SignedTooLong.to_string()) {
        failure::custom(
            "InvalidChunkSizeError",
            StatusCode::BAD_REQUEST,
            "A chunk with a signature may have 512 KiB at most",
        )
    } else if is("SignatureMismatch") {
        s3_error!(
            SignatureDoesNotMatch,
            "The signature of a chunk does not match what the server computed"
        )
    } else if is("Sha256Mismatch") {
        failure::custom(
            "XAmzContentSHA256Mismatch",
            StatusCode::BAD_REQUEST,
            "The provided 'x-amz-content-sha256' header does not match what was computed",
        )
    } else if is("FormatError") || is("TooLarge") || is("TooMany") {
        failure::custom("InvalidChunk", StatusCode::BAD_REQUEST, "The body is not in valid chunks")
    } else {
        s3_error!(
            IncompleteBody,
            "You did not provide the number of bytes specified by the Content-Length header"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_ends_a_stream_has_its_last_segment_once() {
        let stream = Stream::new(&[1; 32], &[2; 16]).unwrap();
        for len in [0, 1, SEGMENT_LEN, SEGMENT_LEN + 1, CHUNK_LEN] {
            let (next, stored) = encrypt(&stream, 5, &vec![3; len], true).unwrap();
            let segments = len.div_ceil(SEGMENT_LEN).max(1);
            assert_eq!(next as usize, 5 + segments);
            assert_eq!(stored.len() as u64, crate::segments::stored_len(len as u64));
            let tail = stored.len() - (segments - 1) * (SEGMENT_LEN + 16);
            let mut segment = stored[stored.len() - tail..].to_vec();
            stream.open(next - 1, true, &mut segment).unwrap();
        }
        let (next, stored) = encrypt(&stream, 0, &[], false).unwrap();
        assert_eq!((next, stored.len()), (0, 0));
    }
}
