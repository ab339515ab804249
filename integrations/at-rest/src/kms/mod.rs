//! A KMIP server as a keeper of master keys: which server is asked, how often, and what its answers
//! mean for a keystore.
//!
//! Servers are tried in the order of their list, every time. An answer that a key is absent or not
//! Active is an answer; whatever else goes wrong is a reason to ask the next one.
//!
//! It must never know a keystore.

mod failure;
mod files;
mod requests;
mod session;

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use aws_lc_rs::rand;
use claviger_client::blocking::Connection;
use claviger_client::tls::Config;
use claviger_client::{Endpoint, Timeouts};
use claviger_kmip::enums::State;

use failure::Stop;
pub use files::load_tls;
use session::Session;

use crate::fault::{self, Point};
use crate::master_key::MasterKey;
use crate::options::{Activation, KmipSettings};
use crate::{Error, ServerFailure};

/// Connections that are kept open to each server.
const KEPT_MAX: usize = 4;
/// How long to wait before all servers are tried again, the first time and at most.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// KMIP servers, ready to be asked. One serves any number of keystores and threads.
#[derive(Debug)]
pub struct Kms {
    servers: Vec<Server>,
    tls: Config,
    timeouts: Timeouts,
    attempts: u64,
    activation: Activation,
    psmdb_wire: bool,
}

#[derive(Debug)]
struct Server {
    endpoint: Endpoint,
    /// Connections that nobody uses at the moment.
    kept: Mutex<Vec<Connection>>,
}

/// A master key that was read, and whether its state was looked at and is Active.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) key: MasterKey,
    pub(crate) is_active: bool,
}

impl Kms {
    /// Reads the files of the client; no server is asked.
    ///
    /// # Errors
    /// A file cannot be used, or the password is missing or wrong.
    pub fn new(settings: &KmipSettings) -> Result<Self, Error> {
        Ok(Self::with_tls(settings, load_tls(settings)?))
    }

    /// With TLS of one's own instead of the files: of another library, or with keys that are in no file.
    #[must_use]
    pub fn with_tls(settings: &KmipSettings, tls: Config) -> Self {
        let servers = settings
            .servers
            .iter()
            .map(|endpoint| Server { endpoint: endpoint.clone(), kept: Mutex::new(Vec::new()) });
        Self {
            servers: servers.collect(),
            tls,
            timeouts: settings.timeouts(),
            attempts: u64::from(settings.connect_retries).saturating_add(1),
            activation: settings.activation,
            psmdb_wire: settings.psmdb_wire,
        }
    }

    /// Whether keys get names, and are looked for before they are made.
    pub(crate) const fn names_keys(&self) -> bool {
        !self.psmdb_wire
    }

    /// The State of a key.
    ///
    /// # Errors
    /// The key is absent, or no server says.
    pub fn state(&self, identifier: &str) -> Result<State, Error> {
        self.ask(|session| session.state(identifier))
    }

    /// Looks whether a key is Active: what a poll does.
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::NotActive`], or no server says.
    pub fn check(&self, identifier: &str) -> Result<(), Error> {
        match self.state(identifier)? {
            State::ACTIVE => Ok(()),
            state => Err(Error::NotActive { identifier: identifier.to_owned(), state }),
        }
    }

    /// Which servers can be connected to.
    pub fn reachable(&self) -> Vec<(&Endpoint, Result<(), ServerFailure>)> {
        let reach = |server: &'_ Server| match self.open(server) {
            Ok(connection) => {
                self.keep(server, connection);
                Ok(())
            }
            Err(stop) => Err(stop.at(&server.endpoint)),
        };
        self.servers.iter().map(|server| (&server.endpoint, reach(server))).collect()
    }

    /// Reads a key; first its state, if that matters.
    pub(crate) fn read(&self, identifier: &str) -> Result<Read, Error> {
        self.read_as(identifier, self.activation)
    }

    /// Reads a key whatever its state is.
    pub(crate) fn read_any(&self, identifier: &str) -> Result<MasterKey, Error> {
        Ok(self.read_as(identifier, Activation::Off)?.key)
    }

    fn read_as(&self, identifier: &str, activation: Activation) -> Result<Read, Error> {
        let (key, state) = self.ask(|session| {
            let state = match activation {
                Activation::Off => None,
                Activation::Tolerant | Activation::Strict => Some(session.state(identifier)?),
            };
            match state {
                None | Some(State::ACTIVE) => {}
                Some(State::PRE_ACTIVE) if activation == Activation::Tolerant => {}
                Some(state) => {
                    let identifier = identifier.to_owned();
                    return Err(Stop::Final(Error::NotActive { identifier, state }));
                }
            }
            Ok((session.key(identifier)?, state))
        })?;
        let is_active = state == Some(State::ACTIVE);
        if state.is_some() && !is_active {
            tracing::warn!(
                kmip_key_identifier = identifier,
                "the master key is Pre-Active: it is used, and its state will not be polled"
            );
        }
        tracing::info!(id = 29115, kmip_key_identifier = identifier, "master key read");
        Ok(Read { key, is_active })
    }

    /// Registers a key, and activates it where that is wanted. `name` is one that this key alone
    /// has; with it, a server that did not answer is asked for the key before it gets it again.
    pub(crate) fn register(&self, key: &MasterKey, name: Option<&str>) -> Result<String, Error> {
        let mut may_be_there = false;
        let mut was_lost = false;
        let identifier = self.ask(|session| {
            let found = match name {
                Some(name) if may_be_there => session.find(name)?,
                _ => None,
            };
            let identifier = match found {
                Some(identifier) => identifier,
                None => {
                    let registered = session.register(key, name);
                    was_lost |= registered.as_ref().is_err_and(Stop::may_have_been_done);
                    may_be_there |= was_lost;
                    if let (Err(stop), None) = (&registered, name) {
                        stop.warn_of_orphan(session.endpoint());
                    }
                    registered?
                }
            };
            fault::point(Point::KeyRegistered);
            if self.activation != Activation::Off {
                let activated = if may_be_there {
                    session.make_active(&identifier).map(|_| ())
                } else {
                    session.activate(&identifier)
                };
                may_be_there = true;
                if let (Err(_), None) = (&activated, name) {
                    session.warn_of_abandoned(&identifier);
                }
                activated?;
                fault::point(Point::KeyActivated);
            }
            Ok(identifier)
        })?;
        tracing::info!(id = 29116, kmip_key_identifier = %identifier, "master key created");
        if let (Some(name), true) = (name, was_lost)
            && let Err(error @ Error::AmbiguousName { .. }) = self.find(name)
        {
            // The server was asked whether it had the key, and did what was lost only then.
            tracing::warn!(%error, "only one of these keys will be used");
        }
        Ok(identifier)
    }

    /// Activates a key that is Pre-Active; says whether it was.
    ///
    /// # Errors
    /// The key is absent or in another state, or no server does it.
    pub fn activate(&self, identifier: &str) -> Result<bool, Error> {
        let mut was_done = false;
        self.ask(|session| {
            was_done |= session.make_active(identifier)?;
            Ok(was_done)
        })
    }

    /// Reads a key that an earlier start registered, after doing what that start did not come to.
    pub(crate) fn finish(&self, identifier: &str) -> Result<MasterKey, Error> {
        self.ask(|session| {
            if self.activation != Activation::Off {
                session.make_active(identifier)?;
            }
            session.key(identifier)
        })
    }

    /// The key with that Name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<String>, Error> {
        self.ask(|session| session.find(name))
    }

    /// The Names of a key.
    pub(crate) fn names(&self, identifier: &str) -> Result<Vec<String>, Error> {
        let names = self.ask(|session| session.names(identifier))?;
        Ok(names.into_iter().map(|(name, _)| name).collect())
    }

    /// Gives a key a Name, unless it has it.
    pub(crate) fn add_name(&self, identifier: &str, name: &str) -> Result<(), Error> {
        self.ask(|session| {
            let names = session.names(identifier)?;
            if names.iter().any(|(known, _)| known == name) {
                return Ok(());
            }
            session.add_name(identifier, name)
        })
    }

    /// Takes a Name from a key, if it has it.
    pub(crate) fn remove_name(&self, identifier: &str, name: &str) -> Result<(), Error> {
        self.ask(|session| {
            let names = session.names(identifier)?;
            match names.iter().find(|(known, _)| known == name) {
                Some((_, index)) => session.delete_name(identifier, *index),
                None => Ok(()),
            }
        })
    }

    /// Asks the servers in order until one answers, all of them as often as the options say.
    fn ask<T>(
        &self,
        mut exchange: impl FnMut(&mut Session<'_>) -> Result<T, Stop>,
    ) -> Result<T, Error> {
        let mut failures = Vec::new();
        for attempt in 0..self.attempts {
            if attempt > 0 {
                tracing::warn!(id = 29118, attempt, "all KMIP servers failed; trying each again");
                self.pause(attempt);
            }
            failures.clear();
            for server in &self.servers {
                let stop = match self.ask_one(server, &mut exchange) {
                    Ok(answer) => return Ok(answer),
                    Err(Stop::Final(error)) => return Err(error),
                    Err(stop) => stop.at(&server.endpoint),
                };
                tracing::warn!(
                    id = 29117,
                    server_host = %stop.server,
                    reason = %stop.problem,
                    "KMIP session failed"
                );
                failures.push(stop);
            }
        }
        Err(Error::Servers(failures))
    }

    fn ask_one<T>(
        &self,
        server: &Server,
        exchange: &mut impl FnMut(&mut Session<'_>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        if let Some(connection) = self.kept(server) {
            let mut session = Session::new(&server.endpoint, connection);
            let answer = exchange(&mut session);
            match answer {
                // A connection that was kept may have ended unnoticed: that is not the server's
                // fault. Every exchange may be repeated, or looks first whether it was done.
                Err(stop) if stop.is_of_connection() => {}
                answer => {
                    self.keep_session(server, session, &answer);
                    return answer;
                }
            }
        }
        let mut session = Session::new(&server.endpoint, self.open(server)?);
        let answer = exchange(&mut session);
        self.keep_session(server, session, &answer);
        answer
    }

    fn open(&self, server: &Server) -> Result<Connection, Stop> {
        Ok(Connection::open(&server.endpoint, &self.tls, self.timeouts)?)
    }

    fn kept(&self, server: &Server) -> Option<Connection> {
        let mut kept = server.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut connection) = kept.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    fn keep_session<T>(&self, server: &Server, session: Session<'_>, answer: &Result<T, Stop>) {
        if !answer.as_ref().is_err_and(Stop::is_of_connection) {
            self.keep(server, session.connection);
        }
    }

    /// Keeps a connection for whoever asks next; the original keeps none.
    fn keep(&self, server: &Server, connection: Connection) {
        let mut kept = server.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.psmdb_wire && kept.len() < KEPT_MAX {
            kept.push(connection);
        }
    }

    /// Waits before all servers are tried again, longer each time, and not as long as others wait.
    /// The original does not wait.
    fn pause(&self, attempt: u64) {
        if self.psmdb_wire {
            return;
        }
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
        let pause = PAUSE_MIN.saturating_mul(1 << doublings).min(PAUSE_MAX);
        let mut byte = [u8::MAX];
        // Without randomness it is the whole pause.
        let _ = rand::fill(&mut byte);
        let [byte] = byte;
        thread::sleep(pause.mul_f64(0.5 + f64::from(byte) / 510.0));
    }
}
