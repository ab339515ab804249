//! Records on a memory engine, for the tests of `mount`, `access`, `token` and the HTTP API.

use std::sync::Arc;

use claviger_store::{Faults, Memory};

use super::Records;
use crate::seal::{Barrier, Changes, RootKey};

/// A store that can be opened again, as a restart does.
pub(crate) struct TestStore {
    engine: Arc<Memory>,
    root: RootKey,
}

impl TestStore {
    /// An empty, initialised store, and records on it.
    pub(crate) fn new() -> (Self, Records) {
        let store = Self { engine: Arc::new(Memory::new()), root: RootKey::generate().unwrap() };
        let barrier = Barrier::initialise(store.engine.clone(), &store.root, 0).unwrap();
        (store, Records::new(Arc::new(barrier)))
    }

    /// Records on the same store, unsealed anew.
    pub(crate) fn reopen(&self) -> Records {
        let barrier = Barrier::unseal(self.engine.clone(), &self.root).unwrap();
        Records::new(Arc::new(barrier))
    }

    /// From now on nothing can be stored.
    pub(crate) fn fail_commits(&self) {
        self.engine.set_faults(Faults { full: 1000, ..Faults::default() });
    }
}

impl Records {
    /// What they are on.
    pub(crate) fn barrier(&self) -> Arc<Barrier> {
        Arc::clone(&self.barrier)
    }

    /// Stores bytes as they are: a record that another version wrote.
    pub(crate) fn plant(&self, key: Vec<u8>, bytes: Vec<u8>) {
        let mut changes = Changes::default();
        changes.put.push((key, 1, bytes.into()));
        self.barrier.commit(changes).wait().unwrap();
    }
}
