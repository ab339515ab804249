//! A device that lines only go to: a thread of its own sends them, so that a peer that hangs holds
//! up nobody as long as another device takes the entries. Knows lines, not where they go.
//!
//! The chain begins anew whenever the device is opened, and lines that do not arrive leave a gap in
//! it: there is no taking back what may have left.

use super::AuditError;
use super::chain::{self, Chain};
use super::device::{FAILED, Outcome, WRITTEN};
use super::health::Health;
use super::sink::Sink;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What may wait to be sent; what comes on top is lost to this device.
const QUEUE_BYTES_MAX: usize = 4 << 20;
/// What a buffer keeps of its memory after a burst.
const BUFFER_BYTES_KEPT: usize = 64 << 10;

/// An open stream device.
pub(super) struct Stream {
    shared: Arc<Shared>,
}

struct Shared {
    health: Arc<Health>,
    /// How long lines may take to leave.
    timeout: Duration,
    state: Mutex<State>,
    /// To the thread: there are lines, or it is to end.
    work: Condvar,
    /// From the thread: lines have left or failed, or it has ended.
    done: Condvar,
}

struct State {
    chain: Chain,
    /// Lines not yet sent.
    buffer: Vec<u8>,
    /// What becomes of them.
    outcome: Arc<Outcome>,
    /// Why lines failed last.
    fault: String,
    stop: bool,
    ended: bool,
}

/// Lines on their way.
pub(super) struct Ticket {
    shared: Arc<Shared>,
    outcome: Arc<Outcome>,
    deadline: Instant,
}

impl Stream {
    /// Starts the thread; the first line follows `before`.
    pub(super) fn start(
        mut sink: Box<dyn Sink>,
        timeout: Duration,
        before: Chain,
        health: Arc<Health>,
    ) -> io::Result<Self> {
        let state = State {
            chain: before,
            buffer: Vec::new(),
            outcome: Arc::default(),
            fault: String::new(),
            stop: false,
            ended: false,
        };
        let (work, done) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { health, timeout, state: Mutex::new(state), work, done });
        std::thread::Builder::new().name("audit-stream".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run(&mut *sink)
        })?;
        Ok(Self { shared })
    }

    /// Hands entries over to the thread as lines; `bodies` ends at each of `ends` in turn.
    pub(super) fn append(&self, bodies: &[u8], ends: &[usize]) -> Result<Ticket, AuditError> {
        let deadline = Instant::now().checked_add(self.shared.timeout).unwrap_or_else(Instant::now);
        let mut state = self.shared.lock();
        if state.buffer.len() > QUEUE_BYTES_MAX {
            return Err(AuditError::new(format_args!(
                "{} bytes wait to be sent already",
                state.buffer.len()
            )));
        }
        let State { chain, buffer, outcome, .. } = &mut *state;
        let mut start = 0;
        for end in ends {
            let body = bodies.get(start..*end).unwrap_or_default();
            chain.extend(body, chain::begin(body), buffer);
            start = *end;
        }
        let outcome = Arc::clone(outcome);
        drop(state);
        self.shared.work.notify_one();
        Ok(Ticket { shared: Arc::clone(&self.shared), outcome, deadline })
    }

    /// Where the chain stands.
    pub(super) fn chain(&self) -> Chain {
        self.shared.lock().chain
    }
}

/// Leaves when what was handed over has been sent, or has had its time.
impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stop = true;
        self.shared.work.notify_one();
        let left =
            self.shared.done.wait_timeout_while(state, self.shared.timeout, |state| !state.ended);
        drop(left);
    }
}

impl Ticket {
    /// Waits until the lines have left.
    pub(super) fn wait(&self) -> Result<(), AuditError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let is_open = |_: &mut State| self.outcome.get() == 0;
        let waited = self.shared.done.wait_timeout_while(self.shared.lock(), left, is_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match self.outcome.get() {
            WRITTEN => Ok(()),
            FAILED => Err(AuditError::new(&state.fault)),
            _ => {
                let late = AuditError::new("it takes too long");
                self.shared.health.failed(&late);
                Err(late)
            }
        }
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.shared.health.is_failing()
    }
}

impl Shared {
    fn run(&self, sink: &mut dyn Sink) {
        let mut lines = Vec::new();
        let mut state = self.lock();
        loop {
            if state.buffer.is_empty() {
                if state.stop {
                    state.ended = true;
                    self.done.notify_all();
                    return;
                }
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            std::mem::swap(&mut lines, &mut state.buffer);
            let outcome = std::mem::take(&mut state.outcome);
            drop(state);
            let sent = sink.write(&lines);
            lines.clear();
            lines.shrink_to(BUFFER_BYTES_KEPT);
            let failed = sent.map_err(AuditError::new).err();
            match &failed {
                None => self.health.took(),
                Some(error) => self.health.failed(error),
            }
            state = self.lock();
            outcome.set(if failed.is_none() { WRITTEN } else { FAILED });
            state.fault = failed.map(|error| error.reason).unwrap_or_default();
            self.done.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
