//! The memory engine: a `BTreeMap` behind a lock. It serves a server that is to leave nothing behind,
//! and, with [`Faults`] from a seed, stands in for a disk in simulation.
//!
//! It keeps the order and the error contract of a durable engine: "durable" means here that the
//! batch survives [`Memory::crash`].

use crate::change::{Change, Feed, Watch};
use crate::engine::{Engine, Snapshot};
use crate::error::{CommitError, ReadError};
use crate::pending::{Completion, Pending};
use crate::range::Range;
use crate::record::{Batch, Key, Record, Revision};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which faults to inject. Chances are per mille of commits; the same seed and the same calls give
/// the same faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Where chance comes from.
    pub seed: u64,
    /// A batch with expectations meets a conflict that is not there.
    pub conflict: u16,
    /// A batch is refused for lack of space.
    pub full: u16,
    /// A batch fails half-way: it may or may not be there after [`Memory::crash`], and writes stop
    /// until then.
    pub fail: u16,
    /// Commits wait until [`Memory::flush`]; what still waits at a crash may be lost.
    pub hold: bool,
}

/// A store without a disk.
#[derive(Debug)]
pub struct Memory {
    state: RwLock<State>,
    feed: Arc<Feed>,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Key, Record>,
    revision: Revision,
    waiting: VecDeque<(Batch, Completion)>,
    faults: Faults,
    chance: Chance,
    /// A failed batch that the next life of the store may find applied.
    limbo: Option<Batch>,
    stopped: bool,
    closed: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty store without faults.
    pub fn new() -> Self {
        Self::with_faults(Faults::default())
    }

    /// An empty store with faults.
    pub fn with_faults(faults: Faults) -> Self {
        let chance = Chance(faults.seed);
        Self::alive(State { faults, chance, ..State::default() })
    }

    fn alive(state: State) -> Self {
        let feed = Feed::new(state.revision);
        Self { state: RwLock::new(state), feed }
    }

    /// Replaces the faults; the sequence of chance goes on.
    pub fn set_faults(&self, faults: Faults) {
        self.write().faults = faults;
    }

    /// Applies at most `commits` of those that [`Faults::hold`] keeps waiting; returns how many.
    pub fn flush(&self, commits: usize) -> usize {
        let mut done = 0;
        while done < commits {
            let mut state = self.write();
            let Some((batch, completion)) = state.waiting.pop_front() else { break };
            let outcome = self.apply(&mut state, batch);
            drop(state);
            completion.resolve(outcome);
            done = done.saturating_add(1);
        }
        done
    }

    /// Ends this store as a power cut would and returns what is found afterwards: everything
    /// acknowledged, and of what was still waiting a beginning of random length.
    #[must_use]
    pub fn crash(&self) -> Self {
        let mut state = self.write();
        state.closed = true;
        let mut next = State {
            records: std::mem::take(&mut state.records),
            revision: state.revision,
            faults: state.faults,
            chance: state.chance,
            ..State::default()
        };
        let waiting = std::mem::take(&mut state.waiting);
        let limbo = state.limbo.take();
        drop(state);
        if let Some(batch) = limbo.filter(|_| next.chance.per_mille(500)) {
            next.store(batch);
        }
        // The order holds even for what was not promised: nothing survives behind a lost commit.
        for (batch, _completion) in waiting {
            if !next.chance.per_mille(500) {
                break;
            }
            if next.conflict(&batch).is_none() && !batch.is_read_only() {
                next.store(batch);
            }
        }
        self.feed.close();
        Self::alive(next)
    }

    fn apply(&self, state: &mut State, batch: Batch) -> Result<Revision, CommitError> {
        if state.stopped || state.closed {
            return Err(CommitError::Unavailable);
        }
        if let Some(key) = state.conflict(&batch) {
            return Err(CommitError::Conflict { key });
        }
        let faults = state.faults;
        if let Some((key, _)) = batch.expect.first()
            && state.chance.per_mille(faults.conflict)
        {
            return Err(CommitError::Conflict { key: key.clone() });
        }
        if batch.is_read_only() {
            return Ok(state.revision);
        }
        if state.chance.per_mille(faults.full) {
            return Err(CommitError::Full);
        }
        if state.chance.per_mille(faults.fail) {
            state.stopped = true;
            state.limbo = Some(batch);
            return Err(CommitError::Failed("injected".to_owned()));
        }
        let change = Change::of(state.revision.next(), state.store(batch));
        self.feed.publish([change]);
        Ok(state.revision)
    }

    fn read(&self) -> Result<RwLockReadGuard<'_, State>, ReadError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(ReadError::Closed) } else { Ok(state) }
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn conflict(&self, batch: &Batch) -> Option<Key> {
        let failed = batch.expect.iter().find(|(key, expect)| {
            !expect.holds(self.records.get(key).map(|record| record.version))
        });
        failed.map(|(key, _)| key.clone())
    }

    /// Writes and counts; gives the batch back with its values taken out.
    fn store(&mut self, mut batch: Batch) -> Batch {
        for put in &mut batch.put {
            let value = std::mem::take(&mut put.value);
            self.records.insert(put.key.clone(), Record { version: put.version, value });
        }
        for key in &batch.delete {
            self.records.remove(key);
        }
        self.revision = self.revision.next();
        batch
    }
}

impl Engine for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
        Ok(self.read()?.records.get(key).cloned())
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
        Ok(scan(&self.read()?.records, range))
    }

    fn commit(&self, batch: Batch) -> Pending {
        if let Err(limit) = batch.check() {
            return Pending::resolved(Err(CommitError::Limit(limit)));
        }
        let mut state = self.write();
        if state.faults.hold && !state.closed {
            let (completion, pending) = Pending::new();
            state.waiting.push_back((batch, completion));
            return pending;
        }
        let outcome = self.apply(&mut state, batch);
        drop(state);
        Pending::resolved(outcome)
    }

    fn watch(&self, from: Revision) -> Watch {
        self.feed.watch(from)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, ReadError> {
        let state = self.read()?;
        Ok(Box::new(Frozen { revision: state.revision, records: state.records.clone() }))
    }
}

struct Frozen {
    revision: Revision,
    records: BTreeMap<Key, Record>,
}

impl Snapshot for Frozen {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
        Ok(self.records.get(key).cloned())
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
        Ok(scan(&self.records, range))
    }
}

fn scan(records: &BTreeMap<Key, Record>, range: &Range) -> Vec<(Key, Record)> {
    if range.is_empty() {
        return Vec::new();
    }
    let rows = records.range::<[u8], _>(range.bounds());
    let owned = |(key, record): (&Key, &Record)| (key.clone(), record.clone());
    if range.reverse {
        rows.rev().take(range.limit).map(owned).collect()
    } else {
        rows.take(range.limit).map(owned).collect()
    }
}

/// splitmix64: enough for choosing faults, the same on every platform.
#[derive(Clone, Copy, Debug, Default)]
struct Chance(u64);

impl Chance {
    fn per_mille(&mut self, chance: u16) -> bool {
        if chance == 0 {
            return false;
        }
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % 1000 < u64::from(chance)
    }
}
