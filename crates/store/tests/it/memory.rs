//! The memory engine: the contract, and faults that a seed decides.

use crate::contract::{Subject, contract, put, write};
use claviger_store::{
    Batch, CommitError, Engine as _, Expect, Faults, Memory, Range, ReadError, Revision, WatchError,
};

pub(crate) struct Plain;

impl Subject for Plain {
    type Store = Memory;

    fn new() -> Self {
        Self
    }

    fn open(&self) -> Memory {
        Memory::new()
    }

    fn reopen(&self, store: Memory) -> Memory {
        store.crash()
    }
}

contract!(Plain);

/// What 200 commits under faults come to, in order.
fn outcomes(seed: u64) -> Vec<Result<Revision, CommitError>> {
    let store = Memory::with_faults(Faults { seed, conflict: 100, full: 100, ..Faults::default() });
    (0..200_u8)
        .map(|key| {
            let batch = Batch {
                expect: vec![(vec![key], Expect::Absent)],
                put: vec![put(&[key], 1, b"")],
                delete: Vec::new(),
            };
            let outcome = store.commit(batch).wait();
            let found = store.get(&[key]).unwrap().is_some();
            assert_eq!(found, outcome.is_ok(), "refused means not written");
            outcome
        })
        .collect()
}

#[test]
fn a_seed_repeats_its_faults() {
    let first = outcomes(1);
    assert_eq!(first, outcomes(1));
    assert_ne!(first, outcomes(2));
    for kind in [CommitError::Full, CommitError::Conflict { key: Vec::new() }] {
        let kind = std::mem::discriminant(&kind);
        let errors = first.iter().filter_map(|outcome| outcome.as_ref().err());
        let count = errors.filter(|error| std::mem::discriminant(*error) == kind).count();
        assert!((5..60).contains(&count), "one in ten of 200, found {count}");
    }
}

#[test]
fn a_failed_commit_stops_writes_and_may_or_may_not_survive() {
    let mut survived = [0; 2];
    for seed in 0..40 {
        let store = Memory::with_faults(Faults { seed, ..Faults::default() });
        store.commit(write(b"kept", 1, b"")).wait().unwrap();
        store.set_faults(Faults { fail: 1000, ..Faults::default() });
        assert!(matches!(
            store.commit(write(b"limbo", 1, b"")).wait(),
            Err(CommitError::Failed(_))
        ));
        store.set_faults(Faults::default());
        assert_eq!(store.commit(write(b"later", 1, b"")).wait(), Err(CommitError::Unavailable));
        assert_eq!(store.scan(&Range::all()).unwrap().len(), 1, "reads go on, without it");
        let store = store.crash();
        assert!(store.get(b"kept").unwrap().is_some() && store.get(b"later").unwrap().is_none());
        survived[usize::from(store.get(b"limbo").unwrap().is_some())] += 1;
        store.commit(write(b"later", 1, b"")).wait().unwrap();
    }
    assert!(survived[0] > 0 && survived[1] > 0);
}

#[test]
fn a_crash_keeps_the_acknowledged_and_a_beginning_of_the_rest() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let store = Memory::with_faults(Faults { seed, hold: true, ..Faults::default() });
        let mut watch = store.watch(Revision::LATEST);
        let pending: Vec<_> = (0..6_u8).map(|key| store.commit(write(&[key], 1, b""))).collect();
        assert!(pending.iter().all(|pending| pending.outcome().is_none()));
        assert!(store.scan(&Range::all()).unwrap().is_empty(), "reads see only what is durable");
        assert_eq!(store.flush(2), 2);
        assert_eq!(pending[1].outcome(), Some(Ok(Revision(2))));
        let after = store.crash();
        assert!(matches!(pending[2].outcome(), Some(Err(CommitError::Failed(_)))));
        assert_eq!(store.get(&[0]), Err(ReadError::Closed));
        assert_eq!(store.commit(write(b"x", 1, b"")).wait(), Err(CommitError::Unavailable));
        assert_eq!(watch.try_next().unwrap().unwrap().revision, Revision(1));
        assert_eq!(watch.try_next().unwrap().unwrap().revision, Revision(2));
        assert_eq!(watch.try_next(), Err(WatchError::Closed));
        let kept = after.scan(&Range::all()).unwrap();
        for (index, (key, _)) in kept.iter().enumerate() {
            assert_eq!(usize::from(key[0]), index, "a beginning, without gaps");
        }
        assert!(kept.len() >= 2);
        lengths.insert(kept.len());
    }
    assert!(lengths.len() > 2, "{lengths:?}");
}
