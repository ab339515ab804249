//! The thread that brings the audit to the disk: at once when a change waits for it, else within a
//! second. Knows a file and its length, nothing of lines.

use super::AuditError;
use std::fs::File;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long entries nobody waits for stay with the kernel alone, at most.
const DELAY: Duration = Duration::from_millis(500);
/// Of the last sync's time, this part (one in …) is spent on waiting for the callers that it
/// answered: as with commits, those that come back at once are to share the next.
const WAIT_SHARE: u32 = 4;
/// And never more than this.
const WAIT_MAX: Duration = Duration::from_millis(2);

/// Syncs a file from a thread of its own.
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// To the thread: there is something to do.
    work: Condvar,
    /// To waiters: the disk has more.
    synced: Condvar,
    failed: AtomicBool,
}

struct State {
    /// Bytes the kernel has.
    written: u64,
    /// Bytes the disk has.
    synced: u64,
    /// Bytes somebody waits for.
    wanted: u64,
    /// How many wait for the next sync to begin.
    callers: usize,
    /// How many are likely to.
    expected: usize,
    /// Until when those are waited for.
    deadline: Instant,
    wakers: Vec<Waker>,
    stop: bool,
}

impl Syncer {
    pub(super) fn start(file: Arc<File>, length: u64) -> io::Result<Self> {
        let state = State {
            written: length,
            synced: length,
            wanted: length,
            callers: 0,
            expected: 0,
            deadline: Instant::now(),
            wakers: Vec::new(),
            stop: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Condvar::new(),
            synced: Condvar::new(),
            failed: AtomicBool::new(false),
        });
        let thread = std::thread::Builder::new().name("audit-sync".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run(&file)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The file has grown to `length`. Wakes the thread only if it has nothing to do yet.
    pub(super) fn written(&self, length: u64) {
        let mut state = self.shared.lock();
        let idle = state.written == state.synced;
        state.written = length;
        drop(state);
        if idle {
            self.shared.work.notify_one();
        }
    }

    pub(super) fn sync(&self, length: u64) -> Syncing {
        let mut state = self.shared.lock();
        if length > state.synced {
            state.wanted = state.wanted.max(length);
            state.callers = state.callers.saturating_add(1);
            if state.callers == 1 || state.callers == state.expected {
                self.shared.work.notify_one();
            }
        }
        drop(state);
        Syncing { waits: Some((Arc::clone(&self.shared), length)), ..Syncing::done() }
    }

    /// After a failed sync nobody knows what the disk has: the device is not to be used any more.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
    }
}

/// Leaves only when everything written is on the disk.
impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, file: &File) {
        let mut state = self.lock();
        loop {
            let is_done = state.written == state.synced;
            if self.failed.load(Ordering::Relaxed) || (state.stop && is_done) {
                return;
            }
            if is_done {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state = self.gather(state);
            let (length, callers) = (state.written, std::mem::take(&mut state.callers));
            drop(state);
            let started = Instant::now();
            let result = file.sync_data();
            let took = started.elapsed();
            state = self.lock();
            match result {
                Ok(()) => state.synced = length,
                Err(error) => {
                    tracing::error!("audit: sync failed, operations are refused: {error}");
                    self.failed.store(true, Ordering::Relaxed);
                }
            }
            state.expected = callers.saturating_add(state.callers);
            let wait = took.checked_div(WAIT_SHARE).unwrap_or_default().min(WAIT_MAX);
            state.deadline = started.checked_add(took.saturating_add(wait)).unwrap_or(started);
            self.synced.notify_all();
            state.wakers.drain(..).for_each(Waker::wake);
        }
    }

    /// Gives others the time to join the next sync: long if nobody waits for it, else only as long
    /// as it pays.
    fn gather<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let waited = self
            .work
            .wait_timeout_while(state, DELAY, |state| state.wanted <= state.synced && !state.stop);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let left = state.deadline.saturating_duration_since(Instant::now());
        let waited = self.work.wait_timeout_while(state, left, |state| {
            0 < state.callers && state.callers < state.expected && !state.stop
        });
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// What is known of the first `length` bytes.
    fn outcome(&self, state: &State, length: u64) -> Option<Result<(), AuditError>> {
        if state.synced >= length {
            Some(Ok(()))
        } else if self.failed.load(Ordering::Relaxed) {
            Some(Err(AuditError::new("it does not reach the disk")))
        } else {
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves once what had been recorded is on the disk of a device. Dropping it takes nothing back.
#[must_use = "a change is to be answered only when its record has been synced"]
pub struct Syncing {
    waits: Option<Wait>,
    /// Those of further file devices: rarely any.
    more: Vec<Wait>,
    /// A device without a disk has taken it: no disk is needed.
    is_elsewhere: bool,
}

type Wait = (Arc<Shared>, u64);

impl Syncing {
    /// Nothing to wait for.
    pub(super) fn done() -> Self {
        Self { waits: None, more: Vec::new(), is_elsewhere: false }
    }

    /// Waits for another device too; one that succeeds is enough.
    pub(super) fn or(mut self, mut other: Self) -> Self {
        self.is_elsewhere |= other.is_elsewhere;
        match self.waits {
            None => self.waits = other.waits,
            Some(_) => self.more.extend(other.waits),
        }
        self.more.append(&mut other.more);
        self
    }

    /// There is a device without a disk besides.
    pub(super) fn elsewhere(mut self) -> Self {
        self.is_elsewhere = true;
        self
    }

    fn all(&self) -> impl Iterator<Item = &Wait> {
        self.waits.iter().chain(&self.more)
    }

    /// What comes of it when every device has its outcome.
    fn settle(
        &self,
        outcomes: impl Iterator<Item = Result<(), AuditError>>,
    ) -> Result<(), AuditError> {
        let mut refused = None;
        for outcome in outcomes {
            match outcome {
                Ok(()) => return Ok(()),
                Err(error) => refused = Some(error),
            }
        }
        refused.filter(|_| !self.is_elsewhere).map_or(Ok(()), Err)
    }

    /// Blocks the thread until then. Not for use inside an async runtime.
    ///
    /// # Errors
    /// [`AuditError`] if no disk took it.
    pub fn wait(self) -> Result<(), AuditError> {
        self.settle(self.all().map(|(shared, length)| {
            let mut state = shared.lock();
            loop {
                if let Some(outcome) = shared.outcome(&state, *length) {
                    return outcome;
                }
                state = shared.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }))
    }
}

impl std::fmt::Debug for Syncing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Syncing(…)")
    }
}

impl Future for Syncing {
    type Output = Result<(), AuditError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut refused = None;
        let mut is_open = false;
        for (shared, length) in self.all() {
            let mut state = shared.lock();
            match shared.outcome(&state, *length) {
                Some(Ok(())) => return Poll::Ready(Ok(())),
                Some(Err(error)) => refused = Some(error),
                None => {
                    is_open = true;
                    if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                        state.wakers.push(context.waker().clone());
                    }
                }
            }
        }
        if is_open { Poll::Pending } else { Poll::Ready(self.settle(refused.map(Err).into_iter())) }
    }
}
