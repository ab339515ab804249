//! What was read from below, in memory: unsealed records, wiped when they leave, and index rows.
//!
//! A value enters when it is read and leaves when a commit changes it. A reader that is overtaken by a commit must not
//! put its old record back: it notes the shard's epoch before it reads and inserts only if no
//! commit has touched the shard since.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::holders::Recent;
use super::id::ObjectId;

/// One unsealed record.
#[derive(Debug)]
pub struct Unsealed {
    /// The record's version.
    pub version: u64,
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether the object is known to have been handed to a client; see [`super::served`].
    pub served: AtomicBool,
    /// The certificates that fetched it of late; see [`super::holders`].
    pub recent: Recent,
}

impl Unsealed {
    /// A record of which nothing is known but its content.
    #[must_use]
    pub fn new(version: u64, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { version, bytes, served: AtomicBool::new(false), recent: Recent::default() }
    }
}

/// The objects that an index names, newest first.
pub type Candidates = [ObjectId];

/// What a value takes of the cache's bound, in bytes.
pub trait Weight {
    /// Bytes on the heap.
    fn weight(&self) -> usize;
}

impl Weight for Unsealed {
    fn weight(&self) -> usize {
        self.bytes.len()
    }
}

impl Weight for Candidates {
    fn weight(&self) -> usize {
        size_of_val(self)
    }
}

#[derive(Debug)]
struct Shard<V: ?Sized> {
    records: HashMap<Arc<[u8]>, Slot<V>>,
    /// Keys in the order of entry, for the second-chance sweep.
    order: VecDeque<Arc<[u8]>>,
    bytes: usize,
    epoch: u64,
}

#[derive(Debug)]
struct Slot<V: ?Sized> {
    record: Arc<V>,
    used: AtomicBool,
}

/// A bounded cache.
#[derive(Debug)]
pub struct Cache<V: ?Sized> {
    shards: [Mutex<Shard<V>>; SHARDS],
    shard_bytes_max: usize,
}

/// A reader's place in time; see [`Cache::insert`].
#[derive(Copy, Clone, Debug)]
pub struct Epoch(u64);

const SHARDS: usize = 16;

/// What an entry costs beside its bytes: the key, map and allocation overhead.
const ENTRY_OVERHEAD: usize = 256;

impl<V: Weight + ?Sized> Cache<V> {
    /// A cache of about that many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_bytes_max: bytes_max / SHARDS,
        }
    }

    /// The record, or the epoch to give to [`Cache::insert`] after reading it from below.
    pub fn get(&self, key: &[u8]) -> Result<Arc<V>, Epoch> {
        let shard = self.shard(key);
        match shard.records.get(key) {
            Some(slot) => {
                slot.used.store(true, Ordering::Relaxed);
                Ok(Arc::clone(&slot.record))
            }
            None => Err(Epoch(shard.epoch)),
        }
    }

    /// Keeps a record that was read, unless a commit came in between.
    pub fn insert(&self, key: &[u8], record: &Arc<V>, read_at: Epoch) {
        let mut shard = self.shard(key);
        if shard.epoch == read_at.0 && !shard.records.contains_key(key) {
            shard.put(key, Arc::clone(record), self.shard_bytes_max);
        }
    }

    /// Forgets a value that a commit has changed.
    pub fn commit(&self, key: &[u8]) {
        let mut shard = self.shard(key);
        shard.epoch = shard.epoch.wrapping_add(1);
        shard.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let epoch = shard.epoch.wrapping_add(1);
            *shard = Shard { epoch, ..Shard::default() };
        }
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard<V>> {
        // The last bytes of a key are random: they spread without hashing.
        let number = usize::from(key.last().copied().unwrap_or(0)) % SHARDS;
        let shard = self.shards.get(number).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: ?Sized> Default for Shard<V> {
    fn default() -> Self {
        Self { records: HashMap::new(), order: VecDeque::new(), bytes: 0, epoch: 0 }
    }
}

impl<V: Weight + ?Sized> Shard<V> {
    fn put(&mut self, key: &[u8], record: Arc<V>, bytes_max: usize) {
        let cost = cost(&*record);
        if cost > bytes_max {
            return;
        }
        self.bytes = self.bytes.saturating_add(cost);
        let key: Arc<[u8]> = key.into();
        self.records.insert(Arc::clone(&key), Slot { record, used: AtomicBool::new(false) });
        self.order.push_back(key);
        while self.bytes > bytes_max {
            let Some(oldest) = self.order.pop_front() else { break };
            let spared = self
                .records
                .get(&oldest)
                .is_some_and(|slot| slot.used.swap(false, Ordering::Relaxed));
            if spared {
                self.order.push_back(oldest);
            } else {
                self.remove(&oldest);
            }
        }
    }

    /// The key may stay in `order`: the sweep passes over it.
    fn remove(&mut self, key: &[u8]) {
        if let Some(slot) = self.records.remove(key) {
            self.bytes = self.bytes.saturating_sub(cost(&*slot.record));
        }
        if self.order.len() > self.records.len().saturating_mul(2).saturating_add(64) {
            let records = &self.records;
            self.order.retain(|key| records.contains_key(key));
        }
    }
}

fn cost(record: &(impl Weight + ?Sized)) -> usize {
    record.weight().saturating_add(ENTRY_OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u64, size: usize) -> Arc<Unsealed> {
        Arc::new(Unsealed::new(version, Zeroizing::new(vec![7; size])))
    }

    fn read(cache: &Cache<Unsealed>, key: &[u8], record: &Arc<Unsealed>) {
        let epoch = cache.get(key).unwrap_err();
        cache.insert(key, record, epoch);
    }

    #[test]
    fn a_reader_that_was_overtaken_does_not_put_its_record_back() {
        let cache = Cache::new(1 << 20);
        let epoch = cache.get(b"key").unwrap_err();
        cache.commit(b"key");
        cache.insert(b"key", &record(1, 10), epoch);
        assert!(cache.get(b"key").is_err());
        read(&cache, b"key", &record(2, 10));
        assert_eq!(cache.get(b"key").unwrap().version, 2);
        cache.commit(b"key");
        assert!(cache.get(b"key").is_err());
    }

    #[test]
    fn it_stays_within_its_bound_and_keeps_what_is_used() {
        let cache = Cache::new(SHARDS * 10 * (ENTRY_OVERHEAD + 100));
        // One shard: all keys end in the same byte.
        for number in 0..100_u32 {
            let key = [number.to_be_bytes().as_slice(), &[0]].concat();
            read(&cache, &key, &record(1, 100));
            assert!(cache.get(&[0, 0, 0, 0, 0]).is_ok(), "used record left at {number}");
        }
        let kept = (0..100_u32)
            .filter(|number| cache.get(&[number.to_be_bytes().as_slice(), &[0]].concat()).is_ok())
            .count();
        assert_eq!(kept, 10);
    }
}
