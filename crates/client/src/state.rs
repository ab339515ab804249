//! What a client knows from one request to the next, whichever way its bytes travel: the servers,
//! the idle sessions, and what an outcome means.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use claviger_kmip::Version;

use crate::options::{Event, Options};
use crate::servers::{Attempts, Failover, Next, Roster, judge};
use crate::shelf::Shelf;
use crate::{Dialect, Endpoint, Error, Versions};

/// The state, for sessions of one kind.
#[derive(Debug)]
pub(crate) struct State<S> {
    pub(crate) options: Options,
    roster: Mutex<Roster>,
    shelf: Mutex<Shelf<S>>,
}

/// How work on a session ended.
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, Error>,
    /// Whether the session had been used before.
    pub(crate) is_reused: bool,
    /// Whether something was sent that must not be sent twice.
    pub(crate) may_have_been_done: bool,
}

impl<T> Outcome<T> {
    /// There was no session to work on.
    pub(crate) const fn without_session(error: Error) -> Self {
        Self { result: Err(error), is_reused: false, may_have_been_done: false }
    }
}

/// What follows from it.
pub(crate) enum Verdict<T> {
    /// That is the result.
    Done(Result<T, Error>),
    /// The session was dead, which says nothing of the server: do it on a new one.
    Anew,
    /// Ask another server.
    Elsewhere(Error),
}

impl<S> State<S> {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            roster: Mutex::new(Roster::new(&options)),
            shelf: Mutex::new(Shelf::new(options.pool.idle_max)),
            options,
        }
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::new(&self.options, &mut lock(&self.roster), Instant::now())
    }

    pub(crate) fn next(&self, attempts: &mut Attempts) -> Next {
        attempts.next(&mut lock(&self.roster), Instant::now(), random())
    }

    pub(crate) fn endpoint(&self, server: usize) -> Result<Endpoint, Error> {
        lock(&self.roster).endpoint(server).cloned().ok_or(Error::NoServer)
    }

    /// An idle session with that server; those that are too old are closed.
    pub(crate) fn idle(&self, server: usize) -> Option<S> {
        let mut shelf = lock(&self.shelf);
        let old = shelf.take_old(Instant::now());
        let found = shelf.take(server);
        drop(shelf);
        drop(old);
        found
    }

    /// Makes room for a new connection where so many are in use, it among them: idle ones count.
    pub(crate) fn make_room(&self, in_use: usize) {
        let room = self.options.pool.connections_max.max(1).saturating_sub(in_use);
        let mut shelf = lock(&self.shelf);
        while shelf.len() > room {
            drop(shelf.take_oldest());
        }
    }

    /// How to speak to that server: what was agreed on once is not asked again.
    pub(crate) fn dialect(&self, server: usize) -> Dialect {
        let known = lock(&self.roster).version(server);
        let dialect = self.options.dialect.clone();
        match known {
            Some(version) => Dialect { versions: Versions::Fixed(version), ..dialect },
            None => dialect,
        }
    }

    /// The version that was agreed on with that server.
    #[cfg(feature = "tokio")]
    pub(crate) fn version(&self, server: usize) -> Option<Version> {
        lock(&self.roster).version(server)
    }

    pub(crate) fn speaks(&self, server: usize, version: Version) {
        lock(&self.roster).speaks(server, Some(version));
    }

    /// Keeps a session, which must be clean, for the next request.
    pub(crate) fn keep(&self, server: usize, session: S) {
        lock(&self.shelf).put(server, session, Instant::now());
    }

    /// What follows from an outcome.
    pub(crate) fn judge<T>(
        &self,
        server: usize,
        endpoint: &Endpoint,
        failover: Failover,
        outcome: Outcome<T>,
    ) -> Verdict<T> {
        let error = match outcome.result {
            Ok(done) => {
                lock(&self.roster).succeeded(server);
                return Verdict::Done(Ok(done));
            }
            Err(error) => error,
        };
        if matches!(&error, Error::Refused(refusal) if refusal.is_of_version()) {
            // The version was agreed on, but that does not hold any more.
            lock(&self.roster).speaks(server, None);
            drop(lock(&self.shelf).take_all(server));
        }
        match judge(failover, endpoint, error, outcome.may_have_been_done) {
            ControlFlow::Break(error) => {
                if matches!(error, Error::Lost { .. }) {
                    lock(&self.roster).failed(server, Instant::now());
                    self.options.tell(&Event::ServerFailed { server: endpoint, error: &error });
                }
                Verdict::Done(Err(error))
            }
            ControlFlow::Continue(Error::Unsent(_) | Error::Transport(_)) if outcome.is_reused => {
                // The server may have been restarted: its other sessions are as dead.
                drop(lock(&self.shelf).take_all(server));
                Verdict::Anew
            }
            ControlFlow::Continue(error) => Verdict::Elsewhere(error),
        }
    }

    /// Notes and tells that a server failed.
    pub(crate) fn failed(
        &self,
        attempts: &mut Attempts,
        server: usize,
        endpoint: Endpoint,
        error: Error,
    ) {
        lock(&self.roster).failed(server, Instant::now());
        self.options.tell(&Event::ServerFailed { server: &endpoint, error: &error });
        attempts.failed(endpoint, error);
        if attempts.round_is_over() {
            let rounds_left = attempts.rounds_left();
            self.options.tell(&Event::RoundFailed { rounds_left });
        }
    }
}

/// What is inside is right at every moment, so a thread that panicked did it no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Some number, another one each time: enough to spread clients, and no more.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
