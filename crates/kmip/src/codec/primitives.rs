//! The primitive types (KMIP 2.1 §9.1.1) as Rust values.

use std::fmt;

use claviger_ttlv::{Item, Tag};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Encoder, Wire};
use crate::Version;
use crate::error::Error;

/// A Date-Time in POSIX seconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub i64);

/// A Date-Time Extended in POSIX microseconds (KMIP 2.0 and later).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTimeExtended(pub i64);

/// An Interval in seconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u32);

/// A Byte String that is no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteString(pub Vec<u8>);

/// A Big Integer: two's complement, most significant byte first. It may be a private exponent, so
/// it is wiped when dropped and never printed.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct BigInteger(pub Vec<u8>);

impl fmt::Debug for BigInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BigInteger({} bytes)", self.0.len())
    }
}

/// Bytes that nobody but their owner may see: key material, passwords, clear text.
///
/// Wiped when dropped, never printed, compared in constant time.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the bytes; the vector's allocation is wiped when the secret is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Copies the bytes; the caller remains responsible for the original.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }

    /// The bytes. The name is long so that every use stands out in a review.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Hands over the buffer, which still wipes itself.
    #[must_use]
    pub fn into_zeroizing(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        if self.0.len() != other.0.len() {
            return false;
        }
        let difference = self.0.iter().zip(other.0.iter()).fold(0_u8, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

impl Eq for Secret {}

macro_rules! primitive {
    ($($type:ty, |$item:ident| $read:expr, |$value:ident, $writer:ident, $tag:ident| $write:expr;)*) => {$(
        impl Wire for $type {
            fn decode($item: &Item<'_>, _: Version) -> Result<Self, Error> {
                Ok($read)
            }

            fn encode(&self, encoder: &mut Encoder<'_>, $tag: Tag) {
                let ($value, $writer) = (self, &mut *encoder.writer);
                $write;
            }
        }
    )*};
}

primitive! {
    i32, |item| item.integer()?, |value, writer, tag| writer.integer(tag, *value);
    i64, |item| item.long_integer()?, |value, writer, tag| writer.long_integer(tag, *value);
    bool, |item| item.boolean()?, |value, writer, tag| writer.boolean(tag, *value);
    String, |item| item.text()?.to_owned(), |value, writer, tag| writer.text(tag, value);
    ByteString, |item| Self(item.bytes()?.to_vec()), |value, writer, tag| writer.bytes(tag, &value.0);
    Secret, |item| Self::copy_of(item.bytes()?), |value, writer, tag| writer.bytes(tag, &value.0);
    BigInteger, |item| Self(item.big_integer()?.to_vec()), |value, writer, tag| writer.big_integer(tag, &value.0);
    DateTime, |item| Self(item.date_time()?), |value, writer, tag| writer.date_time(tag, value.0);
    Interval, |item| Self(item.interval()?), |value, writer, tag| writer.interval(tag, value.0);
}

impl Wire for DateTimeExtended {
    fn decode(item: &Item<'_>, _: Version) -> Result<Self, Error> {
        Ok(Self(item.date_time_extended()?))
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        if encoder.version().is_1x() {
            encoder.refuse(tag);
        }
        encoder.writer.date_time_extended(tag, self.0);
    }
}

impl Wire for claviger_ttlv::Node {
    fn decode(item: &Item<'_>, _: Version) -> Result<Self, Error> {
        Ok(Self::from_item(item)?)
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        Self { tag, value: self.value.clone() }.write(encoder.writer);
    }
}
