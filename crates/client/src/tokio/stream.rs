//! One TLS connection over a socket of tokio.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

#[cfg(feature = "openssl")]
use super::openssl::Openssl;
use super::socket::Socket;
use crate::blocking::resolve::{nonempty, unresolved};
use crate::timeouts::FirstAnswer;
use crate::tls::{Config, Library, TlsFailure, describe};
use crate::{Endpoint, Error, Step, Timeouts};

/// A TLS connection by one of the libraries.
#[derive(Debug)]
pub(super) enum Stream {
    Rustls(Box<TlsStream<Socket>>),
    #[cfg(feature = "openssl")]
    Openssl(Box<Openssl>),
}

impl Stream {
    /// Resolves the name, connects to its first address that takes the connection, and makes the
    /// handshake.
    pub(super) async fn open(
        endpoint: &Endpoint,
        config: &Config,
        timeouts: Timeouts,
        first_answer: FirstAnswer,
    ) -> Result<Self, Error> {
        let addresses = resolve(endpoint, first_answer.bound(timeouts.resolve)).await?;
        let socket = connect(addresses, first_answer.bound(timeouts.connect)).await?;
        socket.set_nodelay(true).map_err(Error::Connect)?;
        let limit = first_answer.bound(timeouts.handshake);
        let shaken = timeout(limit, Self::shake(endpoint, config, socket)).await;
        shaken.unwrap_or(Err(Error::TimedOut(Step::Handshake)))
    }

    /// Makes the handshake.
    async fn shake(endpoint: &Endpoint, config: &Config, socket: TcpStream) -> Result<Self, Error> {
        let socket = Socket::new(socket);
        let mut stream = match &config.library {
            Library::Rustls(library) => {
                let name = config.server_name(endpoint)?;
                let shaken = TlsConnector::from(library.clone()).connect(name, socket).await;
                Self::Rustls(Box::new(shaken.map_err(|error| Error::at(Step::Handshake, error))?))
            }
            #[cfg(feature = "openssl")]
            Library::Openssl(connector) => {
                let session = config.openssl_session(connector, endpoint)?;
                Self::Openssl(Box::new(Openssl::connect(session, socket).await?))
            }
        };
        match stream.hung_up() {
            None => Ok(stream),
            Some(error) => Err(match stream.last_word(Step::Handshake).await {
                Some(failure) => Error::Tls(failure),
                None => Error::at(Step::Handshake, error),
            }),
        }
    }

    /// How a write failed because the server had hung up, if one did.
    pub(super) fn hung_up(&self) -> Option<io::Error> {
        match self {
            Self::Rustls(stream) => stream.get_ref().0.hung_up(),
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.hung_up(),
        }
    }

    /// Why the server hung up, if it said so.
    pub(super) async fn last_word(&mut self, step: Step) -> Option<TlsFailure> {
        // Answers that nobody waits for any more may come before it.
        let mut room = Zeroizing::new([0; 4096]);
        loop {
            match self.read(room.as_mut_slice()).await {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return TlsFailure::said(Error::at(step, error)),
            }
        }
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Rustls(stream) => stream.read(buffer).await,
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.read(buffer).await,
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Rustls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.send(bytes).await,
        }
    }

    pub(super) async fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Rustls(stream) => stream.shutdown().await,
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.close().await,
        }
    }

    /// Whether the server neither closed the connection nor said anything.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let mut context = Context::from_waker(Waker::noop());
        match self {
            Self::Rustls(stream) => {
                matches!(Pin::new(stream).poll_read(&mut context, &mut buffer), Poll::Pending)
            }
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.is_quiet(),
        }
    }

    /// The TLS version and cipher suite that were agreed on, for people.
    pub(super) fn description(&self) -> String {
        match self {
            Self::Rustls(stream) => {
                let session = stream.get_ref().1;
                describe(session.protocol_version(), session.negotiated_cipher_suite())
            }
            #[cfg(feature = "openssl")]
            Self::Openssl(stream) => stream.description(),
        }
    }
}

async fn resolve(endpoint: &Endpoint, limit: Duration) -> Result<Vec<SocketAddr>, Error> {
    let lookup = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port));
    let found = timeout(limit, lookup).await.map_err(|_| Error::TimedOut(Step::Resolve))?;
    let found = found.map_err(|error| unresolved(endpoint, &error))?;
    nonempty(endpoint, found.collect())
}

async fn connect(addresses: Vec<SocketAddr>, limit: Duration) -> Result<TcpStream, Error> {
    let started = Instant::now();
    let mut last = Error::TimedOut(Step::Connect);
    let mut left_over = addresses.len();
    for address in addresses {
        // One address that swallows packets must not take the time of those after it.
        let share = u32::try_from(left_over).unwrap_or(u32::MAX).max(1);
        left_over = left_over.saturating_sub(1);
        let left = limit.saturating_sub(started.elapsed());
        let left = left.checked_div(share).unwrap_or(left);
        match timeout(left, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => last = Error::at(Step::Connect, error),
            Err(_) => last = Error::TimedOut(Step::Connect),
        }
    }
    Err(last)
}
