//! What a client is told: which servers, how to reach them, how to speak to them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use claviger_kmip::enums::Operation;

use crate::tls::Config;
use crate::{Dialect, Endpoint, Error, Timeouts};

/// Which server comes first.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The first that is listed, every time; the others stand by.
    #[default]
    Listed,
    /// Each in its turn.
    RoundRobin,
}

/// How long to wait after every server failed, before all are asked again. Twice as long each
/// time, up to a bound, and a random part of the last half less, so that clients which failed
/// together do not come back together.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first round; zero never waits.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for Backoff {
    /// 100 ms, at most 5 s.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), most: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// No waiting.
    pub const NONE: Self = Self { first: Duration::ZERO, most: Duration::ZERO };

    /// How long to wait after so many rounds before this one.
    pub(crate) fn pause(self, rounds: u32, random: u64) -> Duration {
        let doubled = 1_u32.checked_shl(rounds).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(doubled).min(self.most);
        let half = whole.checked_div(2).unwrap_or(whole);
        let nanoseconds = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        let part = random.checked_rem(nanoseconds.saturating_add(1)).unwrap_or(0);
        whole.saturating_sub(Duration::from_nanos(part))
    }
}

/// Connections that are kept for the next request.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How many connections there may be at once, in use or idle; at least 1.
    pub connections_max: usize,
    /// How long a connection may be idle and still be used; the next request closes those that
    /// were idle for longer. Zero keeps none.
    pub idle_max: Duration,
    /// How long to wait for one where all are in use.
    pub wait_max: Duration,
}

impl Default for Pool {
    /// 8 connections, idle for at most 60 s; 30 s of waiting.
    fn default() -> Self {
        Self {
            connections_max: 8,
            idle_max: Duration::from_secs(60),
            wait_max: Duration::from_secs(30),
        }
    }
}

/// What happens on the way to an answer, for logs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A server failed; another may be asked.
    ServerFailed {
        /// The server.
        server: &'a Endpoint,
        /// How.
        error: &'a Error,
    },
    /// A server answered, over a connection that is shared.
    Answered {
        /// The server.
        server: &'a Endpoint,
        /// What it was asked for.
        operation: Operation,
        /// How long the request waited for others that were under way.
        waited: Duration,
        /// From then to the answer.
        took: Duration,
        /// How many others were under way when it came to be.
        under_way: usize,
    },
    /// Every server failed.
    RoundFailed {
        /// How often all of them will be asked again.
        rounds_left: u32,
    },
}

/// Who is told of events. It is called on the thread that asks, and must not take long.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Event<'_>) + Send + Sync>);

impl Observer {
    /// Calls a function.
    #[must_use]
    pub fn new(observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

/// What a client is told. [`Options::new`] has defaults for all but servers and TLS.
#[derive(Clone, Debug)]
pub struct Options {
    /// The servers.
    pub servers: Vec<Endpoint>,
    /// Which of them comes first.
    pub order: Order,
    /// For how long a server that failed comes last. Zero asks it again at once.
    pub blacklist: Duration,
    /// Whom to trust, and who we are.
    pub tls: Config,
    /// How to speak.
    pub dialect: Dialect,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// How often all servers are asked again after every one failed: the rounds are one more.
    pub connect_retries: u32,
    /// How long to wait between the rounds.
    pub backoff: Backoff,
    /// Connections that are kept.
    pub pool: Pool,
    /// Who is told what happens.
    pub observer: Option<Observer>,
}

impl Options {
    /// Servers in the order of the list, the newest version that both speak, no second round.
    #[must_use]
    pub fn new(servers: Vec<Endpoint>, tls: Config) -> Self {
        Self {
            servers,
            order: Order::default(),
            blacklist: Duration::from_secs(30),
            tls,
            dialect: Dialect::default(),
            timeouts: Timeouts::default(),
            connect_retries: 0,
            backoff: Backoff::default(),
            pool: Pool::default(),
            observer: None,
        }
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        if let Some(Observer(observe)) = &self.observer {
            observe(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_vary_by_half() {
        let backoff =
            Backoff { first: Duration::from_millis(100), most: Duration::from_millis(500) };
        for (rounds, most) in [(0, 100), (1, 200), (2, 400), (3, 500), (40, 500)] {
            let most = Duration::from_millis(most);
            assert_eq!(backoff.pause(rounds, 0), most);
            for random in [1, 7 << 40, u64::MAX / 3, u64::MAX] {
                let pause = backoff.pause(rounds, random);
                assert!(pause <= most && pause >= most / 2, "{pause:?}");
            }
        }
        assert_ne!(backoff.pause(1, 12_345), backoff.pause(1, 98_765_432));
        assert_eq!(Backoff::NONE.pause(9, u64::MAX), Duration::ZERO);
    }
}
