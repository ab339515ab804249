//! The one thread that writes: takes what has queued up, applies it in one transaction, syncs once,
//! then answers everyone. It alone checkpoints.

use crate::change::{Change, Feed};
use crate::error::CommitError;
use crate::pending::Completion;
use crate::record::{Batch, Key, Revision};
use crate::sqlite::queue::{Job, Queue};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use std::sync::Arc;
use std::time::Instant;

/// Log pages (of 4 KiB) written between two moves of the log into the database: keyed hashes hit
/// pages at random, and each is moved once however often it was written.
const LOG_PAGES_CHECKPOINT: i64 = 4000;
/// Log pages after which that waits for readers, so that the log starts over instead of growing.
const LOG_PAGES_RESTART: i64 = 24_000;

const VERSION: &str = "SELECT version FROM record WHERE key = ?1";
const PUT: &str = "INSERT INTO record (key, version, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value";
const DELETE: &str = "DELETE FROM record WHERE key = ?1";
const REVISION: &str = "UPDATE meta SET value = ?1 WHERE name = 'revision'";

/// The writer's own state.
pub(crate) struct Writer {
    connection: Connection,
    feed: Arc<Feed>,
    revision: Revision,
    log: Log,
    /// Set by a storage fault: no write is tried again in this process.
    stopped: bool,
}

/// When to move the log into the database.
struct Log {
    /// Its length after the last commit, in pages.
    pages: i64,
    /// The length at which it is moved.
    checkpoint_at: i64,
}

/// A batch of the open transaction.
enum Applied {
    Changed(Change),
    Unchanged,
    Conflict(Key),
}

impl Writer {
    pub(crate) fn new(connection: Connection, feed: Arc<Feed>, revision: Revision) -> Self {
        let log = Log { pages: 0, checkpoint_at: LOG_PAGES_CHECKPOINT };
        Self { connection, feed, revision, log, stopped: false }
    }

    /// Until the engine is dropped and the queue is empty.
    pub(crate) fn run(mut self, mut queue: Queue) {
        while let Some(group) = queue.next_group() {
            if self.stopped {
                for job in group {
                    job.completion.resolve(Err(CommitError::Unavailable));
                }
                continue;
            }
            self.commit(group, &mut queue);
            self.checkpoint();
        }
    }

    /// One transaction, one sync, for the whole group.
    fn commit(&mut self, group: Vec<Job>, queue: &mut Queue) {
        let started = Instant::now();
        let mut waiting = Vec::with_capacity(group.len());
        let mut batches = Vec::with_capacity(group.len());
        for job in group {
            waiting.push(job.completion);
            batches.push(job.batch);
        }
        let transacted = self.transact(batches);
        queue.committed(waiting.len(), started.elapsed());
        match transacted {
            Ok((revision, applied)) => self.acknowledge(revision, waiting, applied),
            Err(error) => self.fail(&error, waiting),
        }
    }

    fn transact(&self, batches: Vec<Batch>) -> rusqlite::Result<(Revision, Vec<Applied>)> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut revision = self.revision;
        let mut applied = Vec::with_capacity(batches.len());
        for batch in batches {
            applied.push(self.apply(batch, &mut revision)?);
        }
        if revision != self.revision {
            let value = i64::try_from(revision.0).unwrap_or(i64::MAX);
            self.connection.prepare_cached(REVISION)?.execute([value])?;
        }
        self.connection.execute_batch("COMMIT")?;
        Ok((revision, applied))
    }

    /// All expectations are checked before the first write, and no write of a batch can fail on its
    /// own account: a conflict leaves nothing to roll back and the rest of the group untouched.
    fn apply(&self, batch: Batch, revision: &mut Revision) -> rusqlite::Result<Applied> {
        let mut version = self.connection.prepare_cached(VERSION)?;
        for (key, expect) in &batch.expect {
            let found: Option<i64> = version.query_row([key], |row| row.get(0)).optional()?;
            let found = found.map(|version| u64::try_from(version).unwrap_or_default());
            if !expect.holds(found) {
                return Ok(Applied::Conflict(key.clone()));
            }
        }
        if batch.is_read_only() {
            return Ok(Applied::Unchanged);
        }
        let mut write = self.connection.prepare_cached(PUT)?;
        for put in &batch.put {
            let version = i64::try_from(put.version).unwrap_or(i64::MAX);
            write.execute((&put.key, version, &put.value))?;
        }
        let mut delete = self.connection.prepare_cached(DELETE)?;
        for key in &batch.delete {
            delete.execute([key])?;
        }
        *revision = revision.next();
        Ok(Applied::Changed(Change::of(*revision, batch)))
    }

    /// Watchers learn of a change before the one who made it does.
    fn acknowledge(&mut self, revision: Revision, waiting: Vec<Completion>, applied: Vec<Applied>) {
        let mut at = self.revision;
        self.revision = revision;
        let mut changes = Vec::with_capacity(applied.len());
        let mut outcomes = Vec::with_capacity(applied.len());
        for applied in applied {
            outcomes.push(match applied {
                Applied::Changed(change) => {
                    at = change.revision;
                    changes.push(change);
                    Ok(at)
                }
                Applied::Unchanged => Ok(at),
                Applied::Conflict(key) => Err(CommitError::Conflict { key }),
            });
        }
        if !changes.is_empty() {
            self.feed.publish(changes);
        }
        for (completion, outcome) in waiting.into_iter().zip(outcomes) {
            completion.resolve(outcome);
        }
    }

    /// A full disk costs the group and no more. After anything else the state of the log on the disk
    /// is unknown: writing on could bury acknowledged commits behind pages that were never stored.
    fn fail(&mut self, error: &rusqlite::Error, waiting: Vec<Completion>) {
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        let clean =
            self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        let outcome = if full && clean {
            tracing::error!("storage is full: {} commits refused", waiting.len());
            CommitError::Full
        } else {
            self.stop(error);
            CommitError::Failed(error.to_string())
        };
        for completion in waiting {
            completion.resolve(Err(outcome.clone()));
        }
    }

    fn stop(&mut self, error: &rusqlite::Error) {
        self.stopped = true;
        tracing::error!("storage failed, no more writes until a restart: {error}");
        // Closing must not write either. If this is refused, the fault has already been reported.
        drop(self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
    }

    /// Moves the log into the database when it has grown enough.
    fn checkpoint(&mut self) {
        if self.stopped {
            return;
        }
        // NOOP only reports how long the log is.
        let Ok(pages) = self.log_pages("NOOP") else { return };
        if pages < self.log.pages {
            self.log.checkpoint_at = LOG_PAGES_CHECKPOINT;
        }
        self.log.pages = pages;
        if pages < self.log.checkpoint_at {
            return;
        }
        // A log that a reader still needs cannot start over and grows on: not to be tried at every
        // commit.
        self.log.checkpoint_at = pages.saturating_add(LOG_PAGES_CHECKPOINT);
        let mode = if pages < LOG_PAGES_RESTART { "PASSIVE" } else { "RESTART" };
        match self.log_pages(mode) {
            Ok(_) => {}
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                tracing::warn!("storage is full: the log cannot be moved into the database yet");
            }
            Err(error) => self.stop(&error),
        }
    }

    /// Runs a checkpoint; returns the pages in the log.
    fn log_pages(&self, mode: &str) -> rusqlite::Result<i64> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(1))
    }
}
