//! What was read from below, in memory: unsealed records, wiped when they leave, and index rows.
//!
//! A value enters when it is read and leaves when a commit changes it. A reader that is overtaken by a commit must not
//! put its old record back: it notes the shard's epoch before it reads and inserts only if no
//! commit has touched the shard since.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hashbrown::HashTable;
use zeroize::Zeroizing;

use super::holders::Recent;
use super::id::ObjectId;
use super::interner::Interner;
use super::layout::{Id, Place};
use super::objects::Partition;

/// One unsealed record.
#[derive(Debug)]
pub struct Unsealed {
    /// The record's version.
    pub version: u64,
    /// Its bytes.
    pub bytes: Zeroizing<Box<[u8]>>,
    /// Whether the object is known to have been handed to a client; see [`super::served`].
    pub served: AtomicBool,
    /// The certificates that fetched it of late; see [`super::holders`].
    pub recent: Recent,
}

impl Unsealed {
    /// A record of which nothing is known but its content.
    #[must_use]
    pub fn new(version: u64, bytes: &[u8]) -> Self {
        // A copy of just its length: what a buffer has beyond would stay for as long as the record.
        let bytes = Zeroizing::new(Box::from(bytes));
        Self { version, bytes, served: AtomicBool::new(false), recent: Recent::default() }
    }
}

/// The objects that an index names, newest first. Most names are of one object, which takes no memory
/// of its own.
#[derive(Debug)]
pub enum Candidates {
    /// One.
    One(ObjectId),
    /// Any other number of them.
    Many(Box<[ObjectId]>),
}

impl Candidates {
    /// All of them.
    #[must_use]
    pub const fn as_slice(&self) -> &[ObjectId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

impl FromIterator<ObjectId> for Candidates {
    fn from_iter<I: IntoIterator<Item = ObjectId>>(ids: I) -> Self {
        let ids = ids.into_iter().collect::<Vec<_>>();
        match *ids.as_slice() {
            [id] => Self::One(id),
            _ => Self::Many(ids.into_boxed_slice()),
        }
    }
}

/// What a value has on the heap.
pub trait Weight {
    /// Bytes, without what the allocator adds.
    fn weight(&self) -> usize;
}

impl Weight for Unsealed {
    fn weight(&self) -> usize {
        self.bytes.len()
    }
}

impl Weight for Candidates {
    fn weight(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(ids) => size_of_val::<[ObjectId]>(ids),
        }
    }
}

/// A value that was read, and where it is from: one piece of memory for both, but for the scope, which
/// all of its values share.
#[derive(Debug)]
pub struct Entry<V> {
    partition: Arc<Partition>,
    id: Id,
    used: AtomicBool,
    value: V,
}

impl<V> Entry<V> {
    fn place(&self) -> Place {
        Place { partition: *self.partition, id: self.id }
    }

    fn is_of(&self, place: &Place) -> bool {
        self.id == place.id && *self.partition == place.partition
    }
}

impl<V> Deref for Entry<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

#[derive(Debug)]
struct Shard<V> {
    hasher: RandomState,
    entries: HashTable<Arc<Entry<V>>>,
    /// In the order of entry, for the second-chance sweep. Weak: what left is gone, and wiped.
    order: VecDeque<Weak<Entry<V>>>,
    bytes: usize,
    epoch: u64,
}

/// A bounded cache.
#[derive(Debug)]
pub struct Cache<V> {
    shards: [Mutex<Shard<V>>; SHARDS],
    shard_bytes_max: usize,
    partitions: Arc<Interner>,
}

/// A reader's place in time; see [`Cache::insert`].
#[derive(Copy, Clone, Debug)]
pub struct Epoch(u64);

const SHARDS: usize = 16;

/// What an entry costs beside itself: its places in table and order, what the allocator adds.
const ENTRY_OVERHEAD: usize = 48;

impl<V: Weight> Cache<V> {
    /// A cache of about that many bytes.
    #[must_use]
    pub fn new(bytes_max: usize, partitions: Arc<Interner>) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_bytes_max: bytes_max / SHARDS,
            partitions,
        }
    }

    /// The value, or the epoch to give to [`Cache::insert`] after reading it from below.
    pub fn get(&self, place: &Place) -> Result<Arc<Entry<V>>, Epoch> {
        let shard = self.shard(place);
        match shard.find(place) {
            Some(entry) => {
                entry.used.store(true, Ordering::Relaxed);
                Ok(Arc::clone(entry))
            }
            None => Err(Epoch(shard.epoch)),
        }
    }

    /// Keeps a value that was read, unless a commit came in between.
    pub fn insert(&self, place: &Place, value: V, read_at: Epoch) -> Arc<Entry<V>> {
        let partition = self.partitions.share(&place.partition);
        let entry =
            Arc::new(Entry { partition, id: place.id, used: AtomicBool::new(false), value });
        let mut shard = self.shard(place);
        if shard.epoch == read_at.0 && shard.find(place).is_none() {
            shard.put(place, &entry, self.shard_bytes_max);
        }
        entry
    }

    /// Forgets a value that a commit has changed.
    pub fn commit(&self, place: &Place) {
        let mut shard = self.shard(place);
        shard.epoch = shard.epoch.wrapping_add(1);
        shard.remove(place);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let epoch = shard.epoch.wrapping_add(1);
            *shard = Shard { epoch, ..Shard::default() };
        }
    }

    fn shard(&self, place: &Place) -> MutexGuard<'_, Shard<V>> {
        // The last bytes of an identifier are random: they spread without hashing.
        let number = usize::from(place.id[15]) % SHARDS;
        let shard = self.shards.get(number).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            entries: HashTable::new(),
            order: VecDeque::new(),
            bytes: 0,
            epoch: 0,
        }
    }
}

impl<V: Weight> Shard<V> {
    fn find(&self, place: &Place) -> Option<&Arc<Entry<V>>> {
        self.entries.find(self.hasher.hash_one(place), |entry| entry.is_of(place))
    }

    fn put(&mut self, place: &Place, entry: &Arc<Entry<V>>, bytes_max: usize) {
        let cost = cost(entry);
        if cost > bytes_max {
            return;
        }
        self.bytes = self.bytes.saturating_add(cost);
        let hasher = &self.hasher;
        let rehash = |entry: &Arc<Entry<V>>| hasher.hash_one(entry.place());
        self.entries.insert_unique(hasher.hash_one(place), Arc::clone(entry), rehash);
        self.order.push_back(Arc::downgrade(entry));
        while self.bytes > bytes_max {
            let Some(oldest) = self.order.pop_front() else { break };
            let Some(entry) = self.kept(&oldest) else { continue };
            if entry.used.swap(false, Ordering::Relaxed) {
                self.order.push_back(oldest);
            } else {
                self.remove(&entry.place());
            }
        }
    }

    /// The entry, if it is still in the cache.
    fn kept(&self, entry: &Weak<Entry<V>>) -> Option<Arc<Entry<V>>> {
        let entry = entry.upgrade()?;
        let kept = self.find(&entry.place())?;
        Arc::ptr_eq(kept, &entry).then_some(entry)
    }

    /// The entry may stay in `order`: the sweep passes over it.
    fn remove(&mut self, place: &Place) {
        let hash = self.hasher.hash_one(place);
        if let Ok(found) = self.entries.find_entry(hash, |entry| entry.is_of(place)) {
            let (entry, _) = found.remove();
            self.bytes = self.bytes.saturating_sub(cost(&entry));
        }
        if self.order.len() > self.entries.len().saturating_mul(2).saturating_add(64) {
            let order = std::mem::take(&mut self.order);
            self.order = order.into_iter().filter(|it| self.kept(it).is_some()).collect();
        }
    }
}

fn cost<V: Weight>(entry: &Entry<V>) -> usize {
    size_of_val(entry).saturating_add(entry.weight()).saturating_add(ENTRY_OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u8) -> Place {
        // One shard: all end in the same byte.
        let partition = Partition { mount: [0; 16], scope: [number; 16] };
        Place { partition, id: [7; 16] }
    }

    fn record(version: u64) -> Unsealed {
        Unsealed::new(version, &[7; 100])
    }

    fn cache(bytes_max: usize) -> Cache<Unsealed> {
        Cache::new(bytes_max, Arc::default())
    }

    fn read(cache: &Cache<Unsealed>, place: Place, version: u64) -> Arc<Entry<Unsealed>> {
        let epoch = cache.get(&place).unwrap_err();
        cache.insert(&place, record(version), epoch)
    }

    #[test]
    fn a_reader_that_was_overtaken_does_not_put_its_record_back() {
        let cache = cache(1 << 20);
        let key = place(1);
        let epoch = cache.get(&key).unwrap_err();
        cache.commit(&key);
        assert_eq!(cache.insert(&key, record(1), epoch).version, 1);
        assert!(cache.get(&key).is_err());
        read(&cache, key, 2);
        assert_eq!(cache.get(&key).unwrap().version, 2);
        cache.commit(&key);
        assert!(cache.get(&key).is_err());
    }

    #[test]
    fn what_left_is_gone_when_its_last_reader_is() {
        let cache = cache(1 << 20);
        let key = place(1);
        let held = read(&cache, key, 1);
        let gone = Arc::downgrade(&held);
        cache.commit(&key);
        read(&cache, key, 2);
        drop(held);
        assert!(gone.upgrade().is_none(), "the order keeps nothing");
        assert_eq!(cache.get(&key).unwrap().version, 2);
    }

    #[test]
    fn it_stays_within_its_bound_and_keeps_what_is_used() {
        let one = cost(&read(&cache(1 << 20), place(0), 1));
        let cache = cache(SHARDS * 10 * one);
        for number in 0..100 {
            read(&cache, place(number), 1);
            assert!(cache.get(&place(0)).is_ok(), "used record left at {number}");
            // Changed ones do not make the sweep forget others.
            cache.commit(&place(200));
        }
        let kept = (0..100).filter(|number| cache.get(&place(*number)).is_ok()).count();
        assert_eq!(kept, 10);
    }
}
