//! TLS by OpenSSL over a socket of tokio: OpenSSL says when it would wait, and for what.

use std::io::{self, Read, Write};

use ::openssl::ssl::{self, ErrorCode, Ssl, SslStream};

use super::socket::Socket;
use crate::Error;
use crate::tls::openssl::{describe, io_error, of_handshake};

/// A socket that never waits.
#[derive(Debug)]
struct Hasty(Socket);

/// A connection.
#[derive(Debug)]
pub(super) struct Openssl(SslStream<Hasty>);

impl Openssl {
    /// Makes the handshake.
    pub(super) async fn connect(session: Ssl, socket: Socket) -> Result<Self, Error> {
        let stream = SslStream::new(session, Hasty(socket))
            .map_err(|error| Error::Tls(crate::tls::TlsFailure::Other(error.to_string())))?;
        let mut stream = Self(stream);
        let shaken = stream.patiently(SslStream::connect).await;
        shaken.map_err(|error| of_handshake(stream.0.ssl().verify_result(), error))?;
        Ok(stream)
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.patiently(|stream| stream.ssl_read(buffer)).await;
        match read {
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => Ok(0),
            read => read.map_err(io_error),
        }
    }

    pub(super) async fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = self.patiently(|stream| stream.ssl_write(bytes)).await.map_err(io_error)?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Says goodbye; the server need not answer.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.patiently(SslStream::shutdown).await.map(|_| ()).map_err(io_error)
    }

    /// Whether the server neither closed the connection nor said anything.
    pub(super) fn is_quiet(&mut self) -> bool {
        let read = self.0.ssl_read(&mut [0]);
        matches!(read, Err(error) if error.code() == ErrorCode::WANT_READ)
    }

    /// How a write failed because the server had hung up, if one did.
    pub(super) fn hung_up(&self) -> Option<io::Error> {
        self.0.get_ref().0.hung_up()
    }

    pub(super) fn description(&self) -> String {
        describe(self.0.ssl())
    }

    /// Does a step again as often as it would have waited.
    async fn patiently<T>(
        &mut self,
        mut step: impl FnMut(&mut SslStream<Hasty>) -> Result<T, ssl::Error>,
    ) -> Result<T, ssl::Error> {
        loop {
            let error = match step(&mut self.0) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let socket = &self.0.get_ref().0;
            // A socket that fails says so in the next step.
            let _ready = match error.code() {
                ErrorCode::WANT_READ => socket.readable().await,
                ErrorCode::WANT_WRITE => socket.writable().await,
                _ => return Err(error),
            };
        }
    }
}

impl Read for Hasty {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Hasty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
