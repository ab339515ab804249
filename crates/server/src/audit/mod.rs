//! The audit: what was asked, by whom, and what came of it, on one or more devices, in lines that
//! are chained by hashes.
//!
//! A request is recorded before it is carried out and its outcome before the response leaves, on
//! every front door. It is enough that one of the enabled devices takes the entry; what none takes
//! is refused. Recorded means handed to the kernel; a change's request is synced with its commit
//! ([`AuditLog::sync`]), everything else in a file within a second.
//!
//! This module must never know the store: an audit that stops with it would miss the interesting
//! part. It must never be handed key material. Bytes: `docs/formats.md` §7.

mod api;
mod chain;
mod config;
mod device;
mod entry;
mod form;
mod health;
mod recovery;
mod set;
mod sink;
mod stream;
mod sync;
mod verify;

pub use api::{Answered, Api, Caller, Target, Verdict};
pub use config::DeviceConfig;
pub(crate) use entry::seconds_text;
pub use entry::{Entry, Kmip, Phase};
pub use set::DeviceState;
pub use sync::Syncing;
pub use verify::{Summary, Verification, VerifyError, verify};

use set::Set;
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The operation must be refused: it could not be recorded. Or a device cannot be as it was asked
/// for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct AuditError {
    reason: String,
}

impl AuditError {
    fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// Where both front doors record. Cheap to clone; all clones have the same devices.
#[derive(Clone)]
pub struct AuditLog {
    devices: Arc<RwLock<Arc<Set>>>,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.set();
        let paths = set.iter().map(|slot| slot.config.path.as_str());
        formatter.debug_tuple("AuditLog").field(&paths.collect::<Vec<_>>()).finish()
    }
}

thread_local! {
    /// Lines are put together here before the lock is taken.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
/// What a thread keeps of its line buffer.
const LINE_BYTES_KEPT: usize = 16 << 10;

impl AuditLog {
    /// No device: everything is allowed, nothing recorded. The caller says so as a warning.
    pub fn disabled() -> Self {
        Self { devices: Arc::default() }
    }

    /// One file device at `path`, made if need be, which goes on with its chain. `hash_key` is for
    /// [`AuditLog::hash`]; `now_us`, microseconds since 1970, dates the note of a torn line.
    ///
    /// # Errors
    /// [`AuditError`] if the file cannot be used.
    pub fn open(
        path: &Path,
        hash_key: &Zeroizing<[u8; 32]>,
        now_us: i64,
    ) -> Result<Self, AuditError> {
        let log = Self::disabled();
        log.add(DeviceConfig::file(path)?, hash_key, now_us)?;
        Ok(log)
    }

    /// Whether anything is recorded.
    pub fn is_enabled(&self) -> bool {
        !self.set().is_empty()
    }

    /// Records one entry: returns once it is in the kernel's hands. Blocks for about as long as a
    /// small `write(2)` takes, which many callers share; where no file takes it, for as long as a
    /// device's write timeout at most.
    ///
    /// # Errors
    /// [`AuditError`]: refuse the operation.
    pub fn record(&self, entry: &Entry<'_>) -> Result<(), AuditError> {
        self.record_all(std::slice::from_ref(entry))
    }

    /// Records several entries, in order, at the price of one.
    ///
    /// # Errors
    /// [`AuditError`]: refuse the operation. No file holds any of them then.
    pub fn record_all(&self, entries: &[Entry<'_>]) -> Result<(), AuditError> {
        let set = self.set();
        if set.is_empty() {
            return Ok(());
        }
        LINE.with_borrow_mut(|line| {
            let recorded = self.deliver(&set, entries, line);
            line.clear();
            line.shrink_to(LINE_BYTES_KEPT);
            recorded
        })
    }

    /// Everything recorded so far, on its way to the disk: await it beside the commit of the change
    /// that was recorded, before answering.
    pub fn sync(&self) -> Syncing {
        set::sync(&self.set())
    }

    /// The keyed hash under which a sensitive string appears on a device; `None` if there is no
    /// device of that path.
    pub fn hash(&self, path: &str, text: &str) -> Option<String> {
        self.set().slot(path).map(|slot| slot.form.hash(text))
    }

    /// The devices as they are at this moment.
    fn set(&self) -> Arc<Set> {
        Arc::clone(&self.devices.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod tests;
