//! How long things may take.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// How long each step to an answer may take.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving the name.
    pub resolve: Duration,
    /// Connecting, over all addresses of the name: each of them gets its share of what is left.
    pub connect: Duration,
    /// The TLS handshake.
    pub handshake: Duration,
    /// One request and its answer.
    pub request: Duration,
    /// Everything up to the first answer on a connection, where that has a time of its own besides.
    pub first_answer: Option<Duration>,
}

impl Timeouts {
    /// The same for every step.
    #[must_use]
    pub const fn each(duration: Duration) -> Self {
        Self {
            resolve: duration,
            connect: duration,
            handshake: duration,
            request: duration,
            first_answer: None,
        }
    }
}

impl Default for Timeouts {
    /// 5 s for each step of connecting, 30 s for an answer, and nothing for all of them together.
    fn default() -> Self {
        Self { request: Duration::from_secs(30), ..Self::each(Duration::from_secs(5)) }
    }
}

/// A step to an answer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Resolving the name.
    Resolve,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Handshake,
    /// The request and its answer.
    Request,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "the name did not resolve in time",
            Self::Connect => "nobody accepted the connection in time",
            Self::Handshake => "the TLS handshake did not end in time",
            Self::Request => "the server did not answer in time",
        })
    }
}

/// When the current step must be over.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        let now = Instant::now();
        // So far away that it cannot be said: a year is as good.
        let far = Duration::from_secs(365 * 24 * 3600);
        Self(now.checked_add(duration).or_else(|| now.checked_add(far)).unwrap_or(now))
    }

    /// What is left, never zero: sockets take zero for "for ever".
    pub(crate) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// What is left of the time to the first answer on a connection.
#[derive(Copy, Clone, Debug)]
pub(crate) struct FirstAnswer(Option<Deadline>);

impl FirstAnswer {
    /// For a connection that is begun now.
    pub(crate) fn within(timeouts: &Timeouts) -> Self {
        Self(timeouts.first_answer.map(Deadline::after))
    }

    /// How long a step may take now that has so long by itself.
    pub(crate) fn bound(self, step: Duration) -> Duration {
        self.0.map_or(step, |deadline| step.min(deadline.left().unwrap_or_default()))
    }
}
