//! Attributes: what they are called, what values they have, and what may be done to them.
//!
//! [`table`] has one row per attribute of KMIP 1.0 to 2.1; [`Attribute`], its codec, the names of
//! 1.x and the rules are derived from it. [`values`] has the structures.

mod set;
pub mod table;
pub mod values;

pub use set::{Attributes, Instance};
pub use table::{Attribute, AttributeId, Change, Instances, Rule, Source};

use values::VendorAttribute;

/// What a request calls an attribute (KMIP 2.1 §4.5, Attribute Reference; 1.x: Attribute Name).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttributeReference {
    /// An attribute of the specification.
    Standard(AttributeId),
    /// An attribute of a vendor or client.
    Vendor {
        /// Who defines it.
        vendor_identification: String,
        /// Its name.
        attribute_name: String,
    },
    /// A tag or name that is no attribute's; asking for it is no error, it is just not there.
    Unknown(String),
}

impl AttributeReference {
    /// Whether that attribute is meant.
    #[must_use]
    pub fn matches(&self, attribute: &Attribute) -> bool {
        match (self, attribute) {
            (
                Self::Vendor { vendor_identification, attribute_name },
                Attribute::Vendor(VendorAttribute {
                    vendor_identification: vendor,
                    attribute_name: name,
                    ..
                }),
            ) => vendor_identification == vendor && attribute_name == name,
            (Self::Standard(id), attribute) => *id == attribute.id(),
            _ => false,
        }
    }
}

impl Attribute {
    /// How a request would call this attribute.
    #[must_use]
    pub fn reference(&self) -> AttributeReference {
        match self {
            Self::Vendor(vendor) => AttributeReference::Vendor {
                vendor_identification: vendor.vendor_identification.clone(),
                attribute_name: vendor.attribute_name.clone(),
            },
            other => AttributeReference::Standard(other.id()),
        }
    }
}
