//! A KMIP client.
//!
//! - [`Batch`], [`Outgoing`] and [`Replies`] are the core: they make and read bytes and do no
//!   IO. Whoever wants another transport uses them alone.
//! - [`blocking::Connection`] speaks over one TLS connection from any thread.
//! - [`tokio::Connection`] (feature `tokio`) does the same in an asynchronous program and can
//!   have several requests under way.
//! - [`tls`] sets TLS up, for both.
//!
//! Nothing here retries, pools or chooses a server: one connection does what it is told, and an
//! [`Error`] says who is to blame when it could not.

pub mod blocking;
mod endpoint;
mod error;
mod inbox;
mod reply;
mod request;
pub mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use endpoint::{Endpoint, PORT};
pub use error::{Error, Malformed, Refusal};
pub use inbox::Inbox;
pub use reply::{Answer, Replies};
pub use request::{Batch, Expected, Outgoing, Slot};
