//! How a device fares: counted, and said in the log without filling it.

use super::AuditError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a lasting failure is said again.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// How often a device that is not open is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What is known of a device's failures.
pub(super) struct Health {
    /// The device's path, for the log.
    path: String,
    failing: AtomicBool,
    failures: AtomicU64,
    logged: Mutex<Option<Instant>>,
    tried: Mutex<Option<Instant>>,
}

impl Health {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            failing: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            logged: Mutex::new(None),
            tried: Mutex::new(None),
        }
    }

    /// The device has taken entries. One load while all is well.
    pub(super) fn took(&self) {
        if self.failing.load(Ordering::Relaxed) && self.failing.swap(false, Ordering::Relaxed) {
            let failures = self.failures();
            tracing::info!(device = self.path, failures, "audit: the device takes entries again");
            *self.logged.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// The device has not taken entries.
    pub(super) fn failed(&self, error: &AuditError) {
        self.failing.store(true, Ordering::Relaxed);
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if is_due(&self.logged, LOG_INTERVAL) {
            let error = &error.reason;
            tracing::error!(device = self.path, failures, "audit: a device fails: {error}");
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// How many times entries were not taken, ever.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether it is time to try to open it again.
    pub(super) fn may_retry(&self) -> bool {
        is_due(&self.tried, RETRY_INTERVAL)
    }
}

/// Whether the last time is long enough ago; if so, it is now.
fn is_due(last: &Mutex<Option<Instant>>, interval: Duration) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.is_none_or(|last| last.elapsed() >= interval);
    if due {
        *last = Some(Instant::now());
    }
    due
}
