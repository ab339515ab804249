//! KMIP's TTLV encoding: tag, type, length, value.
//!
//! This crate knows how the bytes are laid out (KMIP 2.1 §9.1, KMIP 1.4 §9.1) and nothing of what
//! they mean: no tag has a name here, names come in through the [`Names`] trait.
//!
//! - [`Message`] proves that bytes are one well-formed item within [`Limits`]; [`Reader`] and
//!   [`Item`] then walk it without copying.
//! - [`Writer`] appends items to one buffer and patches the length of a structure when it ends.
//! - [`Node`] is an owned tree, for the encodings that people read: XML, JSON and text.

mod date;
mod error;
mod item;
pub mod json;
mod layout;
mod limits;
mod names;
mod node;
mod parse_error;
mod reader;
mod scalar;
mod tag;
pub mod text;
mod writer;
pub mod xml;

pub use error::{Error, ErrorKind};
pub use item::Item;
pub use layout::Layout;
pub use limits::{FrameLength, Limits, frame_length};
pub use names::{Names, NoNames, Siblings};
pub use node::{Node, Value};
pub use parse_error::{ParseError, ParseErrorKind};
pub use reader::{Message, Reader};
pub use tag::{ItemType, Tag};
pub use writer::{Mark, Writer};
