//! A PKCS#11 function: of the standard or of a vendor (KMIP 2.1 §6.1.37).
//!
//! It must never know what a function does.

use claviger_ttlv::{Item, ItemType, Tag};

use crate::Version;
use crate::codec::{Encoder, Wire};
use crate::enums::Pkcs11Function;
use crate::error::Error;

/// Which function.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pkcs11FunctionCode {
    /// One that PKCS#11 defines, by its place in `CK_FUNCTION_LIST`.
    Defined(Pkcs11Function),
    /// A vendor's.
    Vendor(i32),
}

impl Wire for Pkcs11FunctionCode {
    fn decode(item: &Item<'_>, _: Version) -> Result<Self, Error> {
        if item.item_type == ItemType::Integer {
            return Ok(Self::Vendor(item.integer()?));
        }
        Ok(Self::Defined(Pkcs11Function(item.enumeration()?)))
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        match self {
            Self::Defined(function) => function.encode(encoder, tag),
            Self::Vendor(number) => number.encode(encoder, tag),
        }
    }
}
