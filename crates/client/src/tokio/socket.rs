//! A socket of tokio that lets us read what the server said before it hung up on us: often why it
//! did.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::error::is_hang_up;

/// A socket. A write that fails because the server hung up is noted and goes nowhere, so that the
/// TLS library goes on to read.
#[derive(Debug)]
pub(super) struct Socket {
    socket: TcpStream,
    hung_up: Option<io::ErrorKind>,
}

impl Socket {
    pub(super) const fn new(socket: TcpStream) -> Self {
        Self { socket, hung_up: None }
    }

    /// How a write failed because the server had hung up, if one did.
    pub(super) fn hung_up(&self) -> Option<io::Error> {
        self.hung_up.map(io::Error::from)
    }

    /// The result of writing so many bytes.
    fn note(&mut self, written: io::Result<usize>, length: usize) -> io::Result<usize> {
        match written {
            Err(error) if is_hang_up(&error) => {
                self.hung_up = Some(error.kind());
                Ok(length)
            }
            written => written,
        }
    }
}

#[cfg(feature = "openssl")]
impl Socket {
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.try_read(buffer)
    }

    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written =
            if self.hung_up.is_some() { Ok(bytes.len()) } else { self.socket.try_write(bytes) };
        self.note(written, bytes.len())
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.hung_up.is_some() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let polled = Pin::new(&mut this.socket).poll_write(context, bytes);
        polled.map(|written| this.note(written, bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let length = slices.iter().fold(0_usize, |sum, slice| sum.saturating_add(slice.len()));
        if this.hung_up.is_some() {
            return Poll::Ready(Ok(length));
        }
        let polled = Pin::new(&mut this.socket).poll_write_vectored(context, slices);
        polled.map(|written| this.note(written, length))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}
