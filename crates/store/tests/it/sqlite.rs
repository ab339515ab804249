//! The SQLite engine: the contract, and what concerns its files.

use crate::contract::{Subject, contract, write};
use claviger_store::{
    DATABASE_FILE, Durability, Engine as _, OpenError, Range, SCHEMA_VERSION, Sqlite,
};
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

pub(crate) struct OnDisk(TempDir);

impl Subject for OnDisk {
    type Store = Sqlite;

    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(self.0.path(), Durability::Full).unwrap()
    }

    fn reopen(&self, store: Sqlite) -> Sqlite {
        drop(store);
        self.open()
    }
}

contract!(OnDisk);

fn sql(directory: &TempDir, sql: &str) {
    let connection = rusqlite::Connection::open(directory.path().join(DATABASE_FILE)).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn a_directory_belongs_to_one_store_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/demand");
    let store = Sqlite::open(&path, Durability::Full).unwrap();
    let second = Sqlite::open(&path, Durability::Full);
    assert!(matches!(second, Err(OpenError::InUse(_))));
    let snapshot = store.snapshot().unwrap();
    drop(store);
    let second = Sqlite::open(&path, Durability::Full);
    assert!(matches!(second, Err(OpenError::InUse(_))), "a snapshot still reads it");
    drop(snapshot);
    Sqlite::open(&path, Durability::Full).unwrap();
}

#[test]
fn only_the_owner_may_read_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let store = Sqlite::open(&path, Durability::Full).unwrap();
    store.commit(write(b"a", 1, b"")).wait().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = path.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "database, log, log index, lock: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(Sqlite::open(directory.path(), Durability::Full).unwrap());
    sql(&directory, "UPDATE meta SET value = value + 1 WHERE name = 'schema'");
    let before = std::fs::read(directory.path().join(DATABASE_FILE)).unwrap();
    match Sqlite::open(directory.path(), Durability::Full) {
        Err(OpenError::NewerSchema { found, supported, .. }) => {
            assert_eq!((found, supported), (SCHEMA_VERSION + 1, SCHEMA_VERSION));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(directory.path().join(DATABASE_FILE)).unwrap(), before);
}

#[test]
fn someone_elses_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    sql(&directory, "CREATE TABLE theirs (x)");
    let refused = Sqlite::open(directory.path(), Durability::Full);
    assert!(matches!(refused, Err(OpenError::NotOurs(_))), "{refused:?}");
    std::fs::write(directory.path().join(DATABASE_FILE), [7; 5000]).unwrap();
    let refused = Sqlite::open(directory.path(), Durability::Full);
    assert!(matches!(refused, Err(OpenError::Database { .. })), "{refused:?}");
}

/// The log is moved into the database while readers read and a snapshot is open, and does not grow
/// without bound once the snapshot is gone.
#[test]
fn the_log_stays_bounded() {
    let subject = OnDisk::new();
    let store = subject.open();
    let log = subject.0.path().join(format!("{DATABASE_FILE}-wal"));
    let snapshot = store.snapshot().unwrap();
    let mut version = 0;
    let mut burst = || {
        for key in 0..600_u32 {
            version += 1;
            // SQLite does not write a page that stays the same.
            let batch = write(&key.to_be_bytes(), version, &[version as u8; 16_000]);
            drop(store.commit(batch));
        }
        store.commit(write(b"last", version, b"")).wait().unwrap();
        log.metadata().unwrap().len()
    };
    let held: Vec<u64> = (0..2).map(|_| burst()).collect();
    assert!(held[1] > held[0] + (8 << 20), "the snapshot keeps the log: {held:?}");
    drop(snapshot);
    let free: Vec<u64> = (0..8).map(|_| burst()).collect();
    assert!(free.iter().all(|length| *length <= 44 << 20), "{free:?}");
    assert_eq!(store.scan(&Range::all()).unwrap().len(), 601);
}

/// A copy of the files as they lie, taken while the store is open, is what a kill -9 leaves.
#[test]
fn a_store_that_was_killed_opens_again_with_all_that_was_acknowledged() {
    let subject = OnDisk::new();
    let store = subject.open();
    for key in 0..200_u32 {
        store.commit(write(&key.to_be_bytes(), 1, &[7; 500])).wait().unwrap();
    }
    let copy = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("{DATABASE_FILE}{suffix}");
        std::fs::copy(subject.0.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let again = Sqlite::open(copy.path(), Durability::Full).unwrap();
    assert_eq!(again.scan(&Range::all()).unwrap(), store.scan(&Range::all()).unwrap());
    let log = copy.path().join(format!("{DATABASE_FILE}-wal"));
    assert_eq!(log.metadata().unwrap().len(), 0, "the old log is not appended to");
}
