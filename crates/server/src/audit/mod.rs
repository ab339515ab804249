//! The audit: what was asked, by whom, and what came of it, in a file whose lines are chained by
//! hashes.
//!
//! A request is recorded before it is carried out and its outcome before the response leaves, on
//! every front door; what cannot be recorded is refused. Recorded means handed to the kernel; a
//! change's request is synced with its commit ([`AuditLog::sync`]), everything else within a second.
//!
//! This module must never know the store: an audit that stops with it would miss the interesting
//! part. It must never be handed key material. Bytes: `docs/formats.md` §7.

mod api;
mod chain;
mod device;
mod entry;
mod recovery;
mod sync;
mod verify;

pub use api::{Api, Caller};
pub(crate) use entry::rfc3339;
pub use entry::{Entry, Kmip, Phase};
pub use sync::Syncing;
pub use verify::{Summary, VerifyError, verify};

use aws_lc_rs::hmac;
use device::Device;
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The operation must be refused: it could not be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit cannot be written: {reason}")]
pub struct AuditError {
    reason: String,
}

impl AuditError {
    fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// Turns sensitive strings into keyed hashes: whoever knows a value can look for it, whoever reads
/// the audit cannot guess it without the key.
#[derive(Clone)]
pub(crate) struct Hasher(hmac::Key);

impl Hasher {
    fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// `hmac-sha256:` and 64 hexadecimal digits, as Vault writes it.
    pub(crate) fn hash(&self, text: &str) -> String {
        let tag = hmac::sign(&self.0, text.as_bytes());
        let mut hashed = b"hmac-sha256:".to_vec();
        chain::push_hex(&mut hashed, tag.as_ref());
        String::from_utf8(hashed).unwrap_or_default()
    }
}

/// Where both front doors record. Cheap to clone.
#[derive(Clone)]
pub struct AuditLog {
    device: Option<Arc<Device>>,
    hasher: Hasher,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(device) => write!(formatter, "AuditLog({})", device.path().display()),
            None => formatter.write_str("AuditLog(disabled)"),
        }
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
        Self { device: None, hasher: Hasher::new(&[0; 32]) }
    }

    /// Opens the file device at `path`, made if need be, and goes on with its chain. `hash_key` is
    /// for [`AuditLog::hash`]; `now_us`, microseconds since 1970, dates the note of a torn line.
    ///
    /// # Errors
    /// [`AuditError`] if the file cannot be used.
    pub fn open(
        path: &Path,
        hash_key: &Zeroizing<[u8; 32]>,
        now_us: i64,
    ) -> Result<Self, AuditError> {
        let device = Some(Arc::new(Device::open(path, now_us)?));
        Ok(Self { device, hasher: Hasher::new(hash_key) })
    }

    /// Whether anything is recorded.
    pub fn is_enabled(&self) -> bool {
        self.device.is_some()
    }

    /// Records one entry: returns once it is in the kernel's hands. Blocks for about as long as a
    /// small `write(2)` takes, which many callers share.
    ///
    /// # Errors
    /// [`AuditError`]: refuse the operation.
    pub fn record(&self, entry: &Entry<'_>) -> Result<(), AuditError> {
        self.record_all(std::slice::from_ref(entry))
    }

    /// Records several entries, in order, at the price of one.
    ///
    /// # Errors
    /// [`AuditError`]: refuse the operation. None of them is in the file then.
    pub fn record_all(&self, entries: &[Entry<'_>]) -> Result<(), AuditError> {
        let Some(device) = &self.device else { return Ok(()) };
        LINE.with_borrow_mut(|line| {
            line.clear();
            let mut ends = Vec::with_capacity(entries.len());
            for entry in entries {
                entry.write(line, &self.hasher);
                ends.push(line.len());
            }
            let recorded = device.append(line, &ends);
            line.shrink_to(LINE_BYTES_KEPT);
            recorded
        })
    }

    /// Everything recorded so far, on its way to the disk: await it beside the commit of the change
    /// that was recorded, before answering.
    pub fn sync(&self) -> Syncing {
        self.device.as_ref().map_or_else(Syncing::done, Device::sync)
    }

    /// The keyed hash under which a sensitive string appears.
    pub fn hash(&self, text: &str) -> String {
        self.hasher.hash(text)
    }
}

#[cfg(test)]
mod tests;
