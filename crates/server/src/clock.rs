//! Time, as an argument: what depends on it can be tested at any instant.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970-01-01T00:00:00Z. It never goes backwards within one process: a
    /// key that has been deactivated must not come back because a clock was set.
    fn now_us(&self) -> i64;

    /// Whole seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64 {
        self.now_us().div_euclid(1_000_000)
    }
}

/// The operating system's clock, held where it would go backwards.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest_us: AtomicI64,
}

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        let now = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(_) => 0,
        };
        self.latest_us.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

/// A clock that stands until it is moved, for tests.
#[derive(Debug)]
pub struct ManualClock {
    now_us: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at that second.
    #[must_use]
    pub const fn at(seconds: i64) -> Self {
        Self { now_us: AtomicI64::new(seconds.saturating_mul(1_000_000)) }
    }

    /// Moves the clock to a second.
    pub fn set(&self, seconds: i64) {
        self.now_us.store(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::Relaxed)
    }
}
