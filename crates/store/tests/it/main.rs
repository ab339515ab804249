//! One contract, every engine; then what only SQLite or only the memory engine promises.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails is to stop where it fails"
)]

mod contract;
mod memory;
mod model;
mod powerloss;
mod sqlite;
