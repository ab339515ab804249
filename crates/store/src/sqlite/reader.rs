//! Reader connections: handed out one to a caller, kept open for the next. They never write and
//! never checkpoint.

use super::directory::Directory;
use super::schema::harden;
use crate::engine::Snapshot;
use crate::error::ReadError;
use crate::range::Range;
use crate::record::{Key, Record, Revision};
use rusqlite::config::DbConfig;
use rusqlite::types::ToSql;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Reader connections open at once, snapshots not counted, are as many as processors, within these.
/// More callers wait: a read takes microseconds and there is no processor left to run it on.
const READERS_MIN: usize = 2;
const READERS_MAX: usize = 16;
/// How long a read waits for a moment in which the log's index is being rebuilt.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const GET: &str = "SELECT version, value FROM record WHERE key = ?1";

/// The pool.
#[derive(Debug)]
pub(crate) struct Readers {
    /// Kept locked while any connection may be open.
    directory: Arc<Directory>,
    open_max: usize,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
    /// Callers that wait for a connection: only then is a return worth a system call.
    waiting: usize,
    closed: bool,
}

impl Readers {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        let processors = std::thread::available_parallelism().map_or(READERS_MIN, usize::from);
        let open_max = processors.clamp(READERS_MIN, READERS_MAX);
        Self { directory, open_max, state: Mutex::default(), returned: Condvar::new() }
    }

    /// A connection, given back when the reader is dropped.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Reader, ReadError> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(ReadError::Closed);
            }
            if let Some(connection) = state.idle.pop() {
                return Ok(Reader { pool: Arc::clone(self), connection: Some(connection) });
            }
            if state.open < self.open_max {
                state.open = state.open.saturating_add(1);
                break;
            }
            state.waiting = state.waiting.saturating_add(1);
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting = state.waiting.saturating_sub(1);
        }
        drop(state);
        // From here the reader's drop gives the place back, connection or not.
        let mut reader = Reader { pool: Arc::clone(self), connection: None };
        reader.connection = Some(self.connect()?);
        Ok(reader)
    }

    /// A connection of its own that stays at the moment of this call.
    pub(crate) fn snapshot(self: &Arc<Self>) -> Result<Frozen, ReadError> {
        if self.lock().closed {
            return Err(ReadError::Closed);
        }
        let connection = self.connect()?;
        let revision: i64 = connection
            .execute_batch("BEGIN")
            .and_then(|()| {
                let sql = "SELECT value FROM meta WHERE name = 'revision'";
                connection.query_row(sql, [], |row| row.get(0))
            })
            .map_err(failed)?;
        let revision = Revision(u64::try_from(revision).unwrap_or_default());
        Ok(Frozen { revision, connection, _pool: Arc::clone(self) })
    }

    /// No reader is handed out any more; waits until those at work are back.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        while state.open > state.idle.len() {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle.clear();
        state.open = 0;
    }

    fn connect(&self) -> Result<Connection, ReadError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(self.directory.database(), flags).map_err(failed)?;
        harden(&connection)
            .and_then(|()| connection.busy_timeout(BUSY_TIMEOUT))
            .and_then(|()| {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            })
            .and_then(|_| connection.execute_batch("PRAGMA cache_size = -512"))
            .map_err(failed)?;
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of the pool, in use.
pub(crate) struct Reader {
    pool: Arc<Readers>,
    connection: Option<Connection>,
}

impl Reader {
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
        get(self.connection.as_ref().ok_or(ReadError::Closed)?, key)
    }

    pub(crate) fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
        scan(self.connection.as_ref().ok_or(ReadError::Closed)?, range)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let mut state = self.pool.lock();
        match connection {
            Some(connection) => state.idle.push(connection),
            None => state.open = state.open.saturating_sub(1),
        }
        let (closed, waiting) = (state.closed, state.waiting);
        drop(state);
        if closed {
            self.pool.returned.notify_all();
        } else if waiting > 0 {
            self.pool.returned.notify_one();
        }
    }
}

/// A moment frozen: a read transaction that stays open.
pub(crate) struct Frozen {
    revision: Revision,
    connection: Connection,
    /// Keeps the directory locked for as long as the database is open.
    _pool: Arc<Readers>,
}

impl Snapshot for Frozen {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
        get(&self.connection, key)
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
        scan(&self.connection, range)
    }
}

fn get(connection: &Connection, key: &[u8]) -> Result<Option<Record>, ReadError> {
    let mut statement = connection.prepare_cached(GET).map_err(failed)?;
    statement.query_row([key], |row| record(row, 0)).optional().map_err(failed)
}

fn scan(connection: &Connection, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let sql = match (range.end.is_some(), range.reverse) {
        (true, false) => {
            "SELECT key, version, value FROM record WHERE key >= ?1 AND key < ?3 ORDER BY key LIMIT ?2"
        }
        (true, true) => {
            "SELECT key, version, value FROM record WHERE key >= ?1 AND key < ?3 ORDER BY key DESC LIMIT ?2"
        }
        (false, false) => {
            "SELECT key, version, value FROM record WHERE key >= ?1 ORDER BY key LIMIT ?2"
        }
        (false, true) => {
            "SELECT key, version, value FROM record WHERE key >= ?1 ORDER BY key DESC LIMIT ?2"
        }
    };
    let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
    let mut bindings: Vec<&dyn ToSql> = vec![&range.start, &limit];
    if let Some(end) = &range.end {
        bindings.push(end);
    }
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement
        .query_map(bindings.as_slice(), |row| Ok((row.get(0)?, record(row, 1)?)))
        .map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

fn record(row: &Row<'_>, first: usize) -> rusqlite::Result<Record> {
    let version: i64 = row.get(first)?;
    let value = row.get(first.saturating_add(1))?;
    Ok(Record { version: u64::try_from(version).unwrap_or_default(), value })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn failed(error: rusqlite::Error) -> ReadError {
    ReadError::Failed(error.to_string())
}
