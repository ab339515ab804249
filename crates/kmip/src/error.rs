//! Why a message was not understood.

use std::fmt;

use claviger_ttlv::Tag;

use crate::tables::tag_name;

/// What is wrong with a message, and where. It never carries a value of the message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub problem: Problem,
    /// The item that is wrong, or missing.
    pub tag: Option<Tag>,
    /// The structure it is in.
    pub structure: Option<Tag>,
}

/// The ways in which a message can be wrong.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The bytes are not TTLV, or an item has the wrong type.
    Encoding(claviger_ttlv::ErrorKind),
    /// A required field is not there.
    MissingField,
    /// A field that the structure does not have in this version.
    UnknownField,
    /// A field in the wrong place, or too often.
    OutOfOrder,
    /// A value that the field cannot have.
    BadValue,
    /// An attribute name or reference that no attribute has.
    UnknownAttribute,
}

impl Error {
    /// An error about an item.
    #[must_use]
    pub const fn new(problem: Problem, tag: Tag) -> Self {
        Self { problem, tag: Some(tag), structure: None }
    }

    /// Says in which structure the item stands.
    #[must_use]
    pub const fn within(mut self, structure: Tag) -> Self {
        self.structure = Some(structure);
        self
    }
}

impl From<claviger_ttlv::Error> for Error {
    fn from(error: claviger_ttlv::Error) -> Self {
        Self { problem: Problem::Encoding(error.kind), tag: error.tag, structure: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |tag: Option<Tag>| match tag {
            Some(tag) => tag_name(tag).map_or_else(|| tag.to_string(), str::to_owned),
            None => String::from("message"),
        };
        let item = name(self.tag);
        match self.problem {
            Problem::Encoding(kind) => {
                write!(f, "{item}: {}", claviger_ttlv::Error { tag: None, kind })?;
            }
            Problem::MissingField => write!(f, "{item} is missing")?,
            Problem::UnknownField => write!(f, "{item} is not a field of this version here")?,
            Problem::OutOfOrder => write!(f, "{item} is out of order or repeated")?,
            Problem::BadValue => write!(f, "{item} has a value that is not allowed")?,
            Problem::UnknownAttribute => write!(f, "{item} names no attribute")?,
        }
        match self.structure {
            Some(structure) => write!(f, " (in {})", name(Some(structure))),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
