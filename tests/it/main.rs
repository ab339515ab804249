//! Everything that can only be shown with the whole server: the real binary, its real ports, real clients.
//!
//! First the tools, which know nothing of the server but its command line and its wires; then the tests, one module
//! per thing that must hold. `tests/README.md` says how to run them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking; the server's own crates may not"
)]

#[path = "../servers/address.rs"]
mod address;
mod api;
mod data;
mod hex;
mod kmip;
mod pykmip;
mod server;
mod tls;
mod ttlv;

mod at_rest;
mod at_rest_faults;
mod at_rest_kills;
mod at_rest_run;
mod bad_input;
mod bao;
mod batches;
mod clients;
mod conformance;
mod crash;
mod credentials;
mod custody;
mod doctor;
mod documents;
mod fixtures;
mod gating;
mod holders;
mod interop;
mod killed;
mod leaks;
mod lifecycle;
mod mariadb;
mod mysql;
mod packages;
mod power;
mod recorded;
mod revocation;
mod s3;
mod s3_upstream;
mod samples;
mod seal_kmip;
mod secrets;
mod sequences;
mod smoke;
mod tidy;
mod trace;
mod unique_names;
mod vault_api;
mod zenko;
