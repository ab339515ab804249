//! KMIP's TTLV encoding: tag, type, length, value.
//!
//! This crate knows how the bytes are laid out (KMIP 2.1 §9.1, KMIP 1.4 §9.1) and nothing of what
//! they mean: no tag has a name here, names come in through the [`Names`] trait.
//!
//! - [`Message`] proves that bytes are one well-formed item within [`Limits`]; [`Reader`] and
//!   [`Item`] then walk it without copying.
//! - [`Writer`] appends items to one buffer and patches the length of a structure when it ends.
//! - [`Node`] is an owned tree, for the encodings that people read: XML, JSON and text.

mod error;
mod item;
mod limits;
mod reader;
mod tag;
mod writer;

pub use error::{Error, ErrorKind};
pub use item::Item;
pub use limits::{FrameLength, Limits, frame_length};
pub use reader::{Message, Reader};
pub use tag::{ItemType, Tag};
pub use writer::{Mark, Writer};
