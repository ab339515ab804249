//! Messages: headers and batch items (KMIP 2.1 §8, KMIP 1.4 §6 and §7).
//!
//! A message is read in two steps, so that an answer can echo what was readable: first the header
//! and the frame of each batch item ([`RequestMessage`], [`ResponseMessage`]), which borrow from
//! the bytes; then each payload, by whoever knows its operation.

mod header;
mod request;
mod response;

pub use header::{
    AsynchronousIndicator, Authentication, Credential, MessageExtension, ProtocolVersion,
    RequestHeader, ResponseHeader,
};
pub use request::{RefusedItem, RefusedMessage, RequestItem, RequestMessage, write_request};
pub use response::{ResponseItem, ResponseMessage};
