//! One TLS connection, used from one thread at a time.
//!
//! It must never retry: whether a lost request may be sent again, only the caller knows.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_kmip::Version;
use claviger_kmip::payload::Request;
use claviger_ttlv::Limits;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use zeroize::Zeroizing;

use crate::{Answer, Endpoint, Error, Inbox, Outgoing, tls};

/// How long things may take.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving the name, connecting and the TLS handshake.
    pub connect: Duration,
    /// One request and its answer.
    pub exchange: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), exchange: Duration::from_secs(30) }
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    inbox: Inbox,
    timeout: Duration,
}

impl Connection {
    /// Connects and makes the TLS handshake.
    ///
    /// # Errors
    /// The name does not resolve, nobody listens, or the two sides do not trust each other.
    pub fn open(
        endpoint: &Endpoint,
        config: &Arc<ClientConfig>,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let deadline = Deadline::after(timeouts.connect);
        let socket = connect(endpoint, deadline)?;
        socket.set_nodelay(true)?;
        let session = ClientConnection::new(Arc::clone(config), tls::server_name(endpoint)?)
            .map_err(|error| Error::Tls(error.to_string()))?;
        let mut stream = StreamOwned::new(session, socket);
        while stream.conn.is_handshaking() {
            deadline.bound(&stream.sock)?;
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let inbox = Inbox::new(Limits::default());
        Ok(Self { stream, inbox, timeout: timeouts.exchange })
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// The request cannot be made, sent or answered, or the server says no.
    pub fn call<R: Request>(
        &mut self,
        version: Version,
        request: &R,
    ) -> Result<R::Response, Error> {
        self.exchange(Outgoing::single(version, request)?)?.only::<R>()
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub fn exchange(&mut self, outgoing: Outgoing) -> Result<Answer, Error> {
        let bytes = self.exchange_bytes(&outgoing.bytes)?;
        Ok(Answer::new(bytes, outgoing.expected))
    }

    /// Sends bytes and waits for one message.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub fn exchange_bytes(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let deadline = Deadline::after(self.timeout);
        deadline.bound(&self.stream.sock)?;
        self.stream.write_all(request)?;
        self.stream.flush()?;
        loop {
            if let Some(message) = self.inbox.next_message()? {
                return Ok(message);
            }
            deadline.bound(&self.stream.sock)?;
            let count = self.stream.read(self.inbox.room())?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.inbox.filled(count);
        }
    }

    /// The TLS version and cipher suite that were agreed on, for people.
    #[must_use]
    pub fn tls_description(&self) -> String {
        describe(self.stream.conn.protocol_version(), self.stream.conn.negotiated_cipher_suite())
    }
}

pub(crate) fn describe(
    version: Option<rustls::ProtocolVersion>,
    suite: Option<rustls::SupportedCipherSuite>,
) -> String {
    let version = version.and_then(|version| version.as_str()).unwrap_or("?");
    let suite = suite.and_then(|suite| suite.suite().as_str()).unwrap_or("?");
    format!("{version} {suite}")
}

fn connect(endpoint: &Endpoint, deadline: Deadline) -> Result<TcpStream, Error> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for address in (endpoint.host.as_str(), endpoint.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, deadline.left()?) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last.into())
}

/// When the current step must be over.
#[derive(Copy, Clone)]
struct Deadline(Instant);

impl Deadline {
    fn after(duration: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(duration).unwrap_or(now))
    }

    fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// Bounds the next read and write.
    fn bound(self, socket: &TcpStream) -> io::Result<()> {
        let left = self.left()?;
        socket.set_read_timeout(Some(left))?;
        socket.set_write_timeout(Some(left))
    }
}
