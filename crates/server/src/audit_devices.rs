//! Audit devices that outlive the process: enabled and disabled over the API, stored as records,
//! opened again after every unseal (`docs/formats.md` §8).
//!
//! The audit itself knows no store; this stands beside it. Never knows what is recorded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::audit::{AuditError, AuditLog, DeviceConfig, DeviceState};
use crate::clock::Clock;
use crate::record::{Edit, Kind, RecordError, Records, base64_secret, key};

/// Bytes of a device's key for hashes.
const SALT_BYTES: usize = 32;

/// Why an audit device was not enabled or disabled.
#[derive(Debug, thiserror::Error)]
pub enum AuditDeviceError {
    /// It cannot be as it was asked for, or cannot be opened or written.
    #[error(transparent)]
    Refused(#[from] AuditError),
    /// The server's configuration names it.
    #[error("the server's configuration enables {0}: change it there")]
    Declared(String),
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system gives no randomness.
    #[error("the cryptographic library gave no reason")]
    Random,
}

/// What is stored of a device.
#[derive(Serialize, Deserialize)]
struct DeviceRecord {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    description: String,
    options: BTreeMap<String, String>,
    /// The key of its hashes: another for each device, gone when it is disabled.
    #[serde(with = "base64_secret")]
    salt: Zeroizing<Vec<u8>>,
    /// Seconds since 1970.
    created: i64,
}

/// The audit devices of the API.
///
/// Its calls block on storage and on the devices: call them where blocking is allowed.
pub struct AuditDevices {
    records: Records,
    audit: AuditLog,
    clock: Arc<dyn Clock>,
    writer: Mutex<()>,
}

impl AuditDevices {
    /// Opens every stored device in `audit`, if it is not open there from before a seal. One that
    /// does not open stays enabled and is tried again: while none of the enabled devices takes
    /// entries, requests are refused.
    ///
    /// # Errors
    /// When a record cannot be read, or is of a device that this version does not know.
    pub fn open(
        records: Records,
        audit: AuditLog,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuditDeviceError> {
        let mut stored = records.scan::<DeviceRecord>(&key(Kind::AuditDevice, &[]))?;
        stored.sort_by_key(|(_, stored)| stored.value.created);
        let open = audit.devices();
        for (_, stored) in stored {
            if open.iter().any(|device| device.path == stored.value.path && !device.declared) {
                continue;
            }
            let DeviceRecord { path, kind, description, options, salt, .. } = stored.value;
            let config = DeviceConfig::parse(&path, &kind, &description, options)?;
            let salt = salt_of(&salt)?;
            if let Err(error) = audit.add_or_wait(config, &salt, clock.now_us()) {
                // The server's configuration has taken its path since.
                tracing::error!(%error, "an audit device that was enabled over the API is left out");
            }
        }
        Ok(Self { records, audit, clock, writer: Mutex::new(()) })
    }

    /// Enables a device and stores it.
    ///
    /// # Errors
    /// [`AuditDeviceError::Refused`] if the path is taken or the device cannot be opened or written.
    pub fn enable(&self, config: DeviceConfig) -> Result<(), AuditDeviceError> {
        let _writer = self.writer();
        let mut salt = Zeroizing::new(vec![0; SALT_BYTES]);
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| AuditDeviceError::Random)?;
        let path = config.path.clone();
        let record = DeviceRecord {
            path: path.clone(),
            kind: config.kind.to_owned(),
            description: config.description.clone(),
            options: config.options.clone(),
            salt,
            created: self.clock.now(),
        };
        let salt = salt_of(&record.salt)?;
        self.audit.enable(config, &salt, self.clock.now_us())?;
        let mut edit = Edit::default();
        let stored =
            edit.create(self.device_key(&path), &record).and_then(|_| self.records.commit(edit));
        if stored.is_err() {
            self.audit.disable(&path);
        }
        Ok(stored?)
    }

    /// Disables a device; one that is not there is no error. `path` has a slash at its end.
    ///
    /// # Errors
    /// [`AuditDeviceError::Declared`] for one that the server's configuration names.
    pub fn disable(&self, path: &str) -> Result<(), AuditDeviceError> {
        let _writer = self.writer();
        if self.list().iter().any(|device| device.path == path && device.declared) {
            return Err(AuditDeviceError::Declared(path.to_owned()));
        }
        let mut edit = Edit::default();
        edit.delete(self.device_key(path));
        self.records.commit(edit)?;
        self.audit.disable(path);
        Ok(())
    }

    /// Every device, those of the server's configuration included.
    pub fn list(&self) -> Vec<DeviceState> {
        self.audit.devices()
    }

    fn device_key(&self, path: &str) -> Vec<u8> {
        key(Kind::AuditDevice, &[&self.records.blind("audit device", path)])
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AuditDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuditDevices").field(&self.audit).finish()
    }
}

fn salt_of(bytes: &[u8]) -> Result<Zeroizing<[u8; SALT_BYTES]>, RecordError> {
    let salt = <[u8; SALT_BYTES]>::try_from(bytes);
    salt.map(Zeroizing::new).map_err(|_| RecordError::Corrupt("a salt has 32 bytes".to_owned()))
}
