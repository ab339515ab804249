//! What can be wrong with TTLV bytes.

use std::fmt;

use crate::{ItemType, Tag};

/// Why bytes were refused, and in which item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The item that was being read, if its header could be read.
    pub tag: Option<Tag>,
    /// What is wrong with it.
    pub kind: ErrorKind,
}

/// The ways in which an item can be wrong. None of them carries a value of the message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes end inside an item.
    Truncated,
    /// Bytes follow the outermost item.
    TrailingBytes,
    /// The type byte is none of the specification's.
    UnknownType(u8),
    /// The length does not fit the type, or a child does not fit its structure.
    BadLength,
    /// The item has another type than its place asks for.
    WrongType {
        /// What the place asks for.
        expected: ItemType,
        /// What came.
        found: ItemType,
    },
    /// A Boolean that is neither 0 nor 1.
    BadBoolean,
    /// A Text String that is not UTF-8.
    BadText,
    /// The message is larger than [`crate::Limits::size_max`].
    TooLarge,
    /// Structures are nested deeper than [`crate::Limits::depth_max`].
    TooDeep,
    /// The message has more items than [`crate::Limits::items_max`].
    TooManyItems,
}

impl Error {
    pub(crate) const fn new(tag: Option<Tag>, kind: ErrorKind) -> Self {
        Self { tag, kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = self.tag {
            write!(f, "item {tag}: ")?;
        }
        match self.kind {
            ErrorKind::Truncated => f.write_str("the bytes end inside an item"),
            ErrorKind::TrailingBytes => f.write_str("bytes follow the message"),
            ErrorKind::UnknownType(code) => write!(f, "unknown type 0x{code:02X}"),
            ErrorKind::BadLength => f.write_str("the length does not fit"),
            ErrorKind::WrongType { expected, found } => {
                write!(f, "expected {}, found {}", expected.name(), found.name())
            }
            ErrorKind::BadBoolean => f.write_str("a Boolean is neither 0 nor 1"),
            ErrorKind::BadText => f.write_str("a Text String is not UTF-8"),
            ErrorKind::TooLarge => f.write_str("the message is too large"),
            ErrorKind::TooDeep => f.write_str("structures are nested too deeply"),
            ErrorKind::TooManyItems => f.write_str("the message has too many items"),
        }
    }
}

impl std::error::Error for Error {}
