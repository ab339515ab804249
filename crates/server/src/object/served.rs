//! Which objects have been handed to a client: the attribute Fresh.
//!
//! The first Get of an object turns Fresh to false. Making that durable before the answer would
//! turn a read into a write, so it is remembered here at once and stored within a second; a crash
//! may forget the last second, and no key with it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use claviger_store::Key;

/// The most rows that one commit stores.
const BATCH: usize = 1024;

/// Objects handed out since the last flush, by the key of their row.
#[derive(Debug, Default)]
pub struct Served {
    waiting: Mutex<HashSet<Key>>,
}

impl Served {
    /// Notes that an object has been handed out.
    pub fn note(&self, key: Key) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Whether it was noted and is not stored yet.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// Some of the rows that are to be stored. They stay until [`Served::stored`].
    pub fn batch(&self) -> Vec<Key> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().take(BATCH).cloned().collect()
    }

    /// Forgets what waits below that beginning of a key.
    pub fn forget(&self, beginning: &[u8]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|key| !key.starts_with(beginning));
    }

    /// Forgets rows that are stored.
    pub fn stored(&self, keys: &[Key]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            waiting.remove(key);
        }
        // After a burst the memory is of use elsewhere.
        if waiting.is_empty() {
            *waiting = HashSet::new();
        }
    }
}
