//! Tags and item types: the first four bytes of every item (KMIP 2.1 §9.1.1).

use std::fmt;

/// A three-byte tag: `42xxxx` is the specification's, `54xxxx` an extension.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    /// A tag from its number; only the lower 24 bits go on the wire.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(value & 0x00FF_FFFF)
    }

    /// The number of the tag.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether the tag is in the range that the specification leaves to vendors.
    #[must_use]
    pub const fn is_extension(self) -> bool {
        self.0 >> 16 == 0x54
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.0)
    }
}

/// The type byte of an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ItemType {
    /// A sequence of items.
    Structure = 0x01,
    /// 32 bits, signed.
    Integer = 0x02,
    /// 64 bits, signed.
    LongInteger = 0x03,
    /// Two's complement of any length, sign-extended to a multiple of eight bytes.
    BigInteger = 0x04,
    /// 32 bits, unsigned.
    Enumeration = 0x05,
    /// Eight bytes: 0 or 1.
    Boolean = 0x06,
    /// UTF-8.
    TextString = 0x07,
    /// Any bytes.
    ByteString = 0x08,
    /// POSIX seconds, 64 bits, signed.
    DateTime = 0x09,
    /// Seconds, 32 bits, unsigned.
    Interval = 0x0A,
    /// POSIX microseconds, 64 bits, signed (KMIP 2.0 and later).
    DateTimeExtended = 0x0B,
}

impl ItemType {
    /// Every type, in the order of its code.
    pub const ALL: [Self; 11] = [
        Self::Structure,
        Self::Integer,
        Self::LongInteger,
        Self::BigInteger,
        Self::Enumeration,
        Self::Boolean,
        Self::TextString,
        Self::ByteString,
        Self::DateTime,
        Self::Interval,
        Self::DateTimeExtended,
    ];

    /// The type of a code, if the code is one of the specification's.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x01 => Self::Structure,
            0x02 => Self::Integer,
            0x03 => Self::LongInteger,
            0x04 => Self::BigInteger,
            0x05 => Self::Enumeration,
            0x06 => Self::Boolean,
            0x07 => Self::TextString,
            0x08 => Self::ByteString,
            0x09 => Self::DateTime,
            0x0A => Self::Interval,
            0x0B => Self::DateTimeExtended,
            _ => return None,
        })
    }

    /// The code of the type on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name that the XML and JSON encodings use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "Structure",
            Self::Integer => "Integer",
            Self::LongInteger => "LongInteger",
            Self::BigInteger => "BigInteger",
            Self::Enumeration => "Enumeration",
            Self::Boolean => "Boolean",
            Self::TextString => "TextString",
            Self::ByteString => "ByteString",
            Self::DateTime => "DateTime",
            Self::Interval => "Interval",
            Self::DateTimeExtended => "DateTimeExtended",
        }
    }

    /// Whether a value of this type may have that length in bytes, padding left out.
    pub(crate) const fn accepts_length(self, length: usize) -> bool {
        match self {
            Self::Integer | Self::Enumeration | Self::Interval => length == 4,
            Self::LongInteger | Self::Boolean | Self::DateTime | Self::DateTimeExtended => {
                length == 8
            }
            Self::BigInteger => length != 0 && length.is_multiple_of(8),
            Self::Structure => length.is_multiple_of(8),
            Self::TextString | Self::ByteString => true,
        }
    }
}
