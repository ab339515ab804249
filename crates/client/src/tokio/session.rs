//! A connection to one server in one version, with a call for every operation, awaited.

use claviger_kmip::Version;
use claviger_kmip::payload::Request;

use super::Connection;
use crate::negotiation::{Negotiation, Next};
use crate::requests::{self, for_each_request, vocabulary::*};
use crate::tls::Config;
use crate::{Answer, Batch, Depth, Dialect, Endpoint, Error, Outgoing, Timeouts};

/// A connection to one server in one version, used by one task at a time.
///
/// Nothing here retries. After [`Session::is_ready`] says no, it is to be dropped.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    dialect: Dialect,
    version: Version,
    has_sent_unrepeatable: bool,
}

impl Session {
    /// Connects, and agrees on a version where the dialect leaves it open.
    ///
    /// # Errors
    /// The server cannot be reached, the two sides do not trust each other, or have no version in
    /// common.
    pub async fn open(
        endpoint: &Endpoint,
        config: &Config,
        dialect: &Dialect,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let connect = || Connection::open_within(endpoint, config, timeouts, dialect.limits());
        let mut connection = connect().await?;
        let (mut negotiation, mut next) = Negotiation::new(dialect.versions)?;
        let mut is_fresh = true;
        loop {
            if !is_fresh && !matches!(next, Next::Speak(_)) {
                connection = connect().await?;
            }
            if let Next::Speak(version) | Next::SpeakAnew(version) = next {
                return Ok(Self::over(connection, dialect.clone(), version));
            }
            is_fresh = false;
            let outcome = connection.exchange(negotiation.request(dialect)?).await;
            next = negotiation.outcome(outcome)?;
        }
    }

    const fn over(connection: Connection, dialect: Dialect, version: Version) -> Self {
        Self { connection, dialect, version, has_sent_unrepeatable: false }
    }

    /// The connection, and how the server is spoken to.
    pub(super) fn into_parts(self) -> (Connection, Dialect, Version) {
        (self.connection, self.dialect, self.version)
    }

    /// The version that is spoken.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The connection below.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// The request cannot be made, sent or answered, or the server says no.
    pub async fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Error> {
        let answer = self.exchange(self.outgoing(request)?).await?;
        self.trusting(answer.only::<R>())
    }

    /// Sends the request that is made for this session, and reads the answer.
    pub(super) async fn ask<T>(
        &mut self,
        make: &impl Fn(&Self) -> Result<Outgoing, Error>,
        read: &impl Fn(&Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let answer = self.exchange(make(self)?).await?;
        self.trusting(read(&answer))
    }

    /// A request with one item, as this session's dialect makes it.
    ///
    /// # Errors
    /// Something in it does not exist in the version.
    pub fn outgoing<R: Request>(&self, request: &R) -> Result<Outgoing, Error> {
        Outgoing::with_header(&self.dialect.header(self.version, 1), request)
    }

    /// A batch without items, as this session's dialect makes it.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::with_header(self.dialect.header(self.version, 0))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The network failed, or what came is no response.
    pub async fn exchange(&mut self, outgoing: Outgoing) -> Result<Answer, Error> {
        let had = self.has_sent_unrepeatable;
        let is_repeatable = outgoing.is_repeatable();
        self.connection.send(outgoing).await?;
        self.has_sent_unrepeatable |= !is_repeatable;
        let received = self.connection.receive().await;
        if matches!(received, Err(Error::Tls(_))) && !self.connection.has_answered() {
            // The server did not let us in, so it read nothing.
            self.has_sent_unrepeatable = had;
        }
        received
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
        each: impl FnMut(Answer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut is_unrepeatable = false;
        let requests = requests.into_iter().inspect(|outgoing| {
            is_unrepeatable |= !outgoing.is_repeatable();
        });
        let done = self.connection.pipeline(requests, depth, each).await;
        self.has_sent_unrepeatable |= is_unrepeatable;
        self.trusting(done)
    }

    /// Whether it may be used for another request.
    #[must_use]
    pub fn is_ready(&mut self) -> bool {
        self.connection.is_ready()
    }

    /// Whether something was sent that must not be sent twice. Beginning anew forgets it.
    pub(super) const fn has_sent_unrepeatable(&self) -> bool {
        self.has_sent_unrepeatable
    }

    pub(super) const fn begin_anew(&mut self) {
        self.has_sent_unrepeatable = false;
    }

    /// An answer that cannot be right says that the next one cannot be trusted either.
    fn trusting<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if matches!(&result, Err(error) if !error.leaves_connection_usable()) {
            self.connection.distrust();
        }
        result
    }
}

/// The call of each row.
macro_rules! methods {
    (() $(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $argument_type:ty),* $(,)?) -> $request:ident => $response:ty
        { $($body:tt)* }
    )*) => {
        impl Session {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// As [`Session::call`].
                pub async fn $name(
                    &mut self,
                    $($argument: $argument_type),*
                ) -> Result<$response, Error> {
                    self.call(&requests::$name($($argument),*)).await
                }
            )*
        }
    };
}

for_each_request!(methods());
