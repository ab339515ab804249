//! Integration tests of claviger-s3: the driver against real Claviger servers (`CLAVIGER_BIN`, or what cargo built beside
//! this test), through hosts that count requests, lose answers, fall silent and die.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test says what went wrong by panicking; clippy.toml covers only #[test] functions"
)]

#[path = "../../../../tests/servers/process.rs"]
mod process;

mod claviger;
mod host;

mod arsenal;
mod driver;
mod faults;
mod program;
