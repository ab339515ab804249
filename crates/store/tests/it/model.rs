//! Random histories against a plain map: whatever is asked, both answer the same.

use crate::contract::Subject;
use claviger_store::{Batch, CommitError, Engine as _, Expect, Key, Put, Range, Record};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Commit(Batch),
    Get(Key),
    Scan(Range),
    Reopen,
}

fn key() -> impl Strategy<Value = Key> {
    // Few letters and short, so that keys meet and are prefixes of one another.
    proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(0xff)], 0..4)
}

fn batch() -> impl Strategy<Value = Batch> {
    let expect = prop_oneof![Just(Expect::Absent), (0..3_u64).prop_map(Expect::Version)];
    let value = proptest::collection::vec(any::<u8>(), 0..20);
    let put =
        (key(), 0..3_u64, value).prop_map(|(key, version, value)| Put { key, version, value });
    (
        proptest::collection::vec((key(), expect), 0..2),
        proptest::collection::vec(put, 0..4),
        proptest::collection::vec(key(), 0..2),
    )
        .prop_map(|(expect, put, delete)| Batch { expect, put, delete })
}

fn range() -> impl Strategy<Value = Range> {
    (key(), proptest::option::of(key()), any::<bool>(), prop_oneof![0..5_usize, Just(usize::MAX)])
        .prop_map(|(start, end, reverse, limit)| Range { start, end, reverse, limit })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => batch().prop_map(Step::Commit),
        3 => key().prop_map(Step::Get),
        3 => range().prop_map(Step::Scan),
        1 => Just(Step::Reopen),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..60)
}

/// The model: a map, and batches as the documentation of `Batch` words them.
fn apply(model: &mut BTreeMap<Key, Record>, batch: &Batch) -> Result<(), Key> {
    for (key, expect) in &batch.expect {
        let holds = match (expect, model.get(key)) {
            (Expect::Absent, found) => found.is_none(),
            (Expect::Version(version), found) => found.is_some_and(|row| row.version == *version),
        };
        if !holds {
            return Err(key.clone());
        }
    }
    for put in &batch.put {
        let row = Record { version: put.version, value: put.value.clone() };
        model.insert(put.key.clone(), row);
    }
    for key in &batch.delete {
        model.remove(key);
    }
    Ok(())
}

fn scan(model: &BTreeMap<Key, Record>, range: &Range) -> Vec<(Key, Record)> {
    let mut rows: Vec<_> = model
        .iter()
        .filter(|(key, _)| **key >= range.start && range.end.as_ref().is_none_or(|end| *key < end))
        .map(|(key, row)| (key.clone(), row.clone()))
        .collect();
    if range.reverse {
        rows.reverse();
    }
    rows.truncate(range.limit);
    rows
}

fn agrees<S: Subject>(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let subject = S::new();
    let mut store = subject.open();
    let mut model = BTreeMap::new();
    for step in steps {
        match step {
            Step::Commit(batch) => {
                let expected = apply(&mut model, &batch);
                let found = match store.commit(batch).wait() {
                    Ok(_) => Ok(()),
                    Err(CommitError::Conflict { key }) => Err(key),
                    Err(other) => return Err(TestCaseError::fail(other.to_string())),
                };
                prop_assert_eq!(found, expected);
            }
            Step::Get(key) => prop_assert_eq!(store.get(&key).unwrap(), model.get(&key).cloned()),
            Step::Scan(range) => {
                prop_assert_eq!(store.scan(&range).unwrap(), scan(&model, &range));
            }
            Step::Reopen => store = subject.reopen(store),
        }
    }
    prop_assert_eq!(store.scan(&Range::all()).unwrap(), scan(&model, &Range::all()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn memory_agrees_with_a_map(steps in history()) {
        agrees::<crate::memory::Plain>(steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sqlite_agrees_with_a_map(steps in history()) {
        agrees::<crate::sqlite::OnDisk>(steps)?;
    }
}
