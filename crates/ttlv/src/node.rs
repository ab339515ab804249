//! An owned tree of items: what the encodings for people (XML, JSON, text) are read into and
//! written from.
//!
//! The wire path does not use it: see [`crate::Reader`]. A tree may hold key material, so its
//! bytes and texts are wiped when it is dropped, and `Debug` shows their length only.

use std::fmt;

use zeroize::Zeroize;

use crate::{Error, Item, ItemType, Limits, Message, Tag, Writer};

/// One item and all that is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// The tag.
    pub tag: Tag,
    /// The value.
    pub value: Value,
}

/// The value of an item (KMIP 2.1 §9.1.1.4).
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Items, in order.
    Structure(Vec<Node>),
    /// A number, or a mask.
    Integer(i32),
    /// A number.
    LongInteger(i64),
    /// Two's complement, most significant byte first, a multiple of eight bytes.
    BigInteger(Vec<u8>),
    /// A value of an enumeration.
    Enumeration(u32),
    /// True or false.
    Boolean(bool),
    /// A text.
    TextString(String),
    /// Bytes.
    ByteString(Vec<u8>),
    /// POSIX seconds.
    DateTime(i64),
    /// Seconds.
    Interval(u32),
    /// POSIX microseconds.
    DateTimeExtended(i64),
}

impl Value {
    /// A Big Integer from two's complement of any length, sign-extended as the wire wants it.
    #[must_use]
    pub fn big_integer(bytes: &[u8]) -> Self {
        let length = bytes.len().max(1).next_multiple_of(8);
        let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
        let mut extended = Vec::with_capacity(length);
        extended.resize(length.saturating_sub(bytes.len()), if negative { 0xFF } else { 0 });
        extended.extend_from_slice(bytes);
        Self::BigInteger(extended)
    }

    /// The bytes of the value in TTLV, padding left out; none for a structure.
    #[must_use]
    pub const fn wire_size(&self) -> usize {
        match self {
            Self::Structure(_) => 0,
            Self::Integer(_) | Self::Enumeration(_) | Self::Interval(_) => 4,
            Self::LongInteger(_)
            | Self::Boolean(_)
            | Self::DateTime(_)
            | Self::DateTimeExtended(_) => 8,
            Self::BigInteger(bytes) | Self::ByteString(bytes) => bytes.len(),
            Self::TextString(text) => text.len(),
        }
    }

    /// The type of the value.
    #[must_use]
    pub const fn item_type(&self) -> ItemType {
        match self {
            Self::Structure(_) => ItemType::Structure,
            Self::Integer(_) => ItemType::Integer,
            Self::LongInteger(_) => ItemType::LongInteger,
            Self::BigInteger(_) => ItemType::BigInteger,
            Self::Enumeration(_) => ItemType::Enumeration,
            Self::Boolean(_) => ItemType::Boolean,
            Self::TextString(_) => ItemType::TextString,
            Self::ByteString(_) => ItemType::ByteString,
            Self::DateTime(_) => ItemType::DateTime,
            Self::Interval(_) => ItemType::Interval,
            Self::DateTimeExtended(_) => ItemType::DateTimeExtended,
        }
    }
}

impl Node {
    /// An item.
    #[must_use]
    pub const fn new(tag: Tag, value: Value) -> Self {
        Self { tag, value }
    }

    /// A structure.
    #[must_use]
    pub const fn structure(tag: Tag, children: Vec<Self>) -> Self {
        Self::new(tag, Value::Structure(children))
    }

    /// Reads bytes that are exactly one item.
    ///
    /// # Errors
    /// The first thing that is wrong with the bytes, or that exceeds the limits.
    pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::from_item(&Message::parse(bytes, limits)?.root())
    }

    /// Reads an item of a checked message; the nesting is bounded by that check.
    ///
    /// # Errors
    /// A value does not fit its type.
    pub fn from_item(item: &Item<'_>) -> Result<Self, Error> {
        let value = match item.item_type {
            ItemType::Structure => {
                let mut reader = item.structure()?;
                let mut children = Vec::new();
                while let Some(child) = reader.next_item()? {
                    children.push(Self::from_item(&child)?);
                }
                Value::Structure(children)
            }
            ItemType::Integer => Value::Integer(item.integer()?),
            ItemType::LongInteger => Value::LongInteger(item.long_integer()?),
            ItemType::BigInteger => Value::BigInteger(item.big_integer()?.to_vec()),
            ItemType::Enumeration => Value::Enumeration(item.enumeration()?),
            ItemType::Boolean => Value::Boolean(item.boolean()?),
            ItemType::TextString => Value::TextString(item.text()?.to_owned()),
            ItemType::ByteString => Value::ByteString(item.bytes()?.to_vec()),
            ItemType::DateTime => Value::DateTime(item.date_time()?),
            ItemType::Interval => Value::Interval(item.interval()?),
            ItemType::DateTimeExtended => Value::DateTimeExtended(item.date_time_extended()?),
        };
        Ok(Self { tag: item.tag, value })
    }

    /// Appends the item to a writer.
    pub fn write(&self, writer: &mut Writer) {
        match &self.value {
            Value::Structure(children) => {
                let mark = writer.begin(self.tag);
                for child in children {
                    child.write(writer);
                }
                writer.end(mark);
            }
            Value::Integer(value) => {
                writer.integer(self.tag, *value);
            }
            Value::LongInteger(value) => writer.long_integer(self.tag, *value),
            Value::BigInteger(value) => writer.big_integer(self.tag, value),
            Value::Enumeration(value) => {
                writer.enumeration(self.tag, *value);
            }
            Value::Boolean(value) => writer.boolean(self.tag, *value),
            Value::TextString(value) => writer.text(self.tag, value),
            Value::ByteString(value) => writer.bytes(self.tag, value),
            Value::DateTime(value) => writer.date_time(self.tag, *value),
            Value::Interval(value) => writer.interval(self.tag, *value),
            Value::DateTimeExtended(value) => writer.date_time_extended(self.tag, *value),
        }
    }

    /// The item as TTLV bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// The type of the item.
    #[must_use]
    pub const fn item_type(&self) -> ItemType {
        self.value.item_type()
    }

    /// The items of a structure; none if it is no structure.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match &self.value {
            Value::Structure(children) => children,
            _ => &[],
        }
    }

    /// The first child with this tag.
    #[must_use]
    pub fn child(&self, tag: Tag) -> Option<&Self> {
        self.children().iter().find(|child| child.tag == tag)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        match &mut self.value {
            Value::ByteString(bytes) | Value::BigInteger(bytes) => bytes.zeroize(),
            Value::TextString(text) => text.zeroize(),
            _ => {}
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.tag, self.value)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure(children) => f.debug_list().entries(children).finish(),
            Self::Integer(value) => write!(f, "Integer {value}"),
            Self::LongInteger(value) => write!(f, "LongInteger {value}"),
            Self::BigInteger(bytes) => write!(f, "BigInteger of {} bytes", bytes.len()),
            Self::Enumeration(value) => write!(f, "Enumeration 0x{value:08X}"),
            Self::Boolean(value) => write!(f, "Boolean {value}"),
            Self::TextString(text) => write!(f, "TextString of {} bytes", text.len()),
            Self::ByteString(bytes) => write!(f, "ByteString of {} bytes", bytes.len()),
            Self::DateTime(value) => write!(f, "DateTime {value}"),
            Self::Interval(value) => write!(f, "Interval {value}"),
            Self::DateTimeExtended(value) => write!(f, "DateTimeExtended {value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: Tag = Tag::new(0x42_0020);

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// KMIP 2.1 §9.1.2, and KMIP 1.4 §9.1.2.
    #[test]
    fn examples_of_the_specification() {
        let big = hex("0000000003FD35EB 6BC2DF4618080000");
        let structure = Value::Structure(vec![
            Node::new(Tag::new(0x42_0004), Value::Enumeration(254)),
            Node::new(Tag::new(0x42_0005), Value::Integer(255)),
        ]);
        let examples = [
            (Value::Integer(8), "42002002 00000004 00000008 00000000"),
            (Value::LongInteger(123_456_789_000_000_000), "42002003 00000008 01B69B4BA5749200"),
            (Value::BigInteger(big), "42002004 00000010 0000000003FD35EB 6BC2DF4618080000"),
            (Value::Enumeration(255), "42002005 00000004 000000FF 00000000"),
            (Value::Boolean(true), "42002006 00000008 0000000000000001"),
            (
                Value::TextString("Hello World".into()),
                "42002007 0000000B 48656C6C6F20576F 726C640000000000",
            ),
            (Value::ByteString(vec![1, 2, 3]), "42002008 00000003 0102030000000000"),
            (Value::DateTime(0x47DA_67F8), "42002009 00000008 0000000047DA67F8"),
            (Value::Interval(864_000), "4200200A 00000004 000D2F00 00000000"),
            (
                structure,
                "42002001 00000020 4200040500000004000000FE00000000 4200050200000004000000FF00000000",
            ),
        ];
        for (value, bytes) in examples {
            let node = Node::new(TAG, value);
            let bytes = hex(bytes);
            assert_eq!(node.to_bytes(), bytes, "{node:?}");
            assert_eq!(Node::from_bytes(&bytes, &Limits::default()), Ok(node));
        }
    }

    #[test]
    fn big_integers_are_sign_extended() {
        let extended = |bytes: &[u8]| match Value::big_integer(bytes) {
            Value::BigInteger(bytes) => bytes.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(extended(&[]), [0; 8]);
        assert_eq!(extended(&[0x7F]), [0, 0, 0, 0, 0, 0, 0, 0x7F]);
        assert_eq!(extended(&[0x80]), [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80]);
        assert_eq!(extended(&[1; 9]).len(), 16);
    }

    #[test]
    fn debug_shows_no_secret() {
        let node = Node::structure(
            TAG,
            vec![
                Node::new(TAG, Value::TextString("password".into())),
                Node::new(TAG, Value::ByteString(b"key bytes".to_vec())),
            ],
        );
        let shown = format!("{node:?}");
        assert!(!shown.contains("password") && !shown.contains("107"), "{shown}");
        assert!(shown.contains("TextString of 8 bytes"), "{shown}");
    }

    #[test]
    fn a_tree_deeper_than_the_limit_is_refused() {
        let mut node = Node::structure(TAG, Vec::new());
        for _ in 0..30 {
            node = Node::structure(TAG, vec![node]);
        }
        let bytes = node.to_bytes();
        let kind = Node::from_bytes(&bytes, &Limits::default()).map_err(|error| error.kind);
        assert_eq!(kind, Err(crate::ErrorKind::TooDeep));
        let limits = Limits { depth_max: 31, ..Limits::default() };
        assert_eq!(Node::from_bytes(&bytes, &limits), Ok(node));
    }
}
