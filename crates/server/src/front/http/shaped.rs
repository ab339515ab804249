//! Gives a body to refusals that the HTTP library answers by itself.
//!
//! What is not HTTP never reaches a handler: the library answers 400 (or 414, 431) with an empty body
//! and closes. Vault's clients want a list of errors in every refusal, so the empty one is replaced
//! on its way out. Our own answers are left alone: above 399 they always have a body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};

const BODY: &str = "{\"errors\":[\"malformed HTTP request\"]}\n";

/// A connection whose empty refusals get a body.
pub(super) struct Shaped<T> {
    inner: T,
    /// What stands in for the library's refusal, as far as it is not written yet.
    waiting: Vec<u8>,
}

impl<T> Shaped<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, waiting: Vec::new() }
    }
}

impl<T: Write + Unpin> Shaped<T> {
    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, &self.waiting))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting.drain(..written.min(self.waiting.len()));
        }
        Poll::Ready(Ok(()))
    }
}

/// What to send instead of these bytes, if they are an empty refusal.
fn shaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().filter(|line| line.starts_with("HTTP/1.1 4"))?;
    lines.find(|line| line.eq_ignore_ascii_case("content-length: 0"))?;
    let length = BODY.len();
    let text = format!(
        "{status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{BODY}"
    );
    Some(text.into_bytes())
}

impl<T: Write + Unpin> Write for Shaped<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_waiting(context))?;
        match shaped(bytes) {
            Some(instead) => {
                self.waiting = instead;
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut self.inner).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_waiting(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_waiting(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: Read + Unpin> Read for Shaped<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::shaped;

    #[test]
    fn only_empty_refusals_are_replaced() {
        let refusal = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let text = String::from_utf8(shaped(refusal).unwrap()).unwrap();
        assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        assert!(text.ends_with("\r\n\r\n{\"errors\":[\"malformed HTTP request\"]}\n"));
        for other in [
            &b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 14\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 14\r\n\r\n{\"errors\":[]}\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"{}",
        ] {
            assert_eq!(shaped(other), None);
        }
    }
}
