//! All managed objects of a server: the barrier that they are behind, and what of them is in memory.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_crypto::Rng;
use claviger_store::{CommitError, Key};

use super::cache::{Cache, Candidates, Entry as Cached, Unsealed};
use super::holders::{Fetches, Held, Holder, Late};
use super::id::{IdSource, ObjectId};
use super::interner::Interner;
use super::layout::{self, Place};
use super::served::Served;
use super::tx::Tx;
use crate::failure::Failure;
use crate::seal::{Barrier, Changes, SealError};

/// The scope that objects belong to, and the mount that the scope belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// The mount.
    pub mount: layout::Id,
    /// The scope.
    pub scope: layout::Id,
}

/// What waited to be stored of who was handed an object.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    served: Vec<Key>,
    late: Vec<(Key, u64, Fetches)>,
}

/// All managed objects of a server.
#[derive(Debug)]
pub struct Objects {
    pub(super) barrier: Arc<Barrier>,
    pub(super) cache: Cache<Unsealed>,
    pub(super) index: Cache<Candidates>,
    pub(super) served: Served,
    pub(super) late: Late,
    /// Held while what waits is stored, and by whoever makes it wait no more.
    flushing: Mutex<()>,
    /// Makes holders short in memory.
    pub(super) tags: RandomState,
    ids: IdSource,
}

impl Objects {
    /// Objects behind that barrier, with a cache of about that many bytes, and a sixth for what
    /// indexes name.
    #[must_use]
    pub fn new(barrier: Arc<Barrier>, cache_bytes_max: usize) -> Self {
        let partitions = Arc::<Interner>::default();
        Self {
            barrier,
            cache: Cache::new(cache_bytes_max, Arc::clone(&partitions)),
            // An index entry costs about a sixth of a small record.
            index: Cache::new(cache_bytes_max / 6, partitions),
            served: Served::default(),
            late: Late::default(),
            flushing: Mutex::default(),
            tags: RandomState::new(),
            ids: IdSource::default(),
        }
    }

    /// Begins a transaction in a scope at a time.
    #[must_use]
    pub const fn begin(&self, partition: Partition, now: i64) -> Tx<'_> {
        Tx::new(self, partition, now)
    }

    /// A new identifier.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn next_id(&self, now_us: i64, rng: &dyn Rng) -> Result<ObjectId, Failure> {
        self.ids.next(now_us, rng)
    }

    /// Stores which objects have been handed out since the last call, and to whom; see `served` and
    /// `holders`. Blocks until that is durable.
    ///
    /// # Errors
    /// Storage; the rows stay noted and are tried again.
    pub fn flush_served(&self) -> Result<(), CommitError> {
        let _one = self.flushing();
        loop {
            let (marks, late) = (self.served.batch(), self.late.batch());
            if marks.is_empty() && late.is_empty() {
                return Ok(());
            }
            let rows = late.iter();
            let put = rows.map(|(key, version, fetches)| (key.clone(), *version, fetches.encode()));
            let changes =
                Changes { put: put.collect(), marks: marks.clone(), ..Changes::default() };
            self.barrier.commit(changes).wait()?;
            self.served.stored(&marks);
            self.late.stored(&late);
        }
    }

    /// Forgets what waits to be stored below those beginnings of keys: afterwards none of it is on its
    /// way either. Blocks until a flush that has begun is done.
    pub(super) fn forget_waiting(&self, served: &[u8], held: &[u8]) {
        let _none = self.flushing();
        self.served.forget(served);
        self.late.forget(held);
    }

    /// The rows that say who was handed an object, and that somebody was, for a commit to delete; what
    /// of them waits to be stored goes to `taken`. Blocks until a flush that has begun is done.
    ///
    /// # Errors
    /// Storage.
    pub(super) fn hand_back(
        &self,
        Partition { mount, scope }: Partition,
        id: ObjectId,
        taken: &mut Waiting,
    ) -> Result<Vec<Key>, SealError> {
        let served = layout::served(&mount, &scope, id.as_bytes());
        let held = layout::held_of(&mount, &scope, id.as_bytes());
        let _none = self.flushing();
        let mut rows = self.barrier.keys(&held)?;
        taken.late.extend(self.late.take(&held.start));
        if self.served.contains(&served) {
            self.served.forget(&served);
            taken.served.push(served.clone());
        }
        rows.push(served);
        Ok(rows)
    }

    /// Lets what was taken wait to be stored again.
    pub(super) fn wait_again(&self, taken: Waiting) {
        for key in taken.served {
            self.served.note(key);
        }
        for (key, version, fetches) in taken.late {
            self.late.note_first(key, version, fetches);
        }
    }

    fn flushing(&self) -> MutexGuard<'_, ()> {
        self.flushing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The certificates that fetched an object of that scope, the latest first. The last time may be
    /// behind by ten minutes where the object has left memory since.
    ///
    /// # Errors
    /// Storage.
    pub fn holders(&self, partition: Partition, id: ObjectId) -> Result<Vec<Held>, SealError> {
        let cached = self.cache.get(&Place { partition, id: *id.as_bytes() }).ok();
        let Partition { mount, scope } = partition;
        let range = layout::held_of(&mount, &scope, id.as_bytes());
        let mut rows: HashMap<Key, Fetches> = self.late.below(&range.start).into_iter().collect();
        for (key, opened) in self.barrier.scan(&range)? {
            if let Entry::Vacant(row) = rows.entry(key) {
                row.insert(Fetches::decode(&opened.bytes)?);
            }
        }
        let mut holders = Vec::with_capacity(rows.len());
        for (key, mut fetches) in rows {
            let Some(holder) = key.get(range.start.len()..).and_then(Holder::of_suffix) else {
                continue;
            };
            let tag = self.tags.hash_one(holder);
            if let Some(last) = cached.as_ref().and_then(|it| it.recent.last(tag)) {
                fetches.last = fetches.last.max(last);
            }
            holders.push(Held { holder, fetches });
        }
        holders.sort_by_key(|held| (std::cmp::Reverse(held.fetches.last), held.holder.serial));
        Ok(holders)
    }

    /// Forgets every unsealed object.
    pub fn forget(&self) {
        self.cache.clear();
        self.index.clear();
    }

    pub(super) fn read(
        &self,
        partition: &Partition,
        id: ObjectId,
    ) -> Result<Option<Arc<Cached<Unsealed>>>, SealError> {
        let place = Place { partition: *partition, id: *id.as_bytes() };
        let epoch = match self.cache.get(&place) {
            Ok(unsealed) => return Ok(Some(unsealed)),
            Err(epoch) => epoch,
        };
        let Partition { mount, scope } = partition;
        let Some(opened) = self.barrier.get(&layout::object(mount, scope, id.as_bytes()))? else {
            return Ok(None);
        };
        let unsealed = Unsealed::new(opened.version, &opened.bytes);
        Ok(Some(self.cache.insert(&place, unsealed, epoch)))
    }

    /// The objects of a scope that have a value with that term, newest first.
    pub(super) fn candidates(
        &self,
        partition: &Partition,
        term: &layout::Id,
    ) -> Result<Arc<Cached<Candidates>>, SealError> {
        let place = Place { partition: *partition, id: *term };
        let epoch = match self.index.get(&place) {
            Ok(candidates) => return Ok(candidates),
            Err(epoch) => epoch,
        };
        let Partition { mount, scope } = partition;
        let keys = self.barrier.keys(&layout::indexed(mount, scope, term).reversed())?;
        let ids = keys.iter().filter_map(|key| layout::id_of(key)).map(ObjectId::from_bytes);
        Ok(self.index.insert(&place, ids.collect(), epoch))
    }
}
