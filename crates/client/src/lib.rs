//! A KMIP client, for KMIP 1.0 to 2.1.
//!
//! - [`blocking::Client`] is what most programs want: several servers, fail-over, a pool of
//!   connections, and a call for every operation. It needs no runtime.
//! - `tokio::Client` (feature `tokio`) does the same in an asynchronous program.
//! - [`blocking::Session`] and [`blocking::Connection`] are one connection each, for whoever wants
//!   to decide for themselves.
//! - [`Batch`], [`Outgoing`] and [`Replies`] are the core: they make and read bytes and do no
//!   IO. Whoever wants another transport uses them alone.
//! - [`tls`] sets TLS up; [`requests`] makes the usual requests; the types of what is sent and
//!   answered are those of [`claviger_kmip`].
//!
//! What happens when something fails is decided in three places: [`Error`] says who is to blame,
//! [`Repeat`] which operations may be asked again after a lost answer, and [`Failover`] when
//! another server is asked. An answer is final, even a refusal.

pub mod blocking;
mod dialect;
mod endpoint;
mod error;
mod inbox;
mod negotiation;
mod options;
mod repeat;
mod reply;
mod request;
pub mod requests;
mod servers;
mod shelf;
mod state;
mod timeouts;
pub mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;
mod window;

pub use dialect::{Dialect, Versions};
pub use endpoint::{Endpoint, PORT};
pub use error::{Error, Malformed, Refusal, ServerFailure};
pub use inbox::Inbox;
pub use options::{Backoff, Event, Observer, Options, Order, Pool};
pub use repeat::Repeat;
pub use reply::{Answer, Replies};
pub use request::{Batch, Expected, Outgoing, Slot};
pub use servers::Failover;
pub use timeouts::{Step, Timeouts};
pub use window::Depth;

/// The types of what is sent and answered, in the version that this crate speaks of.
pub use claviger_kmip;
/// What a password is kept in: wiped when it is dropped.
pub use zeroize::Zeroizing;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
