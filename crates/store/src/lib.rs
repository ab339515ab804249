//! Where bytes rest: one ordered key/value trait, [`Engine`], its engines, and the rules all of them keep.
//!
//! Keys and values are opaque here. This crate must never know what a managed object, a scope or a
//! cipher is: everything it is handed has been sealed above it. It spawns no async runtime,
//! and no outcome depends on a clock, so that the memory engine can run inside a deterministic
//! simulation.
//!
//! Bytes on disk: `docs/formats.md` §1.

mod change;
mod engine;
mod error;
mod memory;
mod pending;
mod range;
mod record;
mod sqlite;

pub use change::{Change, Changed, Watch};
pub use engine::{Engine, Snapshot};
pub use error::{CommitError, Limit, OpenError, ReadError, WatchError};
pub use memory::{Faults, Memory};
pub use pending::Pending;
pub use range::Range;
pub use record::{
    BATCH_BYTES_MAX, BATCH_ROWS_MAX, Batch, Expect, KEY_BYTES_MAX, Key, Put, Record, Revision,
    VALUE_BYTES_MAX,
};
pub use sqlite::{
    DATABASE_FILE, DRAFT_DIRECTORY, Draft, Durability, LOCK_FILE, SCHEMA_VERSION, Sqlite,
    make_directory,
};
