//! Several servers and a pool of connections, used from any number of threads.

use std::ops::ControlFlow;
use std::sync::Arc;

use claviger_kmip::payload::Request;

use super::Session;
use super::permits::Permits;
use crate::requests::vocabulary::*;
use crate::requests::{self, for_each_request};
use crate::servers::Next;
use crate::state::{Outcome, State, Verdict};
use crate::{Endpoint, Error, Failover, Options};

/// A client of one or several servers. Cheap to clone; all clones share the connections.
///
/// A request goes to one server after the other until one answers. What was sent and may have
/// been carried out is sent again only where [`Repeat`](crate::Repeat) allows it; else the caller
/// gets [`Error::Lost`].
///
/// ```no_run
/// use claviger_client::blocking::Client;
/// use claviger_client::tls::Settings;
/// use claviger_client::Options;
/// use claviger_kmip::enums::CryptographicAlgorithm;
/// use claviger_kmip::masks::CryptographicUsageMask as Usage;
///
/// # fn main() -> Result<(), claviger_client::Error> {
/// let tls = Settings {
///     authorities: vec!["ca.pem".into()],
///     certificate: Some("client.pem".into()),
///     ..Settings::default()
/// };
/// let servers = vec!["kms1".parse()?, "kms2:5697".parse()?];
/// let client = Client::new(Options::new(servers, tls.load()?));
/// let usage = Usage::ENCRYPT | Usage::DECRYPT;
/// let key = client.create_symmetric_key(CryptographicAlgorithm::AES, 256, usage, [])?;
/// client.activate(key.unique_identifier.clone())?;
/// let sealed = client.encrypt(key.unique_identifier, None, None, b"text".to_vec())?;
/// # let _ = sealed;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: State<Session>,
    permits: Permits,
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
        let permits = Permits::new(options.pool.connections_max);
        Self(Arc::new(Shared { state: State::new(options), permits }))
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// The request cannot be made, no server answers, the answer is lost, or the server says no.
    pub fn call<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        self.session(Failover::Careful, |session| session.call(request))
    }

    /// Does work on a session with one server; if it fails, and `failover` allows, anew on
    /// another one.
    ///
    /// # Errors
    /// That of the work, if it is final; else no server could be worked with.
    pub fn session<T>(
        &self,
        failover: Failover,
        mut work: impl FnMut(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let state = &self.0.state;
        let _permit = self.0.permits.acquire(state.options.pool.wait_max)?;
        let mut attempts = state.attempts();
        loop {
            let server = match state.next(&mut attempts) {
                Next::Ask(server) => server,
                Next::Wait(pause) => {
                    std::thread::sleep(pause);
                    continue;
                }
                Next::GiveUp => return Err(attempts.give_up()),
            };
            let endpoint = state.endpoint(server)?;
            match self.0.attempt(server, &endpoint, failover, &mut work) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(error) => {
                    state.failed(&mut attempts, server, endpoint, error);
                }
            }
        }
    }
}

impl Shared {
    /// Does the work with one server: on an idle session while there are any, and if they are all
    /// dead, on a new one.
    fn attempt<T>(
        &self,
        server: usize,
        endpoint: &Endpoint,
        failover: Failover,
        work: &mut impl FnMut(&mut Session) -> Result<T, Error>,
    ) -> ControlFlow<Result<T, Error>, Error> {
        loop {
            let outcome = match self.lend(server, endpoint) {
                Err(error) => Outcome::without_session(error),
                Ok(mut lent) => {
                    let result = work(&mut lent.session);
                    let may_have_been_done = lent.session.has_sent_unrepeatable();
                    if lent.session.is_ready() {
                        self.state.keep(server, lent.session);
                    }
                    Outcome { result, is_reused: lent.is_reused, may_have_been_done }
                }
            };
            match self.state.judge(server, endpoint, failover, outcome) {
                Verdict::Done(result) => return ControlFlow::Break(result),
                Verdict::Elsewhere(error) => return ControlFlow::Continue(error),
                Verdict::Anew => {}
            }
        }
    }

    /// An idle session that is still good, or a new one.
    fn lend(&self, server: usize, endpoint: &Endpoint) -> Result<Lent, Error> {
        while let Some(mut session) = self.state.idle(server) {
            if session.is_ready() {
                session.begin_anew();
                return Ok(Lent { session, is_reused: true });
            }
        }
        self.state.make_room(self.permits.in_use());
        let (options, dialect) = (&self.state.options, self.state.dialect(server));
        let session = Session::open(endpoint, &options.tls, &dialect, options.timeouts)?;
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
                pub fn $name(&self, $($argument: $argument_type),*) -> Result<$response, Error> {
                    self.call(&requests::$name($($argument),*))
                }
            )*
        }
    };
}

for_each_request!(methods());
