//! One TLS connection, used from one thread at a time.
//!
//! It must never retry: whether a lost request may be sent again, only the caller knows.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use claviger_kmip::Version;
use claviger_kmip::payload::Request;
use claviger_ttlv::Limits;
use zeroize::Zeroizing;

use super::resolve;
use super::stream::Stream;
use crate::error::{plain, unsent};
use crate::timeouts::{Deadline, FirstAnswer};
use crate::tls::Config;
use crate::window::Window;
use crate::{Answer, Depth, Endpoint, Error, Inbox, Outgoing, Step, Timeouts};

/// A connection to a server.
///
/// After an error that says nothing of an answer it refuses to be used: a late answer would be
/// taken for the next one's.
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
    pub fn open(endpoint: &Endpoint, config: &Config, timeouts: Timeouts) -> Result<Self, Error> {
        Self::open_within(endpoint, config, timeouts, Limits::default())
    }

    /// The same, with limits on answers.
    pub(crate) fn open_within(
        endpoint: &Endpoint,
        config: &Config,
        timeouts: Timeouts,
        limits: Limits,
    ) -> Result<Self, Error> {
        let first_answer = FirstAnswer::within(&timeouts);
        let socket = resolve::connect(endpoint, timeouts, first_answer)?;
        let limit = first_answer.bound(timeouts.handshake);
        let stream = Stream::open(endpoint, config, socket, limit)?;
        Ok(Self {
            stream,
            inbox: Inbox::new(limits),
            window: Window::default(),
            timeout: timeouts.request,
            first_answer,
            has_answered: false,
            is_broken: false,
        })
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

    /// Sends a request and waits for its answer; nothing else may be under way.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub fn exchange(&mut self, outgoing: Outgoing) -> Result<Answer, Error> {
        if !self.window.is_empty() {
            return Err(unsent("another request is under way"));
        }
        self.send(outgoing)?;
        self.receive()
    }

    /// Sends a request; its answer is the one after those to what is under way already.
    ///
    /// # Errors
    /// The request was not sent whole.
    pub fn send(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        self.send_bytes(&outgoing.bytes)?;
        self.window.sent(outgoing.expected, outgoing.bytes.len());
        Ok(())
    }

    /// Waits for the answer to the oldest request that is under way.
    ///
    /// # Errors
    /// Nothing is under way, the network failed, or what came is no response.
    pub fn receive(&mut self) -> Result<Answer, Error> {
        let Some(expected) = self.window.answered() else {
            return Err(unsent("no request is under way"));
        };
        Ok(Answer::new(self.receive_bytes()?, expected))
    }

    /// Sends requests with so many under way at once, and hands over the answers in their order.
    ///
    /// # Errors
    /// The network failed, what came is no response, or `each` ends it; answers to requests that
    /// were sent already may then be lost.
    pub fn pipeline(
        &mut self,
        requests: impl IntoIterator<Item = Outgoing>,
        depth: Depth,
        mut each: impl FnMut(Answer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for outgoing in requests {
            while !self.window.admits(&outgoing, depth) {
                each(self.receive()?)?;
            }
            self.send(outgoing)?;
        }
        while !self.window.is_empty() {
            each(self.receive()?)?;
        }
        Ok(())
    }

    /// Sends bytes and waits for one message.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub fn exchange_bytes(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.send_bytes(request)?;
        self.receive_bytes()
    }

    /// How long the next step may take.
    fn limit(&self) -> Duration {
        if self.has_answered { self.timeout } else { self.first_answer.bound(self.timeout) }
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.is_broken {
            return Err(unsent("the connection failed before"));
        }
        self.stream.until(Deadline::after(self.limit()));
        let sent = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
        let error = match (sent, self.stream.hung_up()) {
            (Ok(()), None) => return Ok(()),
            (Err(error), None) | (_, Some(error)) => error,
        };
        self.is_broken = true;
        let said = self.stream.hung_up().and_then(|_| self.stream.last_word(Step::Request));
        Err(said.map_or_else(|| Error::Unsent(plain(error)), Error::Tls))
    }

    fn receive_bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.stream.until(Deadline::after(self.limit()));
        let received = self.next_message();
        self.is_broken |= received.is_err();
        self.has_answered |= received.is_ok();
        received
    }

    fn next_message(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        loop {
            if let Some(message) = self.inbox.next_message()? {
                return Ok(message);
            }
            let read = self.stream.read(self.inbox.room());
            match read.map_err(|error| Error::at(Step::Request, error))? {
                0 => return Err(Error::Transport(plain(io::ErrorKind::UnexpectedEof.into()))),
                count => self.inbox.filled(count),
            }
        }
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

    /// The address that was connected to; none if the socket has been reset since.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.stream.peer_address()
    }

    /// The TLS version and cipher suite that were agreed on, for people.
    #[must_use]
    pub fn tls_description(&self) -> String {
        self.stream.description()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_broken {
            self.stream.say_goodbye();
        }
    }
}
