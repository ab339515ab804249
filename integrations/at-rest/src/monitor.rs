//! Polling: looks at the states of master keys now and then, of any number of keystores with one
//! thread and the connections of one [`Kms`].
//!
//! A server that cannot be reached is no reason to end anything: only its answer is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::kms::Kms;
use crate::start::Polling;
use crate::{Error, Kind};

/// What a poll found.
#[derive(Debug)]
pub enum Polled {
    /// The key is Active.
    Active,
    /// The key is absent or not Active: whoever uses it must end. It is polled no more.
    Lost(Error),
    /// Nobody knows: it is asked again after the next period.
    Unknown(Error),
}

/// A key that is being polled.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watch(u64);

/// Polls the states of keys on a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Monitor(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Schedule>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Schedule {
    due: BinaryHeap<Reverse<Due>>,
    watched: HashSet<Watch>,
    last: u64,
    is_over: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    watch: Watch,
    period: Duration,
    key_identifier: String,
}

impl Monitor {
    /// Starts the thread. `report` is called on it with each result.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn new(
        kms: Arc<Kms>,
        mut report: impl FnMut(Watch, &str, Polled) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let monitor = Self(Arc::clone(&shared));
        thread::Builder::new().name("key-state".into()).spawn(move || {
            while let Some(batch) = shared.due() {
                poll(&kms, &shared, batch, &mut report);
            }
        })?;
        Ok(monitor)
    }

    /// Polls a key from now on, the first time after one period.
    pub fn watch(&self, polling: &Polling) -> Watch {
        let mut schedule = self.0.schedule();
        schedule.last = schedule.last.saturating_add(1);
        let watch = Watch(schedule.last);
        schedule.watched.insert(watch);
        schedule.push(watch, polling.period, polling.key_identifier.clone());
        self.0.changed.notify_one();
        watch
    }

    /// Polls it no more.
    pub fn forget(&self, watch: Watch) {
        self.0.schedule().watched.remove(&watch);
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.0.schedule().is_over = true;
        self.0.changed.notify_one();
    }
}

impl Schedule {
    fn push(&mut self, watch: Watch, period: Duration, key_identifier: String) {
        let now = Instant::now();
        // A period that no clock can count is never over.
        if let Some(at) = now.checked_add(period) {
            self.due.push(Reverse(Due { at, watch, period, key_identifier }));
        }
    }

    /// Everything that is due, or how long nothing is.
    fn take(&mut self) -> Result<Vec<Due>, Option<Duration>> {
        let now = Instant::now();
        let mut batch = Vec::new();
        while self.due.peek().is_some_and(|Reverse(due)| due.at <= now) {
            batch.extend(self.due.pop().map(|Reverse(due)| due));
        }
        batch.retain(|due| self.watched.contains(&due.watch));
        if batch.is_empty() {
            return Err(self.due.peek().map(|Reverse(due)| due.at.saturating_duration_since(now)));
        }
        Ok(batch)
    }
}

impl Shared {
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for what is due; `None` when the monitor is gone.
    fn due(&self) -> Option<Vec<Due>> {
        let mut schedule = self.schedule();
        loop {
            if schedule.is_over {
                return None;
            }
            // What is inside is right at every moment, so a thread that panicked did it no harm.
            schedule = match schedule.take() {
                Ok(batch) => return Some(batch),
                Err(Some(time)) => {
                    let waited = self.changed.wait_timeout(schedule, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Err(None) => self.changed.wait(schedule).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

fn poll(kms: &Kms, shared: &Shared, batch: Vec<Due>, report: &mut impl FnMut(Watch, &str, Polled)) {
    let mut may_be_reached = true;
    for Due { watch, period, key_identifier, .. } in batch {
        let is_watched = {
            let schedule = shared.schedule();
            !schedule.is_over && schedule.watched.contains(&watch)
        };
        if !is_watched {
            continue;
        }
        let polled = if may_be_reached {
            polled(kms.check(&key_identifier))
        } else {
            // Waiting for a server that did not answer, once for each key, would take for ever.
            Polled::Unknown(Error::Servers(Vec::new()))
        };
        log(&key_identifier, &polled);
        let is_lost = matches!(polled, Polled::Lost(_));
        if let Polled::Unknown(error) = &polled {
            may_be_reached &= !error.is_unreachable();
        }
        report(watch, &key_identifier, polled);
        if is_lost {
            shared.schedule().watched.remove(&watch);
        } else {
            shared.schedule().push(watch, period, key_identifier);
        }
    }
}

fn polled(result: Result<(), Error>) -> Polled {
    match result {
        Ok(()) => Polled::Active,
        Err(error) => match error.kind() {
            Kind::Absent | Kind::NotActive => Polled::Lost(error),
            _ => Polled::Unknown(error),
        },
    }
}

fn log(key_identifier: &str, polled: &Polled) {
    match polled {
        Polled::Active => {
            tracing::debug!(kmip_key_identifier = key_identifier, "the key is Active")
        }
        Polled::Lost(error @ Error::Absent { .. }) => {
            tracing::error!(id = 29121, kmip_key_identifier = key_identifier, %error, "shutting down");
        }
        Polled::Lost(error) => {
            tracing::error!(id = 29122, kmip_key_identifier = key_identifier, %error, "shutting down");
        }
        Polled::Unknown(error) => {
            tracing::warn!(
                id = 29123,
                kmip_key_identifier = key_identifier,
                %error,
                "the state of the master key could not be read; going on"
            );
        }
    }
}
