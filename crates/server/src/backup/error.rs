//! Why a backup is not written, not sound, or not restored.

use std::io;
use std::path::PathBuf;

use claviger_store::{CommitError, OpenError, ReadError};

use crate::seal::SealError;

/// A failure with a backup or an export. No variant carries a value or a key.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It does not begin as one of ours.
    #[error("this is not {0}")]
    NotOurs(&'static str),
    /// Written by newer software.
    #[error(
        "{what} has format {found}, which this version does not know; use the version that wrote it"
    )]
    Format {
        /// What was read.
        what: &'static str,
        /// Its version byte.
        found: u8,
    },
    /// A part of it is not what was written.
    #[error("it is damaged between bytes {from} and {to}")]
    Damaged {
        /// Where the part begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },
    /// Its end is missing.
    #[error("it ends after {0} bytes, before its end: it was cut off, or not written to its end")]
    CutOff(u64),
    /// Bytes after the end.
    #[error("there is something behind its end, at byte {0}")]
    Trailing(u64),
    /// Its parts are whole, but were not put together by the store that they come from.
    #[error("its parts are whole, but it was put together or changed by somebody else")]
    Forged,
    /// The passphrase gives another key than the one it was written under, or the file is damaged.
    #[error("this passphrase does not open it, or it is damaged at its beginning")]
    WrongPassphrase,
    /// Too easily guessed.
    #[error("a passphrase has at least 12 bytes")]
    ShortPassphrase,
    /// It opens, but is not what this software writes.
    #[error("it opens, but does not hold what it should: a defect of the version that wrote it")]
    Malformed,
    /// A record that no export knows what to do with.
    #[error("there is a record of kind {0:?}, which this version does not know")]
    UnknownKind(char),
    /// Something of it is in the store already.
    #[error("the store has a {} of the same name or identifier already: nothing is written over", what(*.0))]
    Conflict(char),
    /// The store that it was taken from was not initialised.
    #[error("it holds no keyring: it was taken from a store that was not initialised")]
    NoKeyring,
    /// The seal refuses.
    #[error("seal: {0}")]
    Seal(#[from] SealError),
    /// Something is in the data directory already.
    #[error("{}: a backup is restored into an empty directory only, and there is {name:?} in it", directory.display())]
    NotEmpty {
        /// The directory.
        directory: PathBuf,
        /// What is in it.
        name: String,
    },
    /// The storage refuses to open.
    #[error("storage: {0}")]
    Open(#[from] OpenError),
    /// The storage refuses to read.
    #[error("storage: {0}")]
    Read(#[from] ReadError),
    /// The storage refuses to write.
    #[error("storage: {0}")]
    Commit(#[from] CommitError),
}

/// What a kind of record is called.
fn what(kind: char) -> &'static str {
    match kind {
        'm' => "mount",
        'g' => "configuration of a mount",
        'a' | 'c' => "certificate authority",
        'l' => "listener",
        's' => "scope",
        'r' => "role",
        'e' => "credential",
        'p' => "policy",
        'o' | 'v' => "managed object",
        _ => "record",
    }
}
