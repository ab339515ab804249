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
use std::time::Duration;

/// How long entries nobody waits for stay with the kernel alone, at most.
const DELAY: Duration = Duration::from_millis(500);

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
    wakers: Vec<Waker>,
    stop: bool,
}

impl Syncer {
    pub(super) fn start(file: Arc<File>, length: u64) -> io::Result<Self> {
        let state = State {
            written: length,
            synced: length,
            wanted: length,
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
        if length > state.wanted {
            state.wanted = length;
            self.shared.work.notify_one();
        }
        drop(state);
        Syncing { waits: Some((Arc::clone(&self.shared), length)) }
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
            if self.failed.load(Ordering::Relaxed) || (state.stop && state.written == state.synced)
            {
                return;
            }
            if state.written == state.synced {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if state.wanted <= state.synced && !state.stop {
                // Nobody waits: give others the time to add to it.
                let waited = self.work.wait_timeout_while(state, DELAY, |state| {
                    state.wanted <= state.synced && !state.stop
                });
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            let length = state.written;
            drop(state);
            let result = file.sync_data();
            state = self.lock();
            match result {
                Ok(()) => state.synced = length,
                Err(error) => {
                    tracing::error!("audit: sync failed, operations are refused: {error}");
                    self.failed.store(true, Ordering::Relaxed);
                }
            }
            self.synced.notify_all();
            state.wakers.drain(..).for_each(Waker::wake);
        }
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

/// Resolves once what had been recorded is on the disk. Dropping it takes nothing back.
#[must_use = "a change is to be answered only when its record has been synced"]
pub struct Syncing {
    waits: Option<(Arc<Shared>, u64)>,
}

impl Syncing {
    /// Nothing to wait for.
    pub(super) fn done() -> Self {
        Self { waits: None }
    }

    /// Blocks the thread until then. Not for use inside an async runtime.
    ///
    /// # Errors
    /// [`AuditError`] if the disk refused.
    pub fn wait(self) -> Result<(), AuditError> {
        let Some((shared, length)) = self.waits else { return Ok(()) };
        let mut state = shared.lock();
        loop {
            if let Some(outcome) = shared.outcome(&state, length) {
                return outcome;
            }
            state = shared.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
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
        let Some((shared, length)) = &self.waits else { return Poll::Ready(Ok(())) };
        let mut state = shared.lock();
        if let Some(outcome) = shared.outcome(&state, *length) {
            return Poll::Ready(outcome);
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}
