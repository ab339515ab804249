//! One TLS connection in an asynchronous program, with any number of requests under way.
//!
//! It must never retry, and never spawn: whoever owns the connection drives it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use claviger_kmip::Version;
use claviger_kmip::payload::Request;
use claviger_ttlv::Limits;
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::blocking::{Timeouts, describe};
use crate::{Answer, Endpoint, Error, Expected, Inbox, Outgoing, tls};

/// A connection to a server.
///
/// A future of it that is dropped half-way may have sent part of a request: drop the connection
/// too.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
    inbox: Inbox,
    under_way: VecDeque<Expected>,
    timeout: Duration,
}

impl Connection {
    /// Connects and makes the TLS handshake.
    ///
    /// # Errors
    /// The name does not resolve, nobody listens, or the two sides do not trust each other.
    pub async fn open(
        endpoint: &Endpoint,
        config: &Arc<ClientConfig>,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let name = tls::server_name(endpoint)?;
        let connect = async {
            let socket = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
            socket.set_nodelay(true)?;
            let connector = TlsConnector::from(Arc::clone(config));
            connector.connect(name, socket).await.map_err(Error::from)
        };
        let stream = within(timeouts.connect, connect).await?;
        Ok(Self {
            stream,
            inbox: Inbox::new(Limits::default()),
            under_way: VecDeque::new(),
            timeout: timeouts.exchange,
        })
    }

    /// Asks for one operation and waits for the answer; nothing else may be under way.
    ///
    /// # Errors
    /// The request cannot be made, sent or answered, or the server says no.
    pub async fn call<R: Request>(
        &mut self,
        version: Version,
        request: &R,
    ) -> Result<R::Response, Error> {
        self.send(Outgoing::single(version, request)?).await?;
        self.receive().await?.only::<R>()
    }

    /// Sends a request; its answer is the one after those to what is under way already.
    ///
    /// # Errors
    /// The network failed.
    pub async fn send(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        self.send_bytes(&outgoing.bytes).await?;
        self.under_way.push_back(outgoing.expected);
        Ok(())
    }

    /// Waits for the answer to the oldest request that is under way.
    ///
    /// # Errors
    /// Nothing is under way, the network failed, or what came is no response.
    pub async fn receive(&mut self) -> Result<Answer, Error> {
        let Some(expected) = self.under_way.pop_front() else {
            let problem = "no request is under way";
            return Err(io::Error::new(io::ErrorKind::NotConnected, problem).into());
        };
        Ok(Answer::new(self.receive_bytes().await?, expected))
    }

    /// Sends bytes that are a request. Its answer is to be fetched with
    /// [`Connection::receive_bytes`].
    ///
    /// # Errors
    /// The network failed.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let send = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await?;
            Ok(())
        };
        within(self.timeout, send).await
    }

    /// Waits for one message.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub async fn receive_bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        if let Some(message) = self.inbox.next_message()? {
            return Ok(message);
        }
        let receive = async {
            loop {
                let count = self.stream.read(self.inbox.room()).await?;
                if count == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                self.inbox.filled(count);
                if let Some(message) = self.inbox.next_message()? {
                    return Ok(message);
                }
            }
        };
        within(self.timeout, receive).await
    }

    /// How many requests are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Says goodbye and closes.
    ///
    /// # Errors
    /// The network failed.
    pub async fn close(mut self) -> Result<(), Error> {
        Ok(self.stream.shutdown().await?)
    }

    /// The TLS version and cipher suite that were agreed on, for people.
    #[must_use]
    pub fn tls_description(&self) -> String {
        let session = self.stream.get_ref().1;
        describe(session.protocol_version(), session.negotiated_cipher_suite())
    }
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match timeout(limit, step).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
