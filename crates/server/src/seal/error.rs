//! Why something stays sealed. No variant carries a value or a key.

use super::shamir::ShamirError;
use super::{PeerError, SealKind, TokenError};
use claviger_store::{CommitError, ReadError};
use std::path::PathBuf;

/// A failure at the barrier.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The storage below did not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The storage below did not take a change of the keyring.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A record is not what was written under its key and version: changed, swapped or rotten.
    #[error("a record of kind {kind:?} is damaged or was tampered with")]
    Damaged {
        /// The first byte of its key.
        kind: Option<char>,
    },
    /// A record, the keyring or a key file has a format this software does not know.
    #[error(
        "{what} has format {found}, which this version does not know; use the version that wrote it"
    )]
    Format {
        /// What was read.
        what: &'static str,
        /// Its version byte.
        found: u8,
    },
    /// A record was sealed with a key that the keyring does not hold.
    #[error("a record was sealed with record key {0}, which the keyring does not hold")]
    UnknownKey(u32),
    /// The root key does not open the keyring.
    #[error("this key does not open this store")]
    WrongRootKey,
    /// What shares combine to does not open the root key.
    #[error("these key shares do not open this store")]
    WrongSealKey,
    /// More shares are needed.
    #[error("it takes {needed} key shares to open this store, and {given} are given")]
    TooFewShares {
        /// How many there are.
        given: usize,
        /// How many it takes.
        needed: u8,
    },
    /// A secret is not shared, or shares do not combine.
    #[error(transparent)]
    Shamir(#[from] ShamirError),
    /// Somebody else keeps the root key than who was asked.
    #[error("the root key of this store is kept by {0}")]
    KeptOtherwise(SealKind),
    /// Another such attempt has begun and not ended.
    #[error("one is in progress already")]
    UnderWay,
    /// There is no such attempt, or it has another nonce.
    #[error("none is in progress under this nonce")]
    NotUnderWay,
    /// A PKCS#11 token refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Another KMIP server refused or did not answer.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The barrier has been sealed.
    #[error("the server is sealed")]
    Sealed,
    /// The store holds no keyring.
    #[error("the store has not been initialised")]
    NotInitialised,
    /// The store holds a keyring already.
    #[error("the store has been initialised already")]
    Initialised,
    /// The store was initialised, but its key file is gone.
    #[error("{}: the key file of an initialised store is missing; restore it from a backup", .0.display())]
    KeyFileMissing(PathBuf),
    /// Others than the owner may use the key file.
    #[error("{}: readable or writable by others (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    KeyFilePermissions {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file is not one, or is damaged.
    #[error("{}: not a key file, or damaged", .0.display())]
    KeyFileDamaged(PathBuf),
    /// The key file cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The cryptographic library refused; in practice no randomness.
    #[error("the cryptographic library failed")]
    Crypto,
}

impl SealError {
    pub(super) fn damaged(key: &[u8]) -> Self {
        Self::Damaged { kind: key.first().map(|kind| char::from(*kind)) }
    }
}

impl From<aws_lc_rs::error::Unspecified> for SealError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}
