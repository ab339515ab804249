//! Several servers and a pool of connections, used from any number of tasks.

use std::ops::ControlFlow;
use std::sync::Arc;

use claviger_kmip::payload::Request;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::Session;
use crate::requests::vocabulary::*;
use crate::requests::{self, for_each_request};
use crate::servers::Next;
use crate::state::{Outcome, State, Verdict};
use crate::{Answer, Endpoint, Error, Failover, Options, Outgoing};

/// A client of one or several servers, as [`blocking::Client`](crate::blocking::Client). Cheap to
/// clone; all clones share the connections.
///
/// ```no_run
/// use claviger_client::{Options, tls::Settings, tokio::Client};
///
/// # async fn example() -> Result<(), claviger_client::Error> {
/// let tls = Settings { certificate: Some("client.pem".into()), ..Settings::default() };
/// let client = Client::new(Options::new(vec!["kms".parse()?], tls.load()?));
/// let found = client.locate([]).await?;
/// # let _ = found;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: State<Session>,
    permits: Semaphore,
}

/// A session, and whether it was used before.
struct Lent {
    session: Session,
    is_reused: bool,
}

impl Client {
    /// A client; it connects when it is asked for something.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let count = options.pool.connections_max.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared { state: State::new(options), permits: Semaphore::new(count) }))
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// The request cannot be made, no server answers, the answer is lost, or the server says no.
    pub async fn call<R: Request + Sync>(&self, request: &R) -> Result<R::Response, Error> {
        self.exchange(|session| session.outgoing(request), |answer| answer.only::<R>()).await
    }

    /// Sends the request that `make` makes for a session with one server, and reads the answer.
    /// Where none comes and nothing can have been done twice, anew with another server.
    ///
    /// # Errors
    /// Those of `make` and `read`; no server answers, or the answer is lost.
    pub async fn exchange<T>(
        &self,
        make: impl Fn(&Session) -> Result<Outgoing, Error>,
        read: impl Fn(&Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let state = &self.0.state;
        let _permit = self.0.permit().await?;
        let mut attempts = state.attempts();
        loop {
            let server = match state.next(&mut attempts) {
                Next::Ask(server) => server,
                Next::Wait(pause) => {
                    sleep(pause).await;
                    continue;
                }
                Next::GiveUp => return Err(attempts.give_up()),
            };
            let endpoint = state.endpoint(server)?;
            match self.0.attempt(server, &endpoint, &make, &read).await {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(error) => {
                    state.failed(&mut attempts, server, endpoint, error);
                }
            }
        }
    }
}

impl Shared {
    async fn permit(&self) -> Result<SemaphorePermit<'_>, Error> {
        let permit = timeout(self.state.options.pool.wait_max, self.permits.acquire()).await;
        permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)
    }

    fn in_use(&self) -> usize {
        let count = self.state.options.pool.connections_max.clamp(1, Semaphore::MAX_PERMITS);
        count.saturating_sub(self.permits.available_permits())
    }

    /// Asks one server: on an idle session while there are any, and if they are all dead, on a new
    /// one.
    async fn attempt<T>(
        &self,
        server: usize,
        endpoint: &Endpoint,
        make: &impl Fn(&Session) -> Result<Outgoing, Error>,
        read: &impl Fn(&Answer) -> Result<T, Error>,
    ) -> ControlFlow<Result<T, Error>, Error> {
        loop {
            let outcome = match self.lend(server, endpoint).await {
                Err(error) => Outcome::without_session(error),
                Ok(mut lent) => {
                    let result = lent.session.ask(make, read).await;
                    let may_have_been_done = lent.session.has_sent_unrepeatable();
                    if lent.session.is_ready() {
                        self.state.keep(server, lent.session);
                    }
                    Outcome { result, is_reused: lent.is_reused, may_have_been_done }
                }
            };
            match self.state.judge(server, endpoint, Failover::Careful, outcome) {
                Verdict::Done(result) => return ControlFlow::Break(result),
                Verdict::Elsewhere(error) => return ControlFlow::Continue(error),
                Verdict::Anew => {}
            }
        }
    }

    /// An idle session that is still good, or a new one.
    async fn lend(&self, server: usize, endpoint: &Endpoint) -> Result<Lent, Error> {
        while let Some(mut session) = self.state.idle(server) {
            // The runtime learns here that the server closed it.
            yield_now().await;
            if session.is_ready() {
                session.begin_anew();
                return Ok(Lent { session, is_reused: true });
            }
        }
        self.state.make_room(self.in_use());
        let (options, dialect) = (&self.state.options, self.state.dialect(server));
        let session = Session::open(endpoint, &options.tls, &dialect, options.timeouts).await?;
        self.state.speaks(server, session.version());
        Ok(Lent { session, is_reused: false })
    }
}

/// The call of each row.
macro_rules! methods {
    (() $(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $argument_type:ty),* $(,)?) -> $request:ident => $response:ty
        { $($body:tt)* }
    )*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// As [`Client::call`].
                pub async fn $name(
                    &self,
                    $($argument: $argument_type),*
                ) -> Result<$response, Error> {
                    self.call(&requests::$name($($argument),*)).await
                }
            )*
        }
    };
}

for_each_request!(methods());
