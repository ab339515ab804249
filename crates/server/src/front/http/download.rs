//! A file that leaves while it is being written: a thread writes it, a bounded queue slows the thread
//! down to the client, and a client that stops reading ends it.

use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::vault::Download;

/// What is handed on at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait for the client.
const CHUNKS_MAX: usize = 4;
/// How long a client may take for one: what it holds up, the store must keep.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The answer that carries a file.
pub(super) fn render(download: Download) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(CHUNK_BYTES, Pipe { sender, handle });
        let written = download.write(&mut out).and_then(|()| out.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "a file was not sent to its end");
            // What is still in the buffer must not make the file look longer than it is.
            let (pipe, _) = out.into_parts();
            pipe.cut_off(error);
        }
    });
    let mut response = Response::new(Body::new(Streamed { receiver }));
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response
}

struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    handle: Handle,
}

impl Pipe {
    /// Breaks the connection: the end of the body would say that the file is whole.
    fn cut_off(self, error: io::Error) {
        // A client that has gone knows already.
        let _ = self.handle.block_on(self.sender.send_timeout(Err(error), STALL_TIMEOUT));
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = Ok(Bytes::copy_from_slice(bytes));
        let sent = self.handle.block_on(self.sender.send_timeout(chunk, STALL_TIMEOUT));
        match sent {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(io::Error::other("the client has gone or reads no more")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Streamed {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.receiver.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
