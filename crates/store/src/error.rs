//! What can go wrong in a store, one enum per kind of call, branched on what the caller may do next.
//! No variant carries a value: those are sealed records.

use crate::record::Key;
use std::path::PathBuf;

/// A read did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The storage below refused; the text is the engine's own.
    #[error("storage cannot be read: {0}")]
    Failed(String),
    /// The engine has been closed (or has crashed, in simulation).
    #[error("storage is closed")]
    Closed,
}

/// A commit did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// An expectation did not hold. Nothing was written; read again and retry.
    #[error("another change came first")]
    Conflict {
        /// The key of the first expectation that failed.
        key: Key,
    },
    /// The batch is larger than what an engine takes, or the queue is full. Nothing was written.
    #[error("storage limit reached: {0}")]
    Limit(Limit),
    /// No space left. Nothing was written; later commits are tried again.
    #[error("storage is full")]
    Full,
    /// A storage fault hit this commit: whether it survives is known only after a restart.
    #[error("storage failed while committing: {0}")]
    Failed(String),
    /// An earlier storage fault stopped all writes until a restart. Nothing was written.
    #[error("storage takes no writes until a restart, since an earlier commit failed")]
    Unavailable,
}

/// Which limit a commit ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// A key is longer than [`crate::KEY_BYTES_MAX`].
    #[error("a key is too long")]
    KeyBytes,
    /// A value is longer than [`crate::VALUE_BYTES_MAX`].
    #[error("a value is too long")]
    ValueBytes,
    /// More rows than [`crate::BATCH_ROWS_MAX`].
    #[error("a batch has too many rows")]
    BatchRows,
    /// More bytes than [`crate::BATCH_BYTES_MAX`].
    #[error("a batch has too many bytes")]
    BatchBytes,
    /// A record version above `i64::MAX`.
    #[error("a record version is too large")]
    Version,
    /// Too many commits wait already.
    #[error("too many commits are waiting")]
    Queue,
}

/// A watch cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// Changes were missed: the watcher must forget all it derived and watch anew.
    #[error("changes were missed")]
    Lost,
    /// The engine has been closed.
    #[error("storage is closed")]
    Closed,
}

/// A store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or directory could not be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has the directory open.
    #[error("{}: in use by another process", .0.display())]
    InUse(PathBuf),
    /// Written by newer software, which knows a format this one does not.
    #[error("{}: schema {found} is newer than {supported}, the newest this version knows; use the version that wrote it", path.display())]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// What the file says.
        found: i64,
        /// What this software writes.
        supported: i64,
    },
    /// A database, but not one of ours.
    #[error("{}: not a Claviger database", .0.display())]
    NotOurs(PathBuf),
    /// The database itself refused.
    #[error("{}: {reason}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The engine's own words.
        reason: String,
    },
}
