//! One TLS connection over a socket, each step of it within a time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[cfg(feature = "openssl")]
use ::openssl::ssl::SslStream;
use rustls::{ClientConnection, StreamOwned};
use zeroize::Zeroizing;

use crate::error::is_hang_up;
use crate::timeouts::Deadline;
#[cfg(feature = "openssl")]
use crate::tls::openssl;
use crate::tls::{Config, Library, TlsFailure, describe};
use crate::{Endpoint, Error, Step};

/// A socket whose reads and writes end by a moment, however slowly bytes come in between.
///
/// What the server said before it hung up on us is still there, often why it did. So a write that
/// fails for that reason is noted and goes nowhere, and the TLS library goes on to read.
#[derive(Debug)]
pub(super) struct TimedSocket {
    socket: TcpStream,
    deadline: Deadline,
    hung_up: Option<io::ErrorKind>,
}

/// A TLS connection by one of the libraries.
#[derive(Debug)]
pub(super) enum Stream {
    Rustls(Box<StreamOwned<ClientConnection, TimedSocket>>),
    #[cfg(feature = "openssl")]
    Openssl(Box<SslStream<TimedSocket>>),
}

impl Stream {
    /// Makes the handshake, within a time.
    pub(super) fn open(
        endpoint: &Endpoint,
        config: &Config,
        socket: TcpStream,
        limit: Duration,
    ) -> Result<Self, Error> {
        socket.set_nodelay(true).map_err(Error::Connect)?;
        let deadline = Deadline::after(limit);
        let socket = TimedSocket { socket, deadline, hung_up: None };
        let mut stream = match &config.library {
            Library::Rustls(library) => {
                let name = config.server_name(endpoint)?;
                let session = ClientConnection::new(library.clone(), name)
                    .map_err(|error| TlsFailure::from(&error))?;
                let mut stream = StreamOwned::new(session, socket);
                while stream.conn.is_handshaking() {
                    let shaken = stream.conn.complete_io(&mut stream.sock);
                    shaken.map_err(|error| Error::at(Step::Handshake, error))?;
                }
                Self::Rustls(Box::new(stream))
            }
            #[cfg(feature = "openssl")]
            Library::Openssl(connector) => {
                let session = config.openssl_session(connector, endpoint)?;
                let stream = session.connect(socket).map_err(openssl::handshake)?;
                Self::Openssl(Box::new(stream))
            }
        };
        match stream.hung_up() {
            None => Ok(stream),
            Some(error) => Err(match stream.last_word(Step::Handshake) {
                Some(failure) => Error::Tls(failure),
                None => Error::at(Step::Handshake, error),
            }),
        }
    }

    /// How a write failed because the server had hung up, if one did.
    pub(super) fn hung_up(&mut self) -> Option<io::Error> {
        self.socket().hung_up.map(io::Error::from)
    }

    /// Why the server hung up, if it said so.
    pub(super) fn last_word(&mut self, step: Step) -> Option<TlsFailure> {
        // Answers that nobody waits for any more may come before it.
        let mut room = Zeroizing::new([0; 4096]);
        loop {
            match self.read(room.as_mut_slice()) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return TlsFailure::said(Error::at(step, error)),
            }
        }
    }

    fn socket(&mut self) -> &mut TimedSocket {
        match self {
            Self::Rustls(stream) => &mut stream.sock,
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.get_mut(),
        }
    }

    /// Bounds what is read and written from here on.
    pub(super) fn until(&mut self, deadline: Deadline) {
        self.socket().deadline = deadline;
    }

    /// Whether the server neither closed the connection nor said anything.
    pub(super) fn is_quiet(&mut self) -> bool {
        if self.socket().socket.set_nonblocking(true).is_err() {
            return false;
        }
        let read = self.read(&mut [0]);
        let is_blocking = self.socket().socket.set_nonblocking(false).is_ok();
        is_blocking && matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Tells the server that nothing more comes, if that can be said at once.
    pub(super) fn say_goodbye(&mut self) {
        if self.socket().socket.set_nonblocking(true).is_err() {
            return;
        }
        match self {
            Self::Rustls(stream) => {
                stream.conn.send_close_notify();
                let _politeness_only = stream.conn.write_tls(&mut stream.sock);
            }
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => {
                let _politeness_only = stream.shutdown();
            }
        }
    }

    /// The other end.
    pub(super) fn peer_address(&self) -> Option<SocketAddr> {
        let socket = match self {
            Self::Rustls(stream) => &stream.sock,
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.get_ref(),
        };
        socket.socket.peer_addr().ok()
    }

    /// The TLS version and cipher suite that were agreed on, for people.
    pub(super) fn description(&self) -> String {
        match self {
            Self::Rustls(stream) => {
                describe(stream.conn.protocol_version(), stream.conn.negotiated_cipher_suite())
            }
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => openssl::describe(stream.ssl()),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Rustls(stream) => stream.read(buffer),
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.ssl_read(buffer).map_err(openssl::io_error),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Rustls(stream) => stream.write(bytes),
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.ssl_write(bytes).map_err(openssl::io_error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Rustls(stream) => stream.flush(),
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.flush(),
        }
    }
}

impl Read for TimedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.socket.set_read_timeout(Some(self.deadline.left()?))?;
            match self.socket.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl Write for TimedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        while self.hung_up.is_none() {
            self.socket.set_write_timeout(Some(self.deadline.left()?))?;
            match self.socket.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_hang_up(&error) => self.hung_up = Some(error.kind()),
                written => return written,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
