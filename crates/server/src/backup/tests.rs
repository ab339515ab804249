//! A backup of a store in use, and what becomes of it with its seal and without.

use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use claviger_store::{Durability, Engine, Memory, Range, Sqlite};

use super::*;
use crate::seal::shamir::Share;
use crate::seal::{
    Barrier, Changes, Custodian, KeyFile, Opener, RootKey, SealConfig, SealError, deal,
};

const NOW: i64 = 1_800_000_000_000_000;

fn put(barrier: &Barrier, key: &[u8], plain: &[u8]) {
    let put = vec![(key.to_vec(), 1, plain.to_vec().into())];
    barrier.commit(Changes { put, ..Changes::default() }).wait().unwrap();
}

/// A store under three shares of which two unseal, with some records and index rows.
fn store(engine: Arc<dyn Engine>) -> (Barrier, Vec<Share>) {
    let root = RootKey::generate().unwrap();
    let barrier = Barrier::initialise(Arc::clone(&engine), &root, NOW).unwrap();
    let (seal_key, shares) = deal(3, 2).unwrap();
    SealConfig::shamir(3, 2, &seal_key, &root).unwrap().write(&*engine, None).unwrap();
    for number in 0..300 {
        put(&barrier, format!("o{number:04}").as_bytes(), format!("object {number}").as_bytes());
    }
    barrier.rotate(NOW).unwrap();
    put(&barrier, b"o9999", &vec![7; 3 << 20]);
    let marks = vec![b"x1".to_vec(), b"x2".to_vec()];
    barrier.commit(Changes { marks, ..Changes::default() }).wait().unwrap();
    (barrier, shares)
}

fn backup(barrier: &Barrier) -> Cursor<Vec<u8>> {
    let mut file = Vec::new();
    let written = write(barrier, NOW).unwrap()(&mut file).unwrap();
    assert_eq!(written.bytes, file.len() as u64);
    Cursor::new(file)
}

fn by_shares(shares: &[Share]) -> Opener {
    Opener::Shares(shares.to_vec())
}

fn key_file(path: &Path) -> Opener {
    Opener::Custodian(Custodian::KeyFile(KeyFile::new(path)))
}

fn is_empty(directory: &Path) -> bool {
    !directory.join("claviger.db").exists()
}

#[test]
fn a_backup_restores_with_its_seal_and_is_the_store_that_it_was() {
    let engine = Arc::new(Memory::new());
    let (barrier, shares) = store(engine.clone());
    let mut file = backup(&barrier);
    put(&barrier, b"o-later", b"not in it");
    let records = engine.snapshot().unwrap().scan(&Range::all()).unwrap();
    let records: Vec<_> = records.into_iter().filter(|(key, _)| key != b"o-later").collect();

    let said = verify(&mut file, None).unwrap();
    assert_eq!((said.created, said.records, said.opened), (NOW, records.len() as u64, false));
    assert_eq!(said.seal.as_ref().map(|seal| seal.threshold), Some(2));
    assert!(verify(&mut file, Some(&by_shares(&shares[1..]))).unwrap().opened);

    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("data");
    let restored = restore(&mut file, &by_shares(&shares[..2]), &directory, "seal.key").unwrap();
    assert_eq!((restored.records, restored.created), (records.len() as u64, NOW));
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let engine = Arc::new(Sqlite::open(&directory, Durability::Full).unwrap());
    assert_eq!(engine.scan(&Range::all()).unwrap(), records);
    let root = by_shares(&shares).open(said.seal.as_ref()).unwrap();
    let barrier = Barrier::unseal(engine, &root).unwrap();
    assert_eq!(barrier.get(b"o0007").unwrap().unwrap().bytes.as_slice(), b"object 7");
    assert_eq!(barrier.active_key(), 2);
}

#[test]
fn without_its_seal_a_backup_is_refused_by_name_and_nothing_is_restored() {
    let (barrier, shares) = store(Arc::new(Memory::new()));
    let (_, foreign) = store(Arc::new(Memory::new()));
    let mut file = backup(&barrier);
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("data");
    let other_key = place.path().join("other.key");
    KeyFile::new(&other_key).create().unwrap();
    let mixed = [shares[0].clone(), foreign[1].clone()];
    for (opener, problem) in [
        (by_shares(&shares[..1]), "it takes 2 key shares to open this store, and 1 are given"),
        (by_shares(&[]), "it takes 2 key shares to open this store, and 0 are given"),
        (by_shares(&foreign), "these key shares do not open this store"),
        (by_shares(&mixed), "these key shares do not open this store"),
        (key_file(&other_key), "the root key of this store is kept by key shares"),
    ] {
        for refused in [
            verify(&mut file, Some(&opener)).map(drop),
            restore(&mut file, &opener, &directory, "seal.key").map(drop),
        ] {
            assert_eq!(refused.unwrap_err().to_string(), format!("seal: {problem}"));
        }
    }
    assert!(is_empty(&directory));
}

#[test]
fn a_key_file_opens_the_backups_of_its_store_and_no_other() {
    let place = tempfile::tempdir().unwrap();
    let (right, wrong) = (place.path().join("right.key"), place.path().join("wrong.key"));
    let root = KeyFile::new(&right).create().unwrap();
    KeyFile::new(&wrong).create().unwrap();
    let barrier = Barrier::initialise(Arc::new(Memory::new()), &root, NOW).unwrap();
    put(&barrier, b"o1", b"secret");
    let mut file = backup(&barrier);
    let directory = place.path().join("data");
    let refused = restore(&mut file, &key_file(&wrong), &directory, "seal.key").unwrap_err();
    assert!(matches!(refused, BackupError::Seal(SealError::WrongRootKey)));
    let absent = place.path().join("absent.key");
    let refused = restore(&mut file, &key_file(&absent), &directory, "seal.key").unwrap_err();
    assert!(matches!(refused, BackupError::Seal(SealError::KeyFileMissing(_))));
    restore(&mut file, &key_file(&right), &directory, "seal.key").unwrap();
    let engine = Arc::new(Sqlite::open(&directory, Durability::Full).unwrap());
    let barrier = Barrier::unseal(engine, &root).unwrap();
    assert_eq!(barrier.get(b"o1").unwrap().unwrap().bytes.as_slice(), b"secret");
}

#[test]
fn only_an_empty_directory_is_restored_into() {
    let (barrier, shares) = store(Arc::new(Memory::new()));
    let mut file = backup(&barrier);
    let opener = by_shares(&shares);
    for name in ["claviger.db", "audit.log", "anything"] {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join(name), b"").unwrap();
        let refused = restore(&mut file, &opener, place.path(), "seal.key").unwrap_err();
        assert!(matches!(refused, BackupError::NotEmpty { name: found, .. } if found == name));
    }
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("seal.key"), b"").unwrap();
    // What a restore that was killed has left.
    std::fs::create_dir(place.path().join("claviger.db.draft")).unwrap();
    std::fs::write(place.path().join("claviger.db.draft/claviger.db"), b"half").unwrap();
    restore(&mut file, &opener, place.path(), "seal.key").unwrap();
    let again = restore(&mut file, &opener, place.path(), "seal.key").unwrap_err();
    assert!(matches!(again, BackupError::NotEmpty { .. }));
}

#[test]
fn what_was_put_together_by_somebody_else_is_refused() {
    let (barrier, shares) = store(Arc::new(Memory::new()));
    let mut file = Vec::new();
    let mut writer = container::Writer::begin(&mut file, NOW, 1).unwrap();
    // Every record is one of the store's, but an index row is missing.
    for (key, record) in barrier.engine().scan(&Range::all()).unwrap() {
        if key != b"x2" {
            writer.add(&key, &record).unwrap();
        }
    }
    writer.end(&[0; 32]).unwrap();
    let mut file = Cursor::new(file);
    verify(&mut file, None).unwrap();
    let refused = verify(&mut file, Some(&by_shares(&shares))).unwrap_err();
    assert!(matches!(refused, BackupError::Forged));
    let place = tempfile::tempdir().unwrap();
    let refused = restore(&mut file, &by_shares(&shares), place.path(), "seal.key").unwrap_err();
    assert!(matches!(refused, BackupError::Forged));
    assert!(is_empty(place.path()));
}

#[test]
fn a_backup_taken_under_load_is_one_moment() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Arc::new(Sqlite::open(directory.path(), Durability::Off).unwrap());
    let (barrier, shares) = store(engine);
    let barrier = Arc::new(barrier);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Two records that are always the same, far apart in the file.
            for number in 0..100_000u64 {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let changes = Changes {
                    put: [&b"a-first"[..], b"z-last"]
                        .map(|key| (key.to_vec(), 1, number.to_be_bytes().to_vec().into()))
                        .into(),
                    ..Changes::default()
                };
                barrier.commit(changes).wait().unwrap();
            }
        });
        for _ in 0..5 {
            let before = barrier.get(b"a-first").unwrap();
            let mut file = backup(&barrier);
            assert!(verify(&mut file, Some(&by_shares(&shares))).unwrap().opened);
            let mut found = Vec::new();
            verify::scan(&mut file, |key, record| {
                if [&b"a-first"[..], b"z-last"].contains(&key.as_slice()) {
                    found.push(barrier.open(key, record)?.bytes);
                }
                Ok(())
            })
            .unwrap();
            assert!(found.is_empty() || found[0] == found[1], "{found:?}");
            assert!(before.is_none_or(|it| *it.bytes <= *found[0]), "nothing durable lacks");
        }
        stop.store(true, Ordering::Relaxed);
    });
}
