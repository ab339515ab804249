//! For programs without a runtime: calls wait on the thread that makes them.
//!
//! [`Client`] is what most programs want. [`Session`] is one connection to one server in one
//! version, [`Connection`] the bytes below it.

mod client;
mod connection;
mod many;
mod permits;
pub(crate) mod resolve;
mod session;
mod stream;

pub use client::Client;
pub use connection::Connection;
pub use many::{AtOnce, Located};
pub use session::Session;

pub use crate::Timeouts;
