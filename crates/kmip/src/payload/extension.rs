//! Extension Information: the vendor's own tags (KMIP 2.1 §7.13).
//!
//! Shapes only: it must never know an extension.

use claviger_ttlv::{Item, ItemType, Tag};

use crate::Version;
use crate::codec::structure::structure;
use crate::codec::{Encoder, Wire};
use crate::error::Error;

structure! {
    /// One extension.
    pub struct ExtensionInformation {
        /// Its name.
        extension_name: String = EXTENSION_NAME,
        /// Its tag.
        extension_tag: Option<i32> = EXTENSION_TAG,
        /// The type of its items.
        extension_type: Option<ExtensionType> = EXTENSION_TYPE,
        /// The value of an enumeration that it adds.
        extension_enumeration: Option<i32> = EXTENSION_ENUMERATION since V2_0,
        /// Whether it is an attribute.
        extension_attribute: Option<bool> = EXTENSION_ATTRIBUTE since V2_0,
        /// The tag of the structure that it stands in.
        extension_parent_structure_tag: Option<i32> =
            EXTENSION_PARENT_STRUCTURE_TAG since V2_0,
        /// What it is for.
        extension_description: Option<String> = EXTENSION_DESCRIPTION since V2_0,
    }
}

/// The type of an extension's items: an Integer in 1.x, an Enumeration in 2.x.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ExtensionType(pub u32);

impl Wire for ExtensionType {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        if item.item_type == ItemType::Integer {
            return i32::decode(item, version).map(|value| Self(value.cast_unsigned()));
        }
        Ok(Self(item.enumeration()?))
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        if encoder.version().is_1x() {
            encoder.writer.integer(tag, self.0.cast_signed());
        } else {
            encoder.writer.enumeration(tag, self.0);
        }
    }
}
