//! Integration tests of claviger-client: real TLS over loopback, against a server that answers
//! from a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking; clippy.toml covers only #[test] functions"
)]

mod connection;
mod scripted;
