//! The Data of cryptographic operations (KMIP 2.1 §7.9).
//!
//! It must never know what is done with it.

use claviger_ttlv::{Item, ItemType, Tag};

use crate::Version;
use crate::codec::{Encoder, Secret, Wire};
use crate::enums;
use crate::error::Error;

/// Data that a request brings, or where in the batch it comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// The data itself, the only form of 1.x.
    Bytes(Secret),
    /// What the operation of this batch produced (KMIP 2.0 and later).
    Produced(enums::Data),
    /// The zero-based nth Data of the response; counted back from this item if negative (KMIP 2.0
    /// and later).
    Index(i32),
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Secret::new(bytes))
    }
}

impl From<Secret> for Data {
    fn from(secret: Secret) -> Self {
        Self::Bytes(secret)
    }
}

impl Wire for Data {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        match item.item_type {
            ItemType::Enumeration if !version.is_1x() => {
                Ok(Self::Produced(enums::Data(item.enumeration()?)))
            }
            ItemType::Integer if !version.is_1x() => Ok(Self::Index(item.integer()?)),
            _ => Secret::decode(item, version).map(Self::Bytes),
        }
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        match self {
            Self::Bytes(bytes) => bytes.encode(encoder, tag),
            Self::Produced(operation) => operation.encode(encoder, tag),
            Self::Index(index) => {
                if encoder.version().is_1x() {
                    encoder.refuse(tag);
                }
                index.encode(encoder, tag);
            }
        }
    }
}
