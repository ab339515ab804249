//! The barrier: everything below it sees ciphertext, everything above it plaintext.
//!
//! Root key (from a key file, shares, a token …) → keyring, a record sealed with the root key →
//! record keys, one of them active → records. Index keys carry keyed hashes whose key lives in the
//! keyring too and outlives every rotation.
//!
//! This module must never know what a record means, nor any front door. Bytes: `docs/formats.md` §2–4, §6.

mod barrier;
mod envelope;
mod error;
mod key_file;
mod keyring;
mod layout;

pub use barrier::{Barrier, Changes, Opened};
pub use error::SealError;
pub use key_file::{KEY_FILE_BYTES, KeyFile};
pub use keyring::RootKey;

pub use claviger_store::{
    Change, CommitError, Engine, Expect, Key, Pending, Range, ReadError, Revision, Watch,
    WatchError,
};
