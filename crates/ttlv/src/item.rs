//! One item of a message, borrowed from its bytes.

use crate::{Error, ErrorKind, ItemType, Reader, Tag};

/// One item: its tag, its type and its value without padding.
#[derive(Copy, Clone, Debug)]
pub struct Item<'a> {
    /// The tag.
    pub tag: Tag,
    /// The type.
    pub item_type: ItemType,
    pub(crate) value: &'a [u8],
}

impl<'a> Item<'a> {
    /// The bytes of the value: the children of a structure, the characters of a text, and so on.
    #[must_use]
    pub const fn value_bytes(&self) -> &'a [u8] {
        self.value
    }

    /// The children of a structure.
    ///
    /// # Errors
    /// The item is no structure.
    pub fn structure(&self) -> Result<Reader<'a>, Error> {
        self.expect(ItemType::Structure)?;
        Ok(Reader::over(self.value))
    }

    /// An Integer, or a mask.
    ///
    /// # Errors
    /// The item has another type.
    pub fn integer(&self) -> Result<i32, Error> {
        self.expect(ItemType::Integer)?;
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A Long Integer.
    ///
    /// # Errors
    /// The item has another type.
    pub fn long_integer(&self) -> Result<i64, Error> {
        self.expect(ItemType::LongInteger)?;
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// A Big Integer: two's complement, most significant byte first.
    ///
    /// # Errors
    /// The item has another type.
    pub fn big_integer(&self) -> Result<&'a [u8], Error> {
        self.expect(ItemType::BigInteger)?;
        Ok(self.value)
    }

    /// An Enumeration.
    ///
    /// # Errors
    /// The item has another type.
    pub fn enumeration(&self) -> Result<u32, Error> {
        self.expect(ItemType::Enumeration)?;
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A Boolean.
    ///
    /// # Errors
    /// The item has another type, or its value is neither 0 nor 1.
    pub fn boolean(&self) -> Result<bool, Error> {
        self.expect(ItemType::Boolean)?;
        match u64::from_be_bytes(self.array()?) {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error::new(Some(self.tag), ErrorKind::BadBoolean)),
        }
    }

    /// A Text String.
    ///
    /// # Errors
    /// The item has another type, or is not UTF-8.
    pub fn text(&self) -> Result<&'a str, Error> {
        self.expect(ItemType::TextString)?;
        std::str::from_utf8(self.value).map_err(|_| Error::new(Some(self.tag), ErrorKind::BadText))
    }

    /// A Byte String.
    ///
    /// # Errors
    /// The item has another type.
    pub fn bytes(&self) -> Result<&'a [u8], Error> {
        self.expect(ItemType::ByteString)?;
        Ok(self.value)
    }

    /// A Date-Time in POSIX seconds.
    ///
    /// # Errors
    /// The item has another type.
    pub fn date_time(&self) -> Result<i64, Error> {
        self.expect(ItemType::DateTime)?;
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// An Interval in seconds.
    ///
    /// # Errors
    /// The item has another type.
    pub fn interval(&self) -> Result<u32, Error> {
        self.expect(ItemType::Interval)?;
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A Date-Time Extended in POSIX microseconds.
    ///
    /// # Errors
    /// The item has another type.
    pub fn date_time_extended(&self) -> Result<i64, Error> {
        self.expect(ItemType::DateTimeExtended)?;
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn expect(&self, expected: ItemType) -> Result<(), Error> {
        if self.item_type == expected {
            return Ok(());
        }
        let kind = ErrorKind::WrongType { expected, found: self.item_type };
        Err(Error::new(Some(self.tag), kind))
    }

    fn array<const N: usize>(&self) -> Result<[u8; N], Error> {
        self.value.try_into().map_err(|_| Error::new(Some(self.tag), ErrorKind::BadLength))
    }
}
