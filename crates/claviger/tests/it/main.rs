//! Integration tests of the command line: the real program as a user runs it, against a server
//! that is the same program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking; clippy.toml covers only #[test] functions"
)]

mod administration;
mod audit;
mod bench;
mod conformance;
mod decode;
mod engine;
mod login;
mod objects;
mod program;
mod scripted;
mod server;
mod terminal;
mod token;
