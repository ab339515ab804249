//! The audit: what was asked, by whom, and what came of it, on one or more devices, in lines that
//! are chained by hashes.
//!
//! A request is recorded before it is carried out and its outcome before the response leaves, on
//! every front door; a KMIP item that only looks is recorded with its outcome. It is enough that one
//! of the enabled devices takes the entry; what none takes is refused. Recorded means handed to the
//! kernel; a change's request is synced with its commit ([`AuditLog::sync`]), everything else in a
//! file within a second.
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
mod slot;
mod stream;
mod sync;
mod verify;

pub use api::{Answered, Api, Caller, Target, Verdict};
pub use config::DeviceConfig;
pub(crate) use entry::seconds_text;
pub use entry::{Entry, Kmip, Phase, timestamp};
pub use slot::DeviceState;
pub use sync::Syncing;
pub use verify::{Summary, Verification, VerifyError, verify};

use set::Set;
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
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
    set: Arc<Set>,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<String> = self.devices().into_iter().map(|device| device.path).collect();
        formatter.debug_tuple("AuditLog").field(&paths).finish()
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
        Self { set: Arc::default() }
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
        self.set.is_enabled()
    }

    /// Whether recording may wait for a peer, as there is no file: not to be done where others wait
    /// for the thread.
    pub fn may_wait(&self) -> bool {
        self.set.may_wait()
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
        if !self.set.is_enabled() {
            return Ok(());
        }
        LINE.with_borrow_mut(|line| {
            let recorded = self.set.deliver(entries, line);
            line.clear();
            line.shrink_to(LINE_BYTES_KEPT);
            recorded
        })
    }

    /// Everything recorded so far, on its way to the disk: await it beside the commit of the change
    /// that was recorded, before answering.
    pub fn sync(&self) -> Syncing {
        self.set.sync()
    }

    /// The keyed hash under which a sensitive string appears on a device; `None` if there is no
    /// device of that path.
    pub fn hash(&self, path: &str, text: &str) -> Option<String> {
        self.set.hash(path, text)
    }

    /// Enables a device: opens it and, unless its options say otherwise, writes a first line of
    /// `type` "enabled" to see whether it can be written. `key` is for its keyed hashes, `now_us` is
    /// microseconds since 1970.
    ///
    /// # Errors
    /// [`AuditError`] if the path is taken, or the device cannot be opened or written.
    pub fn enable(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<(), AuditError> {
        self.set.enable(config, key, now_us)
    }

    /// Enables a device without writing to it: one that was enabled in an earlier life.
    ///
    /// # Errors
    /// [`AuditError`] if the path is taken, or the device cannot be opened.
    pub fn add(&self, config: DeviceConfig, key: &[u8; 32], now_us: i64) -> Result<(), AuditError> {
        self.set.add(config, key, now_us)
    }

    /// The same, but a device that cannot be opened is enabled all the same: it refuses entries, is
    /// said in the log, and is tried again. So a server starts whose audit cannot be written, and
    /// refuses what must be recorded until it can.
    ///
    /// # Errors
    /// [`AuditError`] if the path is taken.
    pub fn add_or_wait(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<(), AuditError> {
        self.set.add_or_wait(config, key, now_us)
    }

    /// Disables a device. What has been handed to it is written.
    pub fn disable(&self, path: &str) {
        self.set.disable(path);
    }

    /// Opens again every file that is not the one that has its name any more, as after a rotation by
    /// renaming; its chain goes on in the new one. Also every device that is not open. Entries
    /// recorded meanwhile wait. `now_us` is microseconds since 1970.
    pub fn reopen(&self, now_us: i64) {
        self.set.reopen(now_us);
    }

    /// Every device, in the order in which they were enabled.
    pub fn devices(&self) -> Vec<DeviceState> {
        self.set.states()
    }
}

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod tests;
