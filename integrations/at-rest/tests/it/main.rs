//! Integration tests of claviger-at-rest: the library in this process, the real server behind a
//! port that does to the bytes in between what a network may do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what went wrong by panicking; clippy.toml covers only #[test] functions"
)]

#[path = "../../../../tests/servers/process.rs"]
mod process;

mod proxy;
mod world;

mod failover;
mod faults;
mod matrix;
mod polling;
