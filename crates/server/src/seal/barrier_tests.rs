//! What the barrier keeps from whoever holds the storage, and what it notices of their doings.

use super::*;
use claviger_store::{Durability, Memory, Record, Sqlite};

fn memory() -> (Arc<Memory>, Barrier, RootKey) {
    let engine = Arc::new(Memory::new());
    let root = RootKey::generate().unwrap();
    let barrier = Barrier::initialise(engine.clone(), &root, 7).unwrap();
    (engine, barrier, root)
}

fn write(barrier: &Barrier, key: &[u8], version: u64, plain: &[u8]) {
    let put = vec![(key.to_vec(), version, Zeroizing::new(plain.to_vec()))];
    barrier.commit(Changes { put, ..Changes::default() }).wait().unwrap();
}

fn plant(engine: &dyn Engine, key: &[u8], record: Record) {
    let put = vec![Put { key: key.to_vec(), version: record.version, value: record.value }];
    engine.commit(Batch { put, ..Batch::default() }).wait().unwrap();
}

fn plain(barrier: &Barrier, key: &[u8]) -> Vec<u8> {
    barrier.get(key).unwrap().unwrap().bytes.to_vec()
}

fn is_damaged(barrier: &Barrier, key: &[u8]) -> bool {
    let get = matches!(barrier.get(key), Err(SealError::Damaged { .. }));
    let scan = matches!(barrier.scan(&Range::prefix(key)), Err(SealError::Damaged { .. }));
    assert_eq!(get, scan);
    get
}

#[test]
fn what_was_committed_is_opened() {
    let (_, barrier, _) = memory();
    assert!(barrier.get(b"o1").unwrap().is_none());
    let changes = Changes {
        expect: vec![(b"o1".to_vec(), Expect::Absent)],
        put: vec![(b"o1".to_vec(), 5, Zeroizing::new(b"secret".to_vec()))],
        delete: Vec::new(),
        marks: vec![b"x1".to_vec(), b"x2".to_vec()],
    };
    barrier.commit(changes).wait().unwrap();
    let opened = barrier.get(b"o1").unwrap().unwrap();
    assert_eq!((opened.version, opened.bytes.as_slice()), (5, b"secret".as_slice()));
    assert!(!format!("{opened:?}").contains("115"), "no byte of it is printed");
    assert_eq!(barrier.keys(&Range::prefix(b"x")).unwrap(), [b"x1", b"x2"]);
    assert!(
        barrier.scan(&Range::prefix(b"x")).unwrap().iter().all(|(_, row)| row.bytes.is_empty())
    );
    let again = Changes { expect: vec![(b"o1".to_vec(), Expect::Absent)], ..Changes::default() };
    assert!(matches!(barrier.commit(again).wait(), Err(CommitError::Conflict { .. })));
    write(&barrier, b"o2", 1, b"");
    assert_eq!(plain(&barrier, b"o2"), b"");
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let (engine, barrier, _) = memory();
    write(&barrier, b"o", 1, b"secret");
    let good = engine.get(b"o").unwrap().unwrap();
    for index in 0..good.value.len() {
        let mut bad = good.clone();
        bad.value[index] ^= 0x40;
        plant(engine.as_ref(), b"o", bad);
        assert!(barrier.get(b"o").is_err(), "byte {index}");
    }
    for length in 0..good.value.len() {
        let bad = Record { version: 1, value: good.value[..length].to_vec() };
        plant(engine.as_ref(), b"o", bad);
        assert!(is_damaged(&barrier, b"o"), "length {length}");
    }
    plant(engine.as_ref(), b"o", good);
    assert_eq!(plain(&barrier, b"o"), b"secret");
}

#[test]
fn rows_cannot_change_places() {
    let (engine, barrier, _) = memory();
    write(&barrier, b"o1", 1, b"one");
    write(&barrier, b"o2", 1, b"two");
    let one = engine.get(b"o1").unwrap().unwrap();
    plant(engine.as_ref(), b"o2", one);
    assert!(is_damaged(&barrier, b"o2"));
    assert_eq!(plain(&barrier, b"o1"), b"one");
}

#[test]
fn an_old_value_does_not_pass_for_a_newer_version() {
    let (engine, barrier, _) = memory();
    write(&barrier, b"o", 1, b"active");
    let old = engine.get(b"o").unwrap().unwrap();
    write(&barrier, b"o", 2, b"revoked");
    plant(engine.as_ref(), b"o", Record { version: 2, value: old.value.clone() });
    assert!(is_damaged(&barrier, b"o"));
    // With its old version it opens, but a writer that has seen version 2 does not build on it.
    plant(engine.as_ref(), b"o", old);
    let next = Changes { expect: vec![(b"o".to_vec(), Expect::Version(2))], ..Changes::default() };
    assert!(matches!(barrier.commit(next).wait(), Err(CommitError::Conflict { .. })));
}

#[test]
fn a_value_planted_in_an_index_row_or_an_unsealed_record_is_noticed() {
    let (engine, barrier, _) = memory();
    plant(engine.as_ref(), b"x", Record { version: 1, value: b"something".to_vec() });
    assert!(is_damaged(&barrier, b"x"));
    plant(engine.as_ref(), b"o", Record { version: 1, value: Vec::new() });
    assert!(is_damaged(&barrier, b"o"));
    plant(engine.as_ref(), b"o", Record { version: 1, value: vec![2; 100] });
    assert!(matches!(barrier.get(b"o"), Err(SealError::Format { found: 2, .. })));
}

#[test]
fn only_the_root_key_unseals_and_initialising_twice_is_refused() {
    let (engine, barrier, root) = memory();
    write(&barrier, b"o", 1, b"secret");
    let blind = barrier.blind(b"name", b"alpha");
    let other = RootKey::generate().unwrap();
    let unseal = |root| Barrier::unseal(engine.clone(), root);
    assert!(matches!(unseal(&other), Err(SealError::WrongRootKey)));
    let twice = Barrier::initialise(engine.clone(), &other, 0);
    assert!(matches!(twice, Err(SealError::Initialised)));
    let again = unseal(&root).unwrap();
    assert_eq!(plain(&again, b"o"), b"secret");
    assert_eq!(again.blind(b"name", b"alpha"), blind);
    let empty = Arc::new(Memory::new());
    assert!(!Barrier::is_initialised(empty.as_ref()).unwrap());
    assert!(Barrier::is_initialised(engine.as_ref()).unwrap());
    assert!(matches!(Barrier::unseal(empty, &root), Err(SealError::NotInitialised)));
}

#[test]
fn rotation_keeps_old_records_readable_and_hashes_stable() {
    let (engine, barrier, root) = memory();
    write(&barrier, b"old", 1, b"sealed with key 1");
    let (blind, derived) = (barrier.blind(b"c", b"v"), barrier.derived_key(b"audit"));
    assert_eq!(barrier.active_key(), 1);
    assert_eq!((barrier.rotate(8).unwrap(), barrier.active_since()), (2, 8));
    write(&barrier, b"new", 1, b"sealed with key 2");
    let seal_key = crate::seal::random_key().unwrap();
    let refused = barrier.change_root(|_, _| Err(SealError::Crypto));
    assert!(matches!(refused, Err(SealError::Crypto)));
    drop(Barrier::unseal(engine.clone(), &root).unwrap());
    barrier.change_root(|root, _| SealConfig::shamir(1, 1, &seal_key, root)).unwrap();
    assert!(matches!(Barrier::unseal(engine.clone(), &root), Err(SealError::WrongRootKey)));
    let config = SealConfig::read(engine.as_ref()).unwrap().unwrap().0;
    let next_root = config.open_root(&seal_key).unwrap();
    let again = Barrier::unseal(engine.clone(), &next_root).unwrap();
    for barrier in [&barrier, &again] {
        assert_eq!(plain(barrier, b"old"), b"sealed with key 1");
        assert_eq!(plain(barrier, b"new"), b"sealed with key 2");
        assert_eq!(barrier.active_key(), 2);
        assert_eq!(barrier.blind(b"c", b"v"), blind);
        assert_eq!(barrier.derived_key(b"audit"), derived);
    }
    let mut unknown = engine.get(b"new").unwrap().unwrap();
    unknown.value[4] = 9;
    plant(engine.as_ref(), b"new", unknown);
    assert!(matches!(barrier.get(b"new"), Err(SealError::UnknownKey(9))));
}

#[test]
fn keyed_hashes_keep_contexts_and_stores_apart() {
    let (_, first, _) = memory();
    let (_, second, _) = memory();
    assert_eq!(first.blind(b"ab", b"c"), first.blind(b"ab", b"c"));
    assert_ne!(first.blind(b"ab", b"c"), first.blind(b"a", b"bc"));
    assert_ne!(first.blind(b"ab", b"c"), second.blind(b"ab", b"c"));
    assert_ne!(first.derived_key(b"a"), first.derived_key(b"b"));
}

#[test]
fn the_same_plaintext_twice_looks_different_and_sealing_adds_what_is_documented() {
    let (engine, barrier, _) = memory();
    write(&barrier, b"o", 1, b"same");
    let first = engine.get(b"o").unwrap().unwrap();
    write(&barrier, b"o", 1, b"same");
    let second = engine.get(b"o").unwrap().unwrap();
    assert_ne!(first, second);
    assert_eq!(first.value.len(), 4 + 33);
    assert_eq!(first.value[..5], [1, 0, 0, 0, 1], "format 1, record key 1");
}

#[test]
fn no_plaintext_and_no_key_reaches_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let root = RootKey::generate().unwrap();
    let canary = b"canary-3f9a2c-key-material";
    let engine = Arc::new(Sqlite::open(directory.path(), Durability::Full).unwrap());
    let barrier = Barrier::initialise(engine, &root, 0).unwrap();
    for version in 1..50 {
        write(&barrier, b"object", version, &canary.repeat(50));
    }
    let derived = barrier.derived_key(b"anything");
    let scan = || {
        let mut scanned = 0;
        for entry in directory.path().read_dir().unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|found| found == needle);
            assert!(!holds(canary) && !holds(root.bytes()) && !holds(derived.as_slice()));
            scanned += usize::from(holds(b"object"));
        }
        scanned
    };
    assert!(scan() > 0, "the scan sees what is there: keys of records are in the clear");
    drop(barrier);
    assert!(scan() > 0);
}

/// Every data directory that was ever written opens: this one is of the first formats of all.
#[test]
fn the_first_data_directory_still_opens() {
    let from = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/data-1"));
    let directory = tempfile::tempdir().unwrap();
    for name in ["claviger.db", "seal.key"] {
        std::fs::copy(from.join(name), directory.path().join(name)).unwrap();
    }
    let key_file = directory.path().join("seal.key");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key_file, private).unwrap();
    let root = super::super::KeyFile::new(key_file).read().unwrap();
    let engine = Arc::new(Sqlite::open(directory.path(), Durability::Full).unwrap());
    let barrier = Barrier::unseal(engine, &root).unwrap();
    assert_eq!(barrier.get(b"o-first").unwrap().unwrap().version, 3);
    assert_eq!(plain(&barrier, b"o-first"), b"sealed with record key 1");
    assert_eq!(plain(&barrier, b"o-second"), b"sealed with record key 2");
    assert_eq!(barrier.keys(&Range::prefix(b"x")).unwrap(), [b"x-mark"]);
    let blind = [89, 215, 28, 132, 107, 85, 15, 5, 117, 174, 86, 90, 83, 63, 56, 46];
    assert_eq!(barrier.blind(b"name", b"alpha"), blind);
    write(&barrier, b"o-third", 1, b"takes writes");
}

#[test]
fn a_sealed_barrier_reads_and_writes_nothing_for_whoever_still_holds_it() {
    let (engine, barrier, root) = memory();
    write(&barrier, b"o1", 1, b"secret");
    let hash = barrier.blind(b"role", b"name");
    barrier.seal();
    assert!(matches!(barrier.get(b"o1"), Err(SealError::Sealed)));
    assert!(matches!(barrier.scan(&Range::prefix(b"o")), Err(SealError::Sealed)));
    let put = vec![(b"o2".to_vec(), 1, Zeroizing::new(b"late".to_vec()))];
    let refused = barrier.commit(Changes { put, ..Changes::default() }).wait();
    assert!(matches!(refused, Err(CommitError::Unavailable)), "{refused:?}");
    assert!(engine.get(b"o2").unwrap().is_none());
    assert_ne!(barrier.blind(b"role", b"name"), hash);
    assert!(matches!(barrier.rotate(8), Err(SealError::Sealed)));
    let again = Barrier::unseal(engine, &root).unwrap();
    assert_eq!((plain(&again, b"o1"), again.active_key()), (b"secret".to_vec(), 1));
}
