//! For asynchronous programs on tokio: the same as [`blocking`](crate::blocking), awaited.

mod client;
mod connection;
#[cfg(feature = "openssl")]
mod openssl;
mod pipe;
mod pipelined;
mod session;
mod socket;
mod stream;

pub use client::Client;
pub use connection::Connection;
pub use pipelined::PipelinedClient;
pub use session::Session;
