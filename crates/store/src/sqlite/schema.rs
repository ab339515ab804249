//! How the database file is opened: settings, schema, its version. `docs/formats.md` §1.

use super::Durability;
use super::directory::Directory;
use crate::error::OpenError;
use crate::record::Revision;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;
use std::time::Duration;

/// The schema this software writes and the newest it reads.
pub const SCHEMA_VERSION: i64 = 1;

/// "CLVG", in the database header: tells our files from any other SQLite database.
const APPLICATION_ID: i64 = 0x434c_5647;

const CREATE: &str = "
    CREATE TABLE record (
        id      INTEGER PRIMARY KEY,
        key     BLOB NOT NULL,
        version INTEGER NOT NULL,
        value   BLOB NOT NULL
    );
    CREATE UNIQUE INDEX record_key ON record (key);
    CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta (name, value) VALUES ('schema', 1), ('revision', 0);";

/// Opens the writer's connection; makes the schema in an empty file, and brings what a crash left in
/// the log into the database.
pub(crate) fn open(
    directory: &Directory,
    durability: Durability,
) -> Result<(Connection, Revision), OpenError> {
    let path = directory.database();
    if !path.exists() {
        directory.create_database()?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let refused = |error: rusqlite::Error| OpenError::Database {
        path: path.clone(),
        reason: error.to_string(),
    };
    let connection = Connection::open_with_flags(&path, flags).map_err(refused)?;
    prepare(&connection, durability).map_err(refused)?;
    if is_empty(&connection).map_err(refused)? {
        create(&connection).map_err(refused)?;
    }
    check(&connection, &path)?;
    recover(&connection).map_err(refused)?;
    let revision: i64 = connection
        .query_row("SELECT value FROM meta WHERE name = 'revision'", [], |row| row.get(0))
        .map_err(refused)?;
    Ok((connection, Revision(u64::try_from(revision).unwrap_or_default())))
}

/// What every connection is set to, readers too.
pub(crate) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // One plan per statement, whatever is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA wal_autocheckpoint = 0;",
    )
}

fn prepare(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    harden(connection)?;
    // Only readers can be in the writer's way, and only where a checkpoint would like them gone.
    connection.busy_timeout(Duration::from_millis(20))?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Off => "OFF",
    };
    // A log that grew in a burst is cut back to 32 MiB. The cache holds the inner pages of the key index
    // up to some ten million records; it fills only where there are as many.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 33554432;
         PRAGMA cache_size = -2048;"
    ))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {CREATE} COMMIT;"
    ))
}

fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let refused = |error: rusqlite::Error| OpenError::Database {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    let application: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(refused)?;
    if application != APPLICATION_ID {
        return Err(OpenError::NotOurs(path.to_path_buf()));
    }
    let found: Option<i64> = connection
        .query_row("SELECT value FROM meta WHERE name = 'schema'", [], |row| row.get(0))
        .optional()
        .map_err(refused)?;
    match found {
        Some(SCHEMA_VERSION) => Ok(()),
        Some(found) if found > SCHEMA_VERSION => Err(OpenError::NewerSchema {
            path: path.to_path_buf(),
            found,
            supported: SCHEMA_VERSION,
        }),
        _ => Err(OpenError::NotOurs(path.to_path_buf())),
    }
}

/// Moves the whole log into the database and empties it.
///
/// After a failed fsync the kernel may hold pages of the log that never reached the disk and never
/// will. Commits appended behind them would be lost with them, so the log starts afresh.
fn recover(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
