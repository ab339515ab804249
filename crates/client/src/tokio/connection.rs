//! One TLS connection in an asynchronous program, with any number of requests under way.
//!
//! It must never retry, and never spawn: whoever owns the connection drives it.

use std::io;
use std::time::Duration;

use claviger_kmip::Version;
use claviger_kmip::payload::Request;
use claviger_ttlv::Limits;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::stream::Stream;
use crate::error::{plain, unsent};
use crate::timeouts::FirstAnswer;
use crate::tls::Config;
use crate::window::Window;
use crate::{Answer, Depth, Endpoint, Error, Inbox, Outgoing, Step, Timeouts};

/// A connection to a server.
///
/// After an error that says nothing of an answer it refuses to be used: a late answer would be
/// taken for the next one's. So it does after a future of it was dropped half-way.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    inbox: Inbox,
    window: Window,
    timeout: Duration,
    first_answer: FirstAnswer,
    has_answered: bool,
    is_broken: bool,
}

impl Connection {
    /// Connects and makes the TLS handshake.
    ///
    /// # Errors
    /// The name does not resolve, nobody listens, or the two sides do not trust each other.
    pub async fn open(
        endpoint: &Endpoint,
        config: &Config,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        Self::open_within(endpoint, config, timeouts, Limits::default()).await
    }

    /// The same, with limits on answers.
    pub(super) async fn open_within(
        endpoint: &Endpoint,
        config: &Config,
        timeouts: Timeouts,
        limits: Limits,
    ) -> Result<Self, Error> {
        let first_answer = FirstAnswer::within(&timeouts);
        Ok(Self {
            stream: Stream::open(endpoint, config, timeouts, first_answer).await?,
            inbox: Inbox::new(limits),
            window: Window::default(),
            timeout: timeouts.request,
            first_answer,
            has_answered: false,
            is_broken: false,
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
        self.exchange(Outgoing::single(version, request)?).await?.only::<R>()
    }

    /// Sends a request and waits for its answer; nothing else may be under way.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub async fn exchange(&mut self, outgoing: Outgoing) -> Result<Answer, Error> {
        if !self.window.is_empty() {
            return Err(unsent("another request is under way"));
        }
        self.send(outgoing).await?;
        self.receive().await
    }

    /// Sends a request; its answer is the one after those to what is under way already.
    ///
    /// # Errors
    /// The request was not sent whole.
    pub async fn send(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        self.send_bytes(&outgoing.bytes).await?;
        self.window.sent(outgoing.expected, outgoing.bytes.len());
        Ok(())
    }

    /// Waits for the answer to the oldest request that is under way.
    ///
    /// # Errors
    /// Nothing is under way, the network failed, or what came is no response.
    pub async fn receive(&mut self) -> Result<Answer, Error> {
        let Some(expected) = self.window.answered() else {
            return Err(unsent("no request is under way"));
        };
        Ok(Answer::new(self.receive_bytes().await?, expected))
    }

    /// Sends requests with so many under way at once, and hands over the answers in their order.
    ///
    /// # Errors
    /// The network failed, what came is no response, or `each` ends it; answers to requests that
    /// were sent already are then lost.
    pub async fn pipeline(
        &mut self,
        requests: impl IntoIterator<Item = Outgoing>,
        depth: Depth,
        mut each: impl FnMut(Answer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for outgoing in requests {
            while !self.window.admits(&outgoing, depth) {
                each(self.receive().await?)?;
            }
            self.send(outgoing).await?;
        }
        while !self.window.is_empty() {
            each(self.receive().await?)?;
        }
        Ok(())
    }

    /// Sends bytes that are a request. Its answer is to be fetched with
    /// [`Connection::receive_bytes`].
    ///
    /// # Errors
    /// The request was not sent whole.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.is_broken {
            return Err(unsent("the connection failed before"));
        }
        self.is_broken = true;
        let sent = timeout(self.limit(), self.stream.send(bytes)).await;
        let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match (sent, self.stream.hung_up()) {
            (Ok(()), None) => {
                self.is_broken = false;
                Ok(())
            }
            (Err(error), None) => Err(Error::Unsent(plain(error))),
            (_, Some(error)) => {
                let said = timeout(self.limit(), self.stream.last_word(Step::Request)).await;
                Err(said.ok().flatten().map_or_else(|| Error::Unsent(plain(error)), Error::Tls))
            }
        }
    }

    /// Waits for one message.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub async fn receive_bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let was_broken = std::mem::replace(&mut self.is_broken, true);
        let limit = self.limit();
        let received = timeout(limit, self.next_message()).await;
        let message = received.map_err(|_| Error::TimedOut(Step::Request))??;
        self.is_broken = was_broken;
        self.has_answered = true;
        Ok(message)
    }

    /// How long the next step may take.
    fn limit(&self) -> Duration {
        if self.has_answered { self.timeout } else { self.first_answer.bound(self.timeout) }
    }

    async fn next_message(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        loop {
            if let Some(message) = self.inbox.next_message()? {
                return Ok(message);
            }
            let read = self.stream.read(self.inbox.room()).await;
            match read.map_err(|error| Error::at(Step::Request, error))? {
                0 => return Err(Error::Transport(plain(io::ErrorKind::UnexpectedEof.into()))),
                count => self.inbox.filled(count),
            }
        }
    }

    /// Waits for the next answer, without end. It may be given up and called again: nothing is lost by it.
    pub(super) async fn next_answer(&mut self) -> Result<Answer, Error> {
        let message = self.next_message().await?;
        self.has_answered = true;
        let Some(expected) = self.window.answered() else {
            return Err(unsent("no request is under way"));
        };
        Ok(Answer::new(message, expected))
    }

    /// Whether something failed, or was given up half-way.
    pub(super) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether one more request may be sent before an answer is read.
    pub(super) fn admits(&self, outgoing: &Outgoing, depth: Depth) -> bool {
        self.window.admits(outgoing, depth)
    }

    /// How many requests are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.window.len()
    }

    /// Whether it may be used for another request: nothing failed, nothing is under way, and the
    /// server has neither closed it nor said anything unasked.
    #[must_use]
    pub fn is_ready(&mut self) -> bool {
        let is_clean = !self.is_broken && self.window.is_empty() && self.inbox.is_empty();
        is_clean && self.stream.is_quiet()
    }

    /// Whether the server has answered anything, and so has let us in.
    pub(super) const fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// Says that what came was not the answer: it must not be used any more.
    pub(super) const fn distrust(&mut self) {
        self.is_broken = true;
    }

    /// Says goodbye and closes.
    ///
    /// # Errors
    /// The network failed.
    pub async fn close(mut self) -> Result<(), Error> {
        self.stream.close().await.map_err(|error| Error::Transport(plain(error)))
    }

    /// The TLS version and cipher suite that were agreed on, for people.
    #[must_use]
    pub fn tls_description(&self) -> String {
        self.stream.description()
    }
}
