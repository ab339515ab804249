//! The barrier: everything below it sees ciphertext, everything above it plaintext.
//!
//! Root key (from a key file, shares, a token …) → keyring, a record sealed with the root key →
//! record keys, one of them active → records. Index keys carry keyed hashes whose key lives in the
//! keyring too and outlives every rotation.
//!
//! This module must never know what a record means, nor any front door. Bytes: `docs/formats.md` §2–4, §6.

mod barrier;
mod config;
mod custodian;
mod custody;
mod envelope;
mod error;
pub mod fault;
mod gathering;
mod key_file;
mod keyring;
mod kmip;
mod layout;
mod pkcs11;
pub mod shamir;

pub use barrier::{Barrier, Changes, Opened};
pub use config::{ByShares, SealConfig, SealKey, SealKind, deal};
pub use custodian::{Custodian, Opener};
pub use custody::{Custody, Dealt, Given, RekeyStatus, RekeyTerms, RootTokenStatus};
pub use error::SealError;
pub use gathering::Gathering;
pub use key_file::{KEY_FILE_BYTES, KeyFile};
pub use keyring::{RootKey, random_key};
pub use kmip::{Peer, PeerError, PeerOptions};
pub use pkcs11::{PinSource, Token, TokenError, TokenOptions};

pub use claviger_store::{
    Batch, Change, CommitError, Engine, Expect, Key, Pending, Put, Range, ReadError, Revision,
    Watch, WatchError,
};
