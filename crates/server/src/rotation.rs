//! Rotation of the record key without being asked: when it has sealed so many values, or for so long
//! (vault's `sys/rotate/config`).
//!
//! What the active key has sealed is counted in memory, and stored when it has grown. A crash forgets
//! what was sealed since: the largest bound leaves a tenth of what the key may seal for that
//! (docs/formats.md §3). Called now and then; knows no timer.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::record::{Change, Edit, Kind, RecordError, Records, key};
use crate::seal::{Barrier, SealError};

/// What `max_operations` may be, as in Vault.
pub const MAX_OPERATIONS: RangeInclusive<u32> = 1_000_000..=3_865_470_566;
/// The shortest interval but none, in seconds: a day, as in Vault.
pub const INTERVAL_MIN: i64 = 86_400;
/// How much the count has grown when it is stored anew: storing it is one more.
const COUNT_STEP: u64 = 1_000;

/// When the key is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationTerms {
    /// Whether it is, without being asked.
    pub enabled: bool,
    /// After how many values.
    pub max_operations: u32,
    /// After how many seconds; 0: however old it is.
    pub interval: i64,
}

impl Default for RotationTerms {
    fn default() -> Self {
        Self { enabled: true, max_operations: *MAX_OPERATIONS.end(), interval: 0 }
    }
}

/// What a write says about it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see the fields of RotationTerms")]
pub struct RotationChange {
    pub enabled: Change<bool>,
    pub max_operations: Change<u32>,
    pub interval: Change<i64>,
}

/// Why a change was refused, or a rotation failed.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The caller's input is wrong; says how.
    #[error("{0}")]
    BadInput(String),
    /// The record could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The key could not be rotated.
    #[error(transparent)]
    Seal(#[from] SealError),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RotationRecord {
    terms: RotationTerms,
    /// Number of the record key that was active.
    key: u32,
    /// How many values it had sealed.
    sealed: u64,
}

/// The rotation of an unsealed store's record key.
pub struct Rotation {
    records: Records,
    barrier: Arc<Barrier>,
    /// What is stored, in which version; 0 before it is.
    stored: Mutex<(RotationRecord, u64)>,
}

impl Rotation {
    /// Reads when the key is to be rotated, and what it has sealed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(barrier: Arc<Barrier>) -> Result<Self, RotationError> {
        let records = Records::new(Arc::clone(&barrier));
        let stored = records.get::<RotationRecord>(&at())?;
        let stored = stored.map(|stored| (stored.value, stored.version)).unwrap_or_default();
        barrier.recount(stored.0.key, stored.0.sealed);
        Ok(Self { records, barrier, stored: Mutex::new(stored) })
    }

    /// When the key is rotated.
    pub fn terms(&self) -> RotationTerms {
        self.stored().0.terms
    }

    /// Changes when the key is rotated. Blocks until durable.
    ///
    /// # Errors
    /// [`RotationError::BadInput`] for what cannot be; storage.
    pub fn change(&self, change: RotationChange) -> Result<(), RotationError> {
        let mut stored = self.stored();
        let (before, default) = (stored.0.terms, RotationTerms::default());
        let terms = RotationTerms {
            enabled: change.enabled.apply(before.enabled, default.enabled),
            max_operations: change
                .max_operations
                .apply(before.max_operations, default.max_operations),
            interval: change.interval.apply(before.interval, default.interval),
        };
        if terms.interval != 0 && terms.interval < INTERVAL_MIN {
            let text = "interval must be greater or equal to 24h0m0s, or 0";
            return Err(RotationError::BadInput(text.to_owned()));
        }
        if !MAX_OPERATIONS.contains(&terms.max_operations) {
            let (least, most) = MAX_OPERATIONS.into_inner();
            let text = format!("max_operations must be in the range [{least},{most}]");
            return Err(RotationError::BadInput(text));
        }
        self.store(&mut stored, terms)
    }

    /// Rotates the key if that is due, and stores what it has sealed if that has grown; the number of
    /// the new key. `now` is in microseconds since 1970. Blocks until durable.
    ///
    /// # Errors
    /// Storage; a keyring that holds no more keys. It is tried again with the next call.
    pub fn look(&self, now: i64) -> Result<Option<u32>, RotationError> {
        let mut stored = self.stored();
        let terms = stored.0.terms;
        let (_, sealed) = self.barrier.sealed_by_active();
        let age = now.saturating_sub(self.barrier.active_since()) / 1_000_000;
        let is_old = terms.interval > 0 && age >= terms.interval;
        let is_due = terms.enabled && (is_old || sealed >= u64::from(terms.max_operations));
        let rotated = if is_due { Some(self.barrier.rotate(now)?) } else { None };
        let (active, sealed) = self.barrier.sealed_by_active();
        let grown = sealed.saturating_sub(stored.0.sealed);
        if stored.0.key != active && sealed > 0 || grown >= COUNT_STEP {
            self.store(&mut stored, terms)?;
        }
        Ok(rotated)
    }

    fn store(
        &self,
        stored: &mut (RotationRecord, u64),
        terms: RotationTerms,
    ) -> Result<(), RotationError> {
        let (key, sealed) = self.barrier.sealed_by_active();
        let record = RotationRecord { terms, key, sealed };
        let mut edit = Edit::default();
        let version = match stored.1 {
            0 => edit.create(at(), &record)?,
            version => edit.update(at(), version, &record)?,
        };
        self.records.commit(edit)?;
        *stored = (record, version);
        Ok(())
    }

    fn stored(&self) -> MutexGuard<'_, (RotationRecord, u64)> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation").field("terms", &self.terms()).finish_non_exhaustive()
    }
}

fn at() -> Vec<u8> {
    key(Kind::Rotation, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::TestStore;

    const DAY: i64 = 86_400 * 1_000_000;

    fn interval(seconds: i64) -> RotationChange {
        RotationChange { interval: Change::To(seconds), ..RotationChange::default() }
    }

    #[test]
    fn the_key_is_rotated_when_it_is_old_enough() {
        let (store, records) = TestStore::new();
        let barrier = records.barrier();
        let rotation = Rotation::open(barrier.clone()).unwrap();
        let made = barrier.active_since();
        assert_eq!(rotation.look(made + 9_999 * DAY).unwrap(), None, "unless it is said, never");
        for wrong in [1, 86_399, -1] {
            assert!(matches!(rotation.change(interval(wrong)), Err(RotationError::BadInput(_))));
        }
        rotation.change(interval(86_400)).unwrap();
        assert_eq!(rotation.look(made + DAY - 1).unwrap(), None);
        assert_eq!(rotation.look(made + DAY).unwrap(), Some(2));
        assert_eq!(rotation.look(made + 2 * DAY - 1).unwrap(), None);
        rotation
            .change(RotationChange { enabled: Change::To(false), ..Default::default() })
            .unwrap();
        assert_eq!(rotation.look(made + 9 * DAY).unwrap(), None);
        // The terms outlive the process.
        let again = Rotation::open(store.reopen().barrier()).unwrap();
        assert_eq!((again.terms().enabled, again.terms().interval), (false, 86_400));
    }

    #[test]
    fn the_key_is_rotated_when_it_has_sealed_enough() {
        let (store, records) = TestStore::new();
        let barrier = records.barrier();
        let rotation = Rotation::open(barrier.clone()).unwrap();
        let most = |most| RotationChange { max_operations: Change::To(most), ..Default::default() };
        for wrong in [0, 999_999, 3_865_470_567] {
            assert!(matches!(rotation.change(most(wrong)), Err(RotationError::BadInput(_))));
        }
        rotation.change(most(1_000_000)).unwrap();
        let (key, sealed) = barrier.sealed_by_active();
        assert_eq!((key, sealed), (1, 1), "the terms");
        barrier.recount(1, 999_998);
        assert_eq!(barrier.sealed_by_active(), (1, 999_999));
        assert_eq!(rotation.look(0).unwrap(), None);
        assert_eq!(barrier.sealed_by_active(), (1, 1_000_000), "storing the count is one more");
        let reopened = store.reopen().barrier();
        let again = Rotation::open(reopened.clone()).unwrap();
        assert_eq!(reopened.sealed_by_active(), (1, 999_999), "what was stored");
        assert_eq!(again.look(0).unwrap(), None);
        assert_eq!(rotation.look(0).unwrap(), Some(2));
        assert!(barrier.sealed_by_active().1 < 10);
    }
}
