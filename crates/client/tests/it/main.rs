//! Integration tests of claviger-client: real TLS over loopback, against a server that does what
//! each test says, down to single bytes.
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

mod answers;
mod scripted;

#[cfg(feature = "openssl")]
mod cbc;
mod client;
mod connection;
mod hang_up;
mod many;
mod negotiation;
#[cfg(feature = "tokio")]
mod pipelined;
mod real;
mod trust;
#[cfg(feature = "tokio")]
mod twin;
