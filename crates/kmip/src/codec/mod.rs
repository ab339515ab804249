//! How KMIP values become TTLV items and back.
//!
//! - [`Wire`] is one item: a primitive, an enumeration, a structure.
//! - [`Field`] is what one field of a structure holds: exactly one item (`T`), at most one
//!   (`Option<T>`), any number (`Vec<T>`), or, for the few types of [`crate::compat`], items whose
//!   tags depend on the version.
//! - The `structure!` macro declares a structure with the tag and the versions
//!   of each field, in the order of the specification's table, and derives both directions.
//!
//! The version rules live here, once: a field is written only in versions that have it; an
//! enumeration value that is younger than the message makes its optional field disappear, or the
//! whole encoding fail (KMIP 2.1 §9.1; "answer in the request's version").

mod decoder;
mod encoder;
mod primitives;
pub(crate) mod structure;

pub use decoder::Decoder;
pub use encoder::{Encoder, TooYoung};
pub use primitives::{BigInteger, ByteString, DateTime, DateTimeExtended, Interval, Secret};

use claviger_ttlv::{Item, Tag};

use crate::Version;
use crate::error::Error;

/// A value that is one TTLV item.
pub trait Wire: Sized {
    /// Reads the value from an item of a message of that version.
    ///
    /// # Errors
    /// The item has the wrong type, or something in it is missing, unknown or out of order.
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error>;

    /// Writes the value as one item.
    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag);
}

/// What one field of a structure holds.
pub trait Field: Sized {
    /// Takes the field's items from the front of the structure.
    ///
    /// # Errors
    /// The field is required and not there, or its value cannot be read.
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error>;

    /// Writes the field's items.
    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag);
}

impl<T: Wire> Field for T {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        match decoder.next_if(tag)? {
            Some(item) => T::decode(&item, decoder.version()),
            None => Err(decoder.missing(tag)),
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        self.encode(encoder, tag);
    }
}

impl<T: Wire> Field for Option<T> {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        match decoder.next_if(tag)? {
            Some(item) => Ok(Some(T::decode(&item, decoder.version())?)),
            None => Ok(None),
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        if let Some(value) = self {
            encoder.attempt(|encoder| value.encode(encoder, tag));
        }
    }
}

impl<T: Wire> Field for Vec<T> {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        let mut values = Self::new();
        while let Some(item) = decoder.next_if(tag)? {
            values.push(T::decode(&item, decoder.version())?);
        }
        Ok(values)
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        for value in self {
            encoder.attempt(|encoder| value.encode(encoder, tag));
        }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        T::decode(item, version).map(Self::new)
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        (**self).encode(encoder, tag);
    }
}
