//! The one place that knows how attributes travel: KMIP 1.x's shape and KMIP 2.x's.
//!
//! | | 1.x | 2.x |
//! |---|---|---|
//! | a value | Attribute {Attribute Name, Attribute Index, Attribute Value} | an item with the attribute's own tag |
//! | a set | a Template-Attribute, or Attributes in a row | one Attributes structure |
//! | a client's own | name `x-…` or `y-…` | Attribute {Vendor Identification, Attribute Name, Attribute Value} |
//! | a reference | Attribute Name | Attribute Reference |
//!
//! The rest of the crate has the 2.x shape. The types here are fields that read and write
//! whichever shape the message's version has.

mod fields;
mod shape;

use std::borrow::Cow;

use crate::attributes::values::Name;
use crate::attributes::{Attribute, AttributeId, AttributeReference, Attributes, Instance};
use crate::tables;

/// The 1.x name of an attribute.
#[must_use]
pub fn name_of(reference: &AttributeReference) -> Cow<'_, str> {
    match reference {
        AttributeReference::Standard(id) => Cow::Borrowed(id.rule().title()),
        AttributeReference::Vendor { vendor_identification, attribute_name } => {
            if vendor_identification.is_empty() {
                Cow::Borrowed(attribute_name)
            } else {
                Cow::Owned(format!("{vendor_identification}-{attribute_name}"))
            }
        }
        AttributeReference::Unknown(name) => Cow::Borrowed(name),
    }
}

/// What a 1.x name refers to.
///
/// `x-ID` is the vendor attribute `ID` of the vendor `x`; so is any name of one word, with
/// nothing before its first dash as the vendor, since clients exist that leave the prefix out. A
/// name of several words that no attribute has is a misspelling and refers to nothing.
#[must_use]
pub fn reference_of(name: &str) -> AttributeReference {
    if let Some(id) = tables::attribute_tag(name).and_then(AttributeId::from_tag)
        && id != AttributeId::Vendor
    {
        return AttributeReference::Standard(id);
    }
    let prefixed = name.starts_with("x-") || name.starts_with("y-");
    if name.is_empty() || (!prefixed && name.contains(char::is_whitespace)) {
        return AttributeReference::Unknown(name.to_owned());
    }
    let (vendor, rest) = name.split_once('-').unwrap_or(("", name));
    AttributeReference::Vendor {
        vendor_identification: vendor.to_owned(),
        attribute_name: rest.to_owned(),
    }
}

/// Any number of attributes: Get Attributes' response, Locate's request, inside a Key Value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeList(pub Attributes);

/// The attributes of an object that is to be made: a Template-Attribute in 1.x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateAttributes {
    /// Templates to take attributes from (1.x).
    pub names: Vec<Name>,
    /// The attributes.
    pub attributes: Attributes,
}

impl From<Attributes> for TemplateAttributes {
    fn from(attributes: Attributes) -> Self {
        Self { names: Vec::new(), attributes }
    }
}

/// References to attributes: Get Attributes' request, Get Attribute List's response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References(pub Vec<AttributeReference>);

/// The attribute that Add, Modify and Set Attribute bring.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAttribute(pub Instance);

/// The attribute that 2.x's Modify and Delete Attribute replace or delete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurrentAttribute(pub Option<Attribute>);

/// The attribute that 1.x's Add, Modify and Delete Attribute answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangedAttribute(pub Option<Instance>);

/// The attribute that Delete Attribute deletes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeletedAttribute {
    /// This value (2.x).
    pub current: Option<Attribute>,
    /// All values of this attribute (2.x), or the one with the index (1.x).
    pub reference: Option<AttributeReference>,
    /// Which value (1.x).
    pub index: Option<i32>,
}
