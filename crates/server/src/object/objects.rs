//! All managed objects of a server: the barrier that they are behind, and what of them is in memory.

use std::sync::Arc;

use claviger_crypto::Rng;
use claviger_store::CommitError;

use super::cache::{Cache, Candidates, Unsealed};
use super::id::{IdSource, ObjectId};
use super::layout;
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

/// All managed objects of a server.
#[derive(Debug)]
pub struct Objects {
    pub(super) barrier: Arc<Barrier>,
    pub(super) cache: Cache<Unsealed>,
    pub(super) index: Cache<Candidates>,
    pub(super) served: Served,
    ids: IdSource,
}

impl Objects {
    /// Objects behind that barrier, with a cache of about that many bytes, and half as many for what
    /// indexes name.
    #[must_use]
    pub fn new(barrier: Arc<Barrier>, cache_bytes_max: usize) -> Self {
        Self {
            barrier,
            cache: Cache::new(cache_bytes_max),
            // An index entry costs as much as a small record: the names of all of them should fit.
            index: Cache::new(cache_bytes_max / 2),
            served: Served::default(),
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

    /// Stores which objects have been handed out since the last call; see `served`.
    ///
    /// # Errors
    /// Storage; the rows stay noted and are tried again.
    pub async fn flush_served(&self) -> Result<(), CommitError> {
        loop {
            let marks = self.served.batch();
            if marks.is_empty() {
                return Ok(());
            }
            let changes = Changes { marks: marks.clone(), ..Changes::default() };
            self.barrier.commit(changes).await?;
            self.served.stored(&marks);
        }
    }

    /// Forgets every unsealed object.
    pub fn forget(&self) {
        self.cache.clear();
        self.index.clear();
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Arc<Unsealed>>, SealError> {
        let epoch = match self.cache.get(key) {
            Ok(unsealed) => return Ok(Some(unsealed)),
            Err(epoch) => epoch,
        };
        let Some(opened) = self.barrier.get(key)? else { return Ok(None) };
        let unsealed = Arc::new(Unsealed::new(opened.version, opened.bytes));
        self.cache.insert(key, &unsealed, epoch);
        Ok(Some(unsealed))
    }

    /// The objects of a scope that have a value with that term, newest first.
    pub(super) fn candidates(
        &self,
        partition: &Partition,
        term: &layout::Id,
    ) -> Result<Arc<Candidates>, SealError> {
        let Partition { mount, scope } = partition;
        let range = layout::indexed(mount, scope, term).reversed();
        let epoch = match self.index.get(&range.start) {
            Ok(candidates) => return Ok(candidates),
            Err(epoch) => epoch,
        };
        let keys = self.barrier.keys(&range)?;
        let ids = keys.iter().filter_map(|key| layout::id_of(key)).map(ObjectId::from_bytes);
        let candidates = Arc::new(Candidates(ids.collect()));
        self.index.insert(&range.start, &candidates, epoch);
        Ok(candidates)
    }
}
