//! What can be wrong with a message in XML or JSON.

use std::fmt;

use crate::{ItemType, Limits};

/// Why a text was refused, and where. It carries no value of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The names of the items from the outermost to the one that is wrong, joined by `/`.
    pub path: String,
    /// What is wrong with it.
    pub kind: ParseErrorKind,
}

/// The ways in which a text can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// It is not XML, or not JSON.
    Syntax,
    /// It is not exactly one item.
    NotOneItem,
    /// A member or attribute of an item is missing, or is not what the encoding asks for.
    Malformed,
    /// A tag is neither a known name nor a number.
    UnknownTag,
    /// A type is none of the specification's.
    UnknownType,
    /// A value is not of its type, or not a known name.
    BadValue(ItemType),
    /// As TTLV the message would be larger than [`Limits::size_max`].
    TooLarge,
    /// Structures are nested deeper than [`Limits::depth_max`].
    TooDeep,
    /// The message has more items than [`Limits::items_max`].
    TooManyItems,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match self.kind {
            ParseErrorKind::Syntax => f.write_str("the text is not well-formed"),
            ParseErrorKind::NotOneItem => f.write_str("the text is not exactly one message"),
            ParseErrorKind::Malformed => f.write_str("the item lacks a tag, a type or a value"),
            ParseErrorKind::UnknownTag => f.write_str("unknown tag"),
            ParseErrorKind::UnknownType => f.write_str("unknown type"),
            ParseErrorKind::BadValue(item_type) => {
                write!(f, "the value is no {}", item_type.name())
            }
            ParseErrorKind::TooLarge => f.write_str("the message is too large"),
            ParseErrorKind::TooDeep => f.write_str("structures are nested too deeply"),
            ParseErrorKind::TooManyItems => f.write_str("the message has too many items"),
        }
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind) -> Self {
        Self { path: String::new(), kind }
    }

    /// The same error, seen from the item around.
    pub(crate) fn inside(mut self, name: &str) -> Self {
        let name: String = name.chars().take(64).collect();
        self.path = if self.path.is_empty() { name } else { format!("{name}/{}", self.path) };
        self
    }
}

/// What a text may still cost, counted while it is read.
pub(crate) struct Budget {
    size_left: usize,
    items_left: usize,
    depth_left: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            size_left: limits.size_max,
            items_left: limits.items_max,
            depth_left: limits.depth_max,
        }
    }

    /// Enters an item.
    pub(crate) fn enter(&mut self) -> Result<(), ParseErrorKind> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(ParseErrorKind::TooDeep)?;
        self.items_left = self.items_left.checked_sub(1).ok_or(ParseErrorKind::TooManyItems)?;
        self.spend(8)
    }

    /// Leaves an item.
    pub(crate) fn leave(&mut self) {
        self.depth_left = self.depth_left.saturating_add(1);
    }

    /// Takes the bytes that a value has as TTLV.
    pub(crate) fn spend(&mut self, size: usize) -> Result<(), ParseErrorKind> {
        let size = size.checked_next_multiple_of(8).ok_or(ParseErrorKind::TooLarge)?;
        self.size_left = self.size_left.checked_sub(size).ok_or(ParseErrorKind::TooLarge)?;
        Ok(())
    }
}

/// A text longer than this cannot be a message within the limits: the smallest item is sixteen
/// bytes of TTLV and well under a kilobyte of text.
pub(crate) fn text_size_max(limits: &Limits) -> usize {
    limits.size_max.saturating_mul(64)
}
