//! Which server is asked, and which one next.
//!
//! It must never know how bytes travel, and reads no clock: time comes in as an argument.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use claviger_kmip::Version;

use crate::error::ServerFailure;
use crate::options::{Backoff, Options, Order};
use crate::{Endpoint, Error};

/// When an error of the work on a session leads to another server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Failover {
    /// Where nothing can have been done, or what was done may be done again. An answer is final,
    /// even a refusal.
    Careful,
    /// Always, even after a refusal, and even if something may be done twice: for work whose
    /// left-overs do no harm.
    Always,
}

/// The servers with what is known of them.
#[derive(Debug)]
pub(crate) struct Roster {
    servers: Vec<Server>,
    order: Order,
    blacklist: Duration,
    /// Where the next turn begins.
    turn: usize,
}

#[derive(Debug)]
struct Server {
    endpoint: Endpoint,
    /// It failed, and is asked last until then.
    avoided_until: Option<Instant>,
    /// The version that was agreed on.
    version: Option<Version>,
}

impl Roster {
    pub(crate) fn new(options: &Options) -> Self {
        let server = |endpoint: &Endpoint| Server {
            endpoint: endpoint.clone(),
            avoided_until: None,
            version: None,
        };
        Self {
            servers: options.servers.iter().map(server).collect(),
            order: options.order,
            blacklist: options.blacklist,
            turn: 0,
        }
    }

    pub(crate) fn endpoint(&self, server: usize) -> Option<&Endpoint> {
        self.servers.get(server).map(|server| &server.endpoint)
    }

    pub(crate) fn version(&self, server: usize) -> Option<Version> {
        self.servers.get(server)?.version
    }

    pub(crate) fn speaks(&mut self, server: usize, version: Option<Version>) {
        if let Some(server) = self.servers.get_mut(server) {
            server.version = version;
        }
    }

    pub(crate) fn succeeded(&mut self, server: usize) {
        if let Some(server) = self.servers.get_mut(server) {
            server.avoided_until = None;
        }
    }

    pub(crate) fn failed(&mut self, server: usize, now: Instant) {
        let until = now.checked_add(self.blacklist);
        if let Some(server) = self.servers.get_mut(server) {
            server.avoided_until = until;
            // It may be another one when it comes back.
            server.version = None;
        }
    }

    /// Every server once. Those that failed lately come last: better one of them than none.
    fn round(&mut self, now: Instant) -> VecDeque<usize> {
        let count = self.servers.len();
        let first = match self.order {
            Order::Listed => 0,
            Order::RoundRobin => self.turn.checked_rem(count).unwrap_or(0),
        };
        self.turn = first.wrapping_add(1);
        let (mut round, mut avoided) = (VecDeque::new(), VecDeque::new());
        for server in (first..count).chain(0..first) {
            if self.is_avoided(server, now) { &mut avoided } else { &mut round }.push_back(server);
        }
        round.append(&mut avoided);
        round
    }

    fn is_avoided(&self, server: usize, now: Instant) -> bool {
        let until = self.servers.get(server).and_then(|server| server.avoided_until);
        until.is_some_and(|until| now < until)
    }
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask that server.
    Ask(usize),
    /// Every server failed: wait, and begin anew.
    Wait(Duration),
    /// Every server failed often enough.
    GiveUp,
}

/// The way of one request through the servers.
#[derive(Debug)]
pub(crate) struct Attempts {
    round: VecDeque<usize>,
    rounds_done: u32,
    rounds_left: u32,
    backoff: Backoff,
    /// Per server, how it failed last, in the order of the failures.
    failures: Vec<ServerFailure>,
}

impl Attempts {
    pub(crate) fn new(options: &Options, roster: &mut Roster, now: Instant) -> Self {
        Self {
            round: roster.round(now),
            rounds_done: 0,
            rounds_left: options.connect_retries,
            backoff: options.backoff,
            failures: Vec::new(),
        }
    }

    pub(crate) fn next(&mut self, roster: &mut Roster, now: Instant, random: u64) -> Next {
        if let Some(server) = self.round.pop_front() {
            return Next::Ask(server);
        }
        if self.rounds_left == 0 || roster.servers.is_empty() {
            return Next::GiveUp;
        }
        self.rounds_left = self.rounds_left.saturating_sub(1);
        self.round = roster.round(now);
        let pause = self.backoff.pause(self.rounds_done, random);
        self.rounds_done = self.rounds_done.saturating_add(1);
        Next::Wait(pause)
    }

    /// How many rounds may follow.
    pub(crate) const fn rounds_left(&self) -> u32 {
        self.rounds_left
    }

    /// Whether every server of this round has been asked.
    pub(crate) fn round_is_over(&self) -> bool {
        self.round.is_empty()
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self, server: Endpoint, error: Error) {
        self.failures.retain(|failure| failure.server != server);
        self.failures.push(ServerFailure { server, error });
    }

    /// What to tell the caller.
    pub(crate) fn give_up(self) -> Error {
        if self.failures.is_empty() { Error::NoServer } else { Error::Servers(self.failures) }
    }
}

/// Whether an error ends the attempts (then with what), or is for another server to mend.
pub(crate) fn judge(
    failover: Failover,
    server: &Endpoint,
    error: Error,
    may_have_been_done: bool,
) -> ControlFlow<Error, Error> {
    match failover {
        Failover::Always if error.is_of_server() || error.is_answer() => {
            ControlFlow::Continue(error)
        }
        Failover::Careful if error.is_of_server() && may_have_been_done => {
            ControlFlow::Break(Error::Lost { server: server.clone(), error: Box::new(error) })
        }
        Failover::Careful if error.is_of_server() => ControlFlow::Continue(error),
        _ => ControlFlow::Break(error),
    }
}

#[cfg(test)]
#[path = "servers_tests.rs"]
mod tests;
