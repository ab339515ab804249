//! Backups of one node, and what moves between stores.
//!
//! A *backup* is a store as it is, records sealed: it needs the seal that it was taken under. An
//! *export* is what a store holds, under a passphrase: it can be imported under another seal. Both are
//! files of ours: `docs/formats.md` §11, §12. Never knows a message or a client.

mod container;
mod error;
mod export;
mod import;
mod kinds;
mod passphrase;
mod restore;
mod verify;
mod write;

pub use error::BackupError;
pub use export::{Source, export};
pub use import::import;
pub use passphrase::PASSPHRASE_BYTES_MIN;
pub use restore::{Restored, restore};
pub use verify::{Verified, verify};
pub use write::{Written, write};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod transfer_tests;
