//! Integration tests of claviger-kmip.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test says what went wrong by panicking; clippy.toml covers only #[test] functions"
)]

mod cases;
mod corpora;
mod encodings;
mod gating;
mod oasis;
mod operations;
mod quirks;
mod tables;
