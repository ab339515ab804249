//! The contract suite: what every engine must do, run on each of them by [`contract!`].

use claviger_store::{
    Batch, CommitError, Engine, Expect, KEY_BYTES_MAX, Key, Limit, Put, Range, Record, Revision,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An engine under test and how to close and open it again.
pub(crate) trait Subject {
    type Store: Engine;
    fn new() -> Self;
    fn open(&self) -> Self::Store;
    fn reopen(&self, store: Self::Store) -> Self::Store;
}

/// One `#[test]` per rule, for one engine.
macro_rules! contract {
    ($subject:ty) => {
        contract!($subject,
            what_is_committed_is_read,
            scans_follow_the_key_order,
            a_conflict_leaves_nothing,
            expectations_see_the_state_before_the_batch,
            a_read_only_batch_changes_no_revision,
            one_of_many_rivals_wins,
            concurrent_batches_are_atomic,
            watch_delivers_every_change_in_order,
            a_change_is_on_the_watch_before_it_is_acknowledged,
            a_snapshot_stays_where_it_is,
            a_reopened_store_has_everything,
            limits_are_refused,
            large_values_survive,
            a_pending_can_be_awaited
        );
    };
    ($subject:ty, $($rule:ident),+) => {
        $(#[test]
        fn $rule() {
            crate::contract::$rule(&<$subject as crate::contract::Subject>::new());
        })+
    };
}
pub(crate) use contract;

pub(crate) fn put(key: &[u8], version: u64, value: &[u8]) -> Put {
    Put { key: key.to_vec(), version, value: value.to_vec() }
}

pub(crate) fn write(key: &[u8], version: u64, value: &[u8]) -> Batch {
    Batch { put: vec![put(key, version, value)], ..Batch::default() }
}

fn record(version: u64, value: &[u8]) -> Record {
    Record { version, value: value.to_vec() }
}

fn keys(rows: &[(Key, Record)]) -> Vec<&[u8]> {
    rows.iter().map(|(key, _)| key.as_slice()).collect()
}

pub(crate) fn what_is_committed_is_read(subject: &impl Subject) {
    let store = subject.open();
    assert_eq!(store.get(b"a").unwrap(), None);
    store.commit(write(b"a", 1, b"one")).wait().unwrap();
    assert_eq!(store.get(b"a").unwrap(), Some(record(1, b"one")));
    store.commit(write(b"a", 2, b"")).wait().unwrap();
    assert_eq!(store.get(b"a").unwrap(), Some(record(2, b"")));
    let gone = Batch { delete: vec![b"a".to_vec(), b"never".to_vec()], ..Batch::default() };
    store.commit(gone).wait().unwrap();
    assert_eq!(store.get(b"a").unwrap(), None);
    store.commit(write(b"", i64::MAX as u64, &[0, 0xff])).wait().unwrap();
    assert_eq!(store.get(b"").unwrap(), Some(record(i64::MAX as u64, &[0, 0xff])));
}

pub(crate) fn scans_follow_the_key_order(subject: &impl Subject) {
    let store = subject.open();
    let all: [&[u8]; 7] = [b"", b"a", b"a\0", b"a\0b", b"a\xff", b"b", b"\xff\xff"];
    let shuffled = [3, 0, 6, 1, 5, 2, 4].map(|index| put(all[index], 1, all[index]));
    store.commit(Batch { put: shuffled.to_vec(), ..Batch::default() }).wait().unwrap();
    let scan = |range: Range| store.scan(&range).unwrap();
    assert_eq!(keys(&scan(Range::all())), all);
    assert!(scan(Range::all()).iter().all(|(key, row)| *key == row.value));
    assert_eq!(keys(&scan(Range::prefix(b"a"))), all[1..5]);
    assert_eq!(keys(&scan(Range::prefix(b"\xff"))), all[6..]);
    assert_eq!(keys(&scan(Range::between(b"a\0", b"b"))), all[2..5]);
    assert_eq!(keys(&scan(Range::prefix(b"a").after(b"a\0"))), all[3..5]);
    assert_eq!(keys(&scan(Range::prefix(b"a").limit(2))), all[1..3]);
    assert_eq!(keys(&scan(Range::prefix(b"a").reversed().limit(2))), [all[4], all[3]]);
    let mut backwards = all;
    backwards.reverse();
    assert_eq!(keys(&scan(Range::all().reversed())), backwards);
    for (range, order) in [(Range::all(), all), (Range::all().reversed(), backwards)] {
        let (mut range, mut paged) = (range.limit(2), Vec::new());
        loop {
            let page = scan(range.clone());
            let Some((key, _)) = page.last() else { break };
            range = range.after(key);
            paged.extend(page.into_iter().map(|(key, _)| key));
        }
        assert_eq!(paged, order, "page by page");
    }
    assert!(scan(Range::between(b"b", b"a")).is_empty());
    assert!(scan(Range::between(b"a", b"a")).is_empty());
    assert!(scan(Range::all().limit(0)).is_empty());
}

pub(crate) fn a_conflict_leaves_nothing(subject: &impl Subject) {
    let store = subject.open();
    store.commit(write(b"a", 1, b"first")).wait().unwrap();
    let wrong: [(&[u8], Expect); 4] = [
        (b"a", Expect::Absent),
        (b"a", Expect::Version(2)),
        (b"a", Expect::Version(0)),
        (b"z", Expect::Version(1)),
    ];
    for (key, expect) in wrong {
        let batch = Batch {
            expect: vec![(b"other".to_vec(), Expect::Absent), (key.to_vec(), expect)],
            put: vec![put(b"a", 9, b"never"), put(b"other", 9, b"never")],
            delete: vec![b"a".to_vec()],
        };
        let conflict = CommitError::Conflict { key: key.to_vec() };
        assert_eq!(store.commit(batch).wait(), Err(conflict));
        assert_eq!(store.scan(&Range::all()).unwrap(), [(b"a".to_vec(), record(1, b"first"))]);
    }
    let right = Batch {
        expect: vec![(b"a".to_vec(), Expect::Version(1)), (b"b".to_vec(), Expect::Absent)],
        put: vec![put(b"a", 2, b"second")],
        delete: Vec::new(),
    };
    store.commit(right).wait().unwrap();
    assert_eq!(store.get(b"a").unwrap(), Some(record(2, b"second")));
}

pub(crate) fn expectations_see_the_state_before_the_batch(subject: &impl Subject) {
    let store = subject.open();
    let batch = Batch {
        expect: vec![(b"a".to_vec(), Expect::Absent)],
        put: vec![put(b"a", 1, b"x"), put(b"a", 2, b"y"), put(b"b", 1, b"z")],
        delete: vec![b"b".to_vec()],
    };
    store.commit(batch).wait().unwrap();
    assert_eq!(store.scan(&Range::all()).unwrap(), [(b"a".to_vec(), record(2, b"y"))]);
}

pub(crate) fn a_read_only_batch_changes_no_revision(subject: &impl Subject) {
    let store = subject.open();
    let first = store.commit(write(b"a", 1, b"")).wait().unwrap();
    let mut watch = store.watch(first);
    let check = |expect| Batch { expect: vec![(b"a".to_vec(), expect)], ..Batch::default() };
    assert_eq!(store.commit(check(Expect::Version(1))).wait(), Ok(first));
    assert!(store.commit(check(Expect::Absent)).wait().is_err());
    assert_eq!(watch.try_next(), Ok(None));
    let second = store.commit(write(b"a", 2, b"")).wait().unwrap();
    assert_eq!(second, Revision(first.0 + 1));
}

pub(crate) fn one_of_many_rivals_wins(subject: &impl Subject) {
    let store = subject.open();
    for round in 0..20_u8 {
        let won = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for rival in 0..8_u8 {
                let (store, won) = (&store, &won);
                scope.spawn(move || {
                    let batch = Batch {
                        expect: vec![(vec![round], Expect::Absent)],
                        put: vec![put(&[round], 1, &[rival])],
                        delete: Vec::new(),
                    };
                    match store.commit(batch).wait() {
                        Ok(_) => assert!(!won.swap(true, Ordering::SeqCst), "two winners"),
                        Err(error) => assert!(matches!(error, CommitError::Conflict { .. })),
                    }
                });
            }
        });
        assert!(won.load(Ordering::SeqCst), "no winner");
    }
}

/// Eight threads move amounts between ten accounts; no reader ever sees a sum that is not the whole.
pub(crate) fn concurrent_batches_are_atomic(subject: &impl Subject) {
    let store = subject.open();
    let accounts = (0..10_u8).map(|account| put(&[account], 1, &100_u64.to_be_bytes()));
    store.commit(Batch { put: accounts.collect(), ..Batch::default() }).wait().unwrap();
    let amount = |record: &Record| u64::from_be_bytes(record.value.as_slice().try_into().unwrap());
    let sum = |rows: &[(Key, Record)]| rows.iter().map(|(_, row)| amount(row)).sum::<u64>();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0_u32;
            while !done.load(Ordering::SeqCst) || reads == 0 {
                assert_eq!(sum(&store.scan(&Range::all()).unwrap()), 1000);
                reads += 1;
            }
        });
        let movers: Vec<_> = (0..8_u8)
            .map(|mover| {
                let store = &store;
                scope.spawn(move || {
                    for step in 0..50_u8 {
                        let (from, to) = ([mover], [(mover + 1 + step % 9) % 10]);
                        loop {
                            let source = store.get(&from).unwrap().unwrap();
                            let target = store.get(&to).unwrap().unwrap();
                            let moved = amount(&source).min(7);
                            let less = (amount(&source) - moved).to_be_bytes();
                            let more = (amount(&target) + moved).to_be_bytes();
                            let batch = Batch {
                                expect: vec![
                                    (from.to_vec(), Expect::Version(source.version)),
                                    (to.to_vec(), Expect::Version(target.version)),
                                ],
                                put: vec![
                                    put(&from, source.version + 1, &less),
                                    put(&to, target.version + 1, &more),
                                ],
                                delete: Vec::new(),
                            };
                            match store.commit(batch).wait() {
                                Ok(_) => break,
                                Err(CommitError::Conflict { .. }) => {}
                                Err(other) => panic!("{other}"),
                            }
                        }
                    }
                })
            })
            .collect();
        for mover in movers {
            mover.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    let rows = store.scan(&Range::all()).unwrap();
    assert_eq!(sum(&rows), 1000);
    let writes: u64 = rows.iter().map(|(_, row)| row.version - 1).sum();
    assert_eq!(writes, 8 * 50 * 2, "every move wrote two accounts once");
}

pub(crate) fn watch_delivers_every_change_in_order(subject: &impl Subject) {
    let store = subject.open();
    let mut latest = store.watch(Revision::LATEST);
    let start = latest.seen();
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                for step in 0..50_u8 {
                    store.commit(write(&[writer, step], 1, b"")).wait().unwrap();
                }
            });
        }
        let mut newest = BTreeMap::new();
        for expected in 1..=200 {
            let change = latest.wait_next(Duration::from_secs(30)).unwrap().unwrap();
            assert_eq!(change.revision, Revision(start.0 + expected));
            let (key, version) = &change.put[0];
            assert_eq!((change.put.len(), *version, change.delete.len()), (1, 1, 0));
            let before = newest.insert(key[0], key[1]);
            assert_eq!(key[1], before.map_or(0, |step| step + 1), "one writer's order is kept");
        }
    });
    assert_eq!(latest.try_next(), Ok(None));
    let mut again = store.watch(start);
    assert_eq!(again.try_next().unwrap().unwrap().revision, Revision(start.0 + 1));
    let gone = Batch { delete: vec![vec![0, 0]], ..Batch::default() };
    store.commit(gone).wait().unwrap();
    assert_eq!(latest.try_next().unwrap().unwrap().delete, [[0, 0]]);
}

pub(crate) fn a_change_is_on_the_watch_before_it_is_acknowledged(subject: &impl Subject) {
    let store = subject.open();
    let mut watch = store.watch(Revision::LATEST);
    for version in 1..=100 {
        let revision = store.commit(write(b"a", version, b"")).wait().unwrap();
        let change = watch.try_next().unwrap().unwrap();
        assert_eq!(change.revision, revision);
        assert_eq!(change.put, [(b"a".to_vec(), version)]);
    }
}

pub(crate) fn a_snapshot_stays_where_it_is(subject: &impl Subject) {
    let store = subject.open();
    for key in 0..100_u8 {
        store.commit(write(&[key], 1, b"old")).wait().unwrap();
    }
    let last = store.commit(write(&[100], 1, b"old")).wait().unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.revision(), last);
    let mut page = snapshot.scan(&Range::all().limit(40)).unwrap();
    for key in 0..=100_u8 {
        let batch = Batch {
            put: vec![put(&[key, 1], 1, b"new"), put(&[key], 2, b"new")],
            delete: vec![vec![100 - key]],
            ..Batch::default()
        };
        store.commit(batch).wait().unwrap();
    }
    let mut seen = Vec::new();
    while let Some((key, _)) = page.last() {
        let next = Range::all().limit(40).after(key);
        seen.append(&mut page);
        page = snapshot.scan(&next).unwrap();
    }
    assert_eq!(seen.len(), 101);
    for (key, (seen, row)) in (0..=100_u8).zip(seen) {
        assert_eq!((seen, row), (vec![key], record(1, b"old")));
    }
    assert_eq!(snapshot.get(&[5]).unwrap(), Some(record(1, b"old")));
    assert_eq!(snapshot.get(&[5, 1]).unwrap(), None);
    let mut watch = store.watch(snapshot.revision());
    let first = watch.try_next().unwrap().unwrap();
    assert_eq!(first.revision, Revision(last.0 + 1), "a watch takes over where a snapshot ends");
}

pub(crate) fn a_reopened_store_has_everything(subject: &impl Subject) {
    let mut store = subject.open();
    let mut last = Revision::default();
    for life in 0..3_u8 {
        for key in 0..50_u8 {
            last = store.commit(write(&[life, key], 1, &[key; 300])).wait().unwrap();
        }
        let gone = Batch { delete: vec![vec![life, 0]], ..Batch::default() };
        last = store.commit(gone).wait().unwrap().max(last);
        store = subject.reopen(store);
        assert_eq!(store.watch(Revision::LATEST).seen(), last, "revisions go on");
        assert_eq!(store.scan(&Range::all()).unwrap().len(), 49 * (usize::from(life) + 1));
    }
    assert_eq!(store.get(&[0, 0]).unwrap(), None);
    assert_eq!(store.get(&[1, 49]).unwrap(), Some(record(1, &[49; 300])));
    let next = store.commit(write(b"next", 1, b"")).wait().unwrap();
    assert_eq!(next, Revision(last.0 + 1));
}

pub(crate) fn limits_are_refused(subject: &impl Subject) {
    let store = subject.open();
    let long = vec![1; KEY_BYTES_MAX + 1];
    let refused = |batch| store.commit(batch).wait();
    let limit = |limit| Err(CommitError::Limit(limit));
    assert_eq!(refused(write(&long, 1, b"")), limit(Limit::KeyBytes));
    let delete = Batch { delete: vec![long.clone()], ..Batch::default() };
    assert_eq!(refused(delete), limit(Limit::KeyBytes));
    let expect = Batch { expect: vec![(long, Expect::Absent)], ..Batch::default() };
    assert_eq!(refused(expect), limit(Limit::KeyBytes));
    assert_eq!(refused(write(b"a", u64::MAX, b"")), limit(Limit::Version));
    let value = vec![0; claviger_store::VALUE_BYTES_MAX + 1];
    assert_eq!(refused(write(b"a", 1, &value)), limit(Limit::ValueBytes));
    let rows = vec![b"a".to_vec(); claviger_store::BATCH_ROWS_MAX + 1];
    let many = Batch { delete: rows, ..Batch::default() };
    assert_eq!(refused(many), limit(Limit::BatchRows));
    let value = vec![0; 14 << 20];
    let heavy = (0..5).map(|key| put(&[key], 1, &value)).collect();
    let heavy = Batch { put: heavy, ..Batch::default() };
    assert_eq!(refused(heavy), limit(Limit::BatchBytes));
    assert!(store.scan(&Range::all()).unwrap().is_empty());
    store.commit(write(&vec![1; KEY_BYTES_MAX], 1, b"")).wait().unwrap();
}

pub(crate) fn large_values_survive(subject: &impl Subject) {
    let store = subject.open();
    let value: Vec<u8> = (0..1_000_003_u32).map(|index| (index % 251) as u8).collect();
    store.commit(write(b"big", 1, &value)).wait().unwrap();
    let store = subject.reopen(store);
    assert_eq!(store.get(b"big").unwrap().unwrap().value, value);
}

pub(crate) fn a_pending_can_be_awaited(subject: &impl Subject) {
    let store = Arc::new(subject.open());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let revision = runtime.block_on(async {
        let mut watch = store.watch(Revision::LATEST);
        let (committed, seen) =
            tokio::join!(store.commit(write(b"a", 1, b"")), async { watch.changed().await });
        let committed = committed.unwrap();
        assert_eq!(seen.unwrap().revision, committed);
        committed
    });
    assert_eq!(store.commit(Batch::default()).wait(), Ok(revision));
}
