//! The service in one process, over a store in memory, with a clock that the test moves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its functions that are no tests"
)]

mod audit;
mod conflict;
mod cryptography;
mod fixture;
mod handed_out;
mod import;
mod listener;
mod locate;
mod named;
mod replacement;
mod templates;
mod time;
mod undo;
mod vault_bugs;
