//! The file device: one buffer that all callers append to, written by whichever of them finds nobody
//! writing. Knows lines, not what they say.

use super::AuditError;
use super::chain::{self, Chain};
use super::recovery;
use super::sync::{Syncer, Syncing};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How often a caller looks whether the write under way has ended before it goes to sleep: such a
/// write takes about as long as falling asleep.
const SPINS_MAX: u32 = 256;
/// What a buffer keeps of its memory after a burst.
const BUFFER_BYTES_KEPT: usize = 64 << 10;

/// An open audit file.
pub(super) struct Device {
    path: PathBuf,
    file: Arc<File>,
    state: Mutex<State>,
    written: Condvar,
    /// `State::writing`, for those who do not hold the lock.
    writing: AtomicBool,
    syncer: Syncer,
}

struct State {
    /// After the last line in the buffer.
    chain: Chain,
    /// After the last line in the file.
    chain_written: Chain,
    /// The file's length.
    length: u64,
    /// Lines not yet written.
    buffer: Vec<u8>,
    /// The memory of the buffer written last.
    spare: Vec<u8>,
    /// What becomes of the lines in the buffer.
    outcome: Arc<Outcome>,
    /// Somebody writes at this moment.
    writing: bool,
    /// Callers that sleep until a write ends.
    sleepers: usize,
    /// The file's end is unknown: nothing more is written to it.
    broken: bool,
    /// Another file goes on where this one ends: nothing more is written to it.
    retired: bool,
    /// Why lines could not be written last.
    fault: String,
}

/// What became of a group of lines: 0 as long as nothing has.
#[derive(Default)]
pub(super) struct Outcome(AtomicU8);

pub(super) const WRITTEN: u8 = 1;
pub(super) const FAILED: u8 = 2;

impl Outcome {
    pub(super) fn get(&self) -> u8 {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn set(&self, outcome: u8) {
        self.0.store(outcome, Ordering::Release);
    }
}

impl Device {
    /// Opens the file, made with `mode` if need be. A file without lines goes on after `before`.
    pub(super) fn open(
        path: &Path,
        mode: Option<u32>,
        before: Chain,
        now_us: i64,
    ) -> Result<Self, AuditError> {
        let opened = recovery::open(path, mode, before, now_us)
            .map_err(|error| AuditError::new(format_args!("{}: {error}", path.display())))?;
        let file = Arc::new(opened.file);
        let state = State {
            chain: opened.chain,
            chain_written: opened.chain,
            length: opened.length,
            buffer: Vec::new(),
            spare: Vec::new(),
            outcome: Arc::default(),
            writing: false,
            sleepers: 0,
            broken: false,
            retired: false,
            fault: String::new(),
        };
        let syncer = Syncer::start(Arc::clone(&file), opened.length).map_err(AuditError::new)?;
        let (state, written) = (Mutex::new(state), Condvar::new());
        let writing = AtomicBool::new(false);
        Ok(Self { path: path.to_path_buf(), file, state, written, writing, syncer })
    }

    /// Appends entries as lines; `bodies` ends at each of `ends` in turn. Returns once the kernel
    /// has them.
    pub(super) fn append(&self, bodies: &[u8], ends: &[usize]) -> Result<(), AuditError> {
        let mut start = 0;
        let begun: Vec<_> = ends
            .iter()
            .map(|end| {
                let body = bodies.get(start..*end).unwrap_or_default();
                start = *end;
                (body, chain::begin(body))
            })
            .collect();
        let mut state = self.lock();
        if state.broken || state.retired || self.syncer.has_failed() {
            return Err(self.refusal(&state));
        }
        let State { chain, buffer, outcome, .. } = &mut *state;
        for (body, begun) in begun {
            chain.extend(body, begun, buffer);
        }
        let outcome = Arc::clone(outcome);
        let mut has_spun = false;
        loop {
            match outcome.get() {
                WRITTEN => return Ok(()),
                FAILED => return Err(self.refusal(&state)),
                _ if state.writing && !has_spun => {
                    drop(state);
                    has_spun = true;
                    self.spin(&outcome);
                    state = self.lock();
                }
                _ if state.writing => {
                    state.sleepers = state.sleepers.saturating_add(1);
                    state = self.written.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.sleepers = state.sleepers.saturating_sub(1);
                }
                _ => state = self.write(state),
            }
        }
    }

    /// Until the lines are written or somebody has to write them.
    fn spin(&self, outcome: &Outcome) {
        for _ in 0..SPINS_MAX {
            if outcome.get() != 0 || !self.writing.load(Ordering::Acquire) {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Writes the buffer as it is, outside the lock; others go on filling the next one.
    fn write<'d>(&'d self, mut state: MutexGuard<'d, State>) -> MutexGuard<'d, State> {
        state.writing = true;
        self.writing.store(true, Ordering::Release);
        let spare = std::mem::take(&mut state.spare);
        let mut buffer = std::mem::replace(&mut state.buffer, spare);
        let outcome = std::mem::take(&mut state.outcome);
        let chain = state.chain;
        drop(state);
        let result = (&*self.file).write_all(&buffer);
        let mut state = self.lock();
        state.writing = false;
        self.writing.store(false, Ordering::Release);
        match result {
            Ok(()) => {
                state.chain_written = chain;
                state.length = state.length.saturating_add(buffer.len() as u64);
                outcome.set(WRITTEN);
                self.syncer.written(state.length);
            }
            Err(error) => {
                outcome.set(FAILED);
                self.take_back(&mut state, &error);
            }
        }
        buffer.clear();
        buffer.shrink_to(BUFFER_BYTES_KEPT);
        state.spare = buffer;
        if state.sleepers > 0 {
            self.written.notify_all();
        }
        state
    }

    /// Undoes a write that failed, perhaps half-way, so that the next one can be tried. The lines
    /// that others have appended meanwhile continue a chain that never was: they fail too.
    fn take_back(&self, state: &mut State, error: &std::io::Error) {
        state.buffer.clear();
        std::mem::take(&mut state.outcome).set(FAILED);
        state.chain = state.chain_written;
        state.broken = self.file.set_len(state.length).is_err();
        state.fault = error.to_string();
        if state.broken {
            state.fault.push_str("; its end is unknown: restart, or have it opened again");
        }
    }

    /// Ends the file: what is under way is written, and nothing more. The chain so far.
    pub(super) fn retire(&self) -> Chain {
        let mut state = self.lock();
        state.retired = true;
        // Whoever has lines in the buffer writes them; the last one leaves it empty.
        while state.writing || !state.buffer.is_empty() {
            state.sleepers = state.sleepers.saturating_add(1);
            state = self.written.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleepers = state.sleepers.saturating_sub(1);
        }
        // Not for the sync thread, which may keep the file a moment longer.
        if let Err(error) = self.file.unlock() {
            tracing::debug!(%error, "an audit file keeps its lock");
        }
        state.chain_written
    }

    pub(super) fn is_retired(&self) -> bool {
        self.lock().retired
    }

    /// Whether the file can still be written, and is the one that has its name.
    pub(super) fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(held), Ok(named)) = (self.file.metadata(), std::fs::metadata(&self.path)) else {
            return false;
        };
        let usable = !self.lock().broken && !self.syncer.has_failed();
        usable && (held.dev(), held.ino()) == (named.dev(), named.ino())
    }

    pub(super) fn sync(self: &Arc<Self>) -> Syncing {
        let length = self.lock().length;
        self.syncer.sync(length)
    }

    fn refusal(&self, state: &State) -> AuditError {
        let fault =
            if self.syncer.has_failed() { "it does not reach the disk" } else { &state.fault };
        AuditError::new(format_args!("{}: {fault}", self.path.display()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
