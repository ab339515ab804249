//! The one place that knows how attributes travel: KMIP 1.x's shape and KMIP 2.x's.
//!
//! | | 1.x | 2.x |
//! |---|---|---|
//! | a value | Attribute {Attribute Name, Attribute Index, Attribute Value} | an item with the attribute's own tag |
//! | a set | a Template-Attribute, or Attributes in a row | one Attributes structure |
//! | a client's own | name `x-…` or `y-…` | Attribute {Vendor Identification, Attribute Name, Attribute Value} |
//! | a reference | Attribute Name | Attribute Reference |
//!
//! The rest of the crate has the 2.x shape. The types here are [`Field`]s that read and write
//! whichever shape the message's version has.

use std::borrow::Cow;

use claviger_ttlv::{Item, ItemType, Node, Tag};

use crate::attributes::values::{Name, VendorAttribute};
use crate::attributes::{Attribute, AttributeId, AttributeReference, Attributes, Instance};
use crate::codec::{Decoder, Encoder, Field, Wire};
use crate::error::{Error, Problem};
use crate::{Version, tables, tags};

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

impl Field for AttributeList {
    fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
        let version = decoder.version();
        let mut attributes = Attributes::new();
        if version.is_1x() {
            while let Some(item) = decoder.next_if(tags::ATTRIBUTE)? {
                attributes.0.push(decode_1x(&item, version)?);
            }
        } else if let Some(item) = decoder.next_if(tags::ATTRIBUTES)? {
            attributes = decode_set_2x(&item, version)?;
        }
        Ok(Self(attributes))
    }

    fn put(&self, encoder: &mut Encoder<'_>, _: Tag) {
        if encoder.version().is_1x() {
            for instance in &self.0.0 {
                encode_1x(instance, encoder);
            }
        } else {
            encode_set_2x(&self.0, encoder, tags::ATTRIBUTES);
        }
    }
}

/// The field is declared with the tag of 2.x first, `ATTRIBUTES | TEMPLATE_ATTRIBUTE`, where the
/// set is optional: an empty one is not written. Where it is required, `TEMPLATE_ATTRIBUTE |
/// ATTRIBUTES`, it is written even if it is empty; one that is absent is read as empty all the
/// same, and it is for the operation to miss what it needs.
impl Field for TemplateAttributes {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        let version = decoder.version();
        let Some(item) = decoder.next_if(set_tag(tag, version))? else {
            return Ok(Self::default());
        };
        if version.is_1x() {
            decode_template(&item, version)
        } else {
            decode_set_2x(&item, version).map(Self::from)
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        let is_required = tag == tags::TEMPLATE_ATTRIBUTE;
        if self.names.is_empty() && self.attributes.is_empty() && !is_required {
            return;
        }
        let tag = set_tag(tag, encoder.version());
        if !encoder.version().is_1x() {
            if !self.names.is_empty() {
                encoder.leave_out(tags::NAME);
            }
            return encode_set_2x(&self.attributes, encoder, tag);
        }
        encoder.structure(tag, |encoder| {
            self.names.put(encoder, tags::NAME);
            for instance in &self.attributes.0 {
                encode_1x(instance, encoder);
            }
        });
    }
}

/// The tag that a set of attributes has in that version.
const fn set_tag(tag: Tag, version: Version) -> Tag {
    let (in_1x, in_2x) = match tag {
        tags::COMMON_ATTRIBUTES => (tags::COMMON_TEMPLATE_ATTRIBUTE, tag),
        tags::PRIVATE_KEY_ATTRIBUTES => (tags::PRIVATE_KEY_TEMPLATE_ATTRIBUTE, tag),
        tags::PUBLIC_KEY_ATTRIBUTES => (tags::PUBLIC_KEY_TEMPLATE_ATTRIBUTE, tag),
        _ => (tags::TEMPLATE_ATTRIBUTE, tags::ATTRIBUTES),
    };
    if version.is_1x() { in_1x } else { in_2x }
}

fn decode_template(item: &Item<'_>, version: Version) -> Result<TemplateAttributes, Error> {
    const KNOWN: &[Tag] = &[tags::NAME, tags::ATTRIBUTE];
    let mut decoder = Decoder::new(item, version, KNOWN)?;
    let names = Field::take(&mut decoder, tags::NAME)?;
    let AttributeList(attributes) = Field::take(&mut decoder, tags::ATTRIBUTES)?;
    decoder.finish()?;
    Ok(TemplateAttributes { names, attributes })
}

impl Field for References {
    fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
        let mut references = Vec::new();
        loop {
            if let Some(item) = decoder.next_if(tags::ATTRIBUTE_NAME)? {
                references.push(reference_of(item.text()?));
            } else if decoder.peek()? == Some(tags::ATTRIBUTE_REFERENCE)
                && let Some(item) = decoder.next_if(tags::ATTRIBUTE_REFERENCE)?
            {
                references.push(decode_reference(&item, decoder.version())?);
            } else {
                return Ok(Self(references));
            }
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        for reference in &self.0 {
            if let AttributeReference::Standard(id) = reference
                && !id.rule().is_in(encoder.version())
            {
                encoder.leave_out(id.rule().tag);
                continue;
            }
            if encoder.version().is_1x() || tag == tags::ATTRIBUTE_NAME {
                encoder.writer.text(tags::ATTRIBUTE_NAME, &name_of(reference));
            } else {
                encode_reference(reference, encoder);
            }
        }
    }
}

fn decode_reference(item: &Item<'_>, version: Version) -> Result<AttributeReference, Error> {
    const KNOWN: &[Tag] = &[tags::VENDOR_IDENTIFICATION, tags::ATTRIBUTE_NAME];
    if item.item_type == ItemType::Structure {
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let reference = AttributeReference::Vendor {
            vendor_identification: Field::take(&mut decoder, tags::VENDOR_IDENTIFICATION)?,
            attribute_name: Field::take(&mut decoder, tags::ATTRIBUTE_NAME)?,
        };
        decoder.finish()?;
        return Ok(reference);
    }
    let tag = Tag::new(item.enumeration()?);
    Ok(AttributeId::from_tag(tag)
        .map_or_else(|| AttributeReference::Unknown(tag.to_string()), AttributeReference::Standard))
}

fn encode_reference(reference: &AttributeReference, encoder: &mut Encoder<'_>) {
    match reference {
        AttributeReference::Standard(id) => {
            encoder.writer.enumeration(tags::ATTRIBUTE_REFERENCE, id.rule().tag.value());
        }
        AttributeReference::Vendor { vendor_identification, attribute_name } => {
            encoder.structure(tags::ATTRIBUTE_REFERENCE, |encoder| {
                encoder.writer.text(tags::VENDOR_IDENTIFICATION, vendor_identification);
                encoder.writer.text(tags::ATTRIBUTE_NAME, attribute_name);
            });
        }
        AttributeReference::Unknown(_) => encoder.refuse(tags::ATTRIBUTE_REFERENCE),
    }
}

impl Field for NewAttribute {
    fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
        let version = decoder.version();
        let tag = if version.is_1x() { tags::ATTRIBUTE } else { tags::NEW_ATTRIBUTE };
        match decoder.next_if(tag)? {
            Some(item) if version.is_1x() => decode_1x(&item, version).map(Self),
            Some(item) => decode_one_2x(&item, version).map(|it| Self(it.into())),
            None => Err(decoder.missing(tag)),
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, _: Tag) {
        // The attribute is the point of the request: without it there is none.
        let length = encoder.writer.len();
        let rule = self.0.attribute.id().rule();
        if encoder.version().is_1x() {
            encode_1x(&self.0, encoder);
        } else if rule.is_in(encoder.version()) {
            encoder.structure(tags::NEW_ATTRIBUTE, |encoder| encode_2x(&self.0.attribute, encoder));
        }
        if encoder.writer.len() == length {
            encoder.refuse(rule.tag);
        }
    }
}

impl Field for CurrentAttribute {
    fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
        match decoder.next_if(tags::CURRENT_ATTRIBUTE)? {
            Some(item) => Ok(Self(Some(decode_one_2x(&item, decoder.version())?))),
            None => Ok(Self(None)),
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        if let Some(attribute) = &self.0 {
            encoder.structure(tag, |encoder| encode_2x(attribute, encoder));
        }
    }
}

impl Field for ChangedAttribute {
    fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
        let version = decoder.version();
        if !version.is_1x() {
            return Ok(Self(None));
        }
        match decoder.next_if(tags::ATTRIBUTE)? {
            Some(item) => Ok(Self(Some(decode_1x(&item, version)?))),
            None => Ok(Self(None)),
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, _: Tag) {
        if let Some(instance) = &self.0
            && encoder.version().is_1x()
        {
            encode_1x(instance, encoder);
        }
    }
}

impl Field for DeletedAttribute {
    fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
        let CurrentAttribute(current) = Field::take(decoder, tags::CURRENT_ATTRIBUTE)?;
        let References(mut references) = Field::take(decoder, tags::ATTRIBUTE_REFERENCE)?;
        let index = if decoder.version().is_1x() {
            Field::take(decoder, tags::ATTRIBUTE_INDEX)?
        } else {
            None
        };
        let reference = references.pop();
        if !references.is_empty() {
            let problem = Problem::OutOfOrder;
            return Err(Error::new(problem, tags::ATTRIBUTE_REFERENCE).within(decoder.structure()));
        }
        Ok(Self { current, reference, index })
    }

    fn put(&self, encoder: &mut Encoder<'_>, _: Tag) {
        let is_1x = encoder.version().is_1x();
        match &self.current {
            Some(_) if is_1x => encoder.leave_out(tags::CURRENT_ATTRIBUTE),
            Some(current) => {
                encoder.structure(tags::CURRENT_ATTRIBUTE, |encoder| encode_2x(current, encoder));
            }
            None => {}
        }
        if let Some(reference) = &self.reference {
            References(vec![reference.clone()]).put(encoder, tags::ATTRIBUTE_REFERENCE);
        }
        match self.index {
            Some(index) if is_1x => {
                encoder.writer.integer(tags::ATTRIBUTE_INDEX, index);
            }
            Some(_) => encoder.leave_out(tags::ATTRIBUTE_INDEX),
            None => {}
        }
    }
}

/// Reads a 1.x Attribute structure.
fn decode_1x(item: &Item<'_>, version: Version) -> Result<Instance, Error> {
    const KNOWN: &[Tag] = &[tags::ATTRIBUTE_NAME, tags::ATTRIBUTE_INDEX, tags::ATTRIBUTE_VALUE];
    let mut decoder = Decoder::new(item, version, KNOWN)?;
    let Some(name) = decoder.next_if(tags::ATTRIBUTE_NAME)? else {
        return Err(decoder.missing(tags::ATTRIBUTE_NAME));
    };
    let index = Field::take(&mut decoder, tags::ATTRIBUTE_INDEX)?;
    let Some(value) = decoder.next_if(tags::ATTRIBUTE_VALUE)? else {
        return Err(decoder.missing(tags::ATTRIBUTE_VALUE));
    };
    let attribute = match reference_of(name.text()?) {
        AttributeReference::Standard(id) => Attribute::decode_value(id, &value, version)?,
        AttributeReference::Vendor { vendor_identification, attribute_name } => {
            Attribute::Vendor(VendorAttribute {
                vendor_identification,
                attribute_name,
                attribute_value: Node::from_item(&value)?,
            })
        }
        AttributeReference::Unknown(_) => {
            return Err(Error::new(Problem::UnknownAttribute, tags::ATTRIBUTE_NAME));
        }
    };
    decoder.finish()?;
    Ok(Instance { index, attribute })
}

/// Writes a 1.x Attribute structure, unless the version does not have the attribute or something
/// in its value. Index 0 is left out, as the clients of 1.0 expect.
fn encode_1x(instance: &Instance, encoder: &mut Encoder<'_>) {
    let rule = instance.attribute.id().rule();
    if !rule.is_in(encoder.version()) {
        return encoder.leave_out(rule.tag);
    }
    encoder.attempt(|encoder| {
        encoder.structure(tags::ATTRIBUTE, |encoder| {
            let reference = instance.attribute.reference();
            encoder.writer.text(tags::ATTRIBUTE_NAME, &name_of(&reference));
            if let Some(index) = instance.index.filter(|index| *index != 0) {
                encoder.writer.integer(tags::ATTRIBUTE_INDEX, index);
            }
            match &instance.attribute {
                Attribute::Vendor(vendor) => {
                    vendor.attribute_value.encode(encoder, tags::ATTRIBUTE_VALUE);
                }
                attribute => attribute.encode_value(encoder, tags::ATTRIBUTE_VALUE),
            }
        });
    });
}

/// Reads a 2.x Attributes structure.
fn decode_set_2x(item: &Item<'_>, version: Version) -> Result<Attributes, Error> {
    let mut reader = item.structure()?;
    let mut attributes = Attributes::new();
    while let Some(child) = reader.next_item()? {
        attributes.0.push(decode_2x(&child, item.tag, version)?.into());
    }
    Ok(attributes)
}

/// Reads a structure that holds exactly one 2.x attribute.
fn decode_one_2x(item: &Item<'_>, version: Version) -> Result<Attribute, Error> {
    let mut set = decode_set_2x(item, version)?;
    match set.0.pop() {
        Some(instance) if set.is_empty() => Ok(instance.attribute),
        Some(_) => Err(Error::new(Problem::OutOfOrder, item.tag)),
        None => Err(Error::new(Problem::MissingField, item.tag)),
    }
}

fn decode_2x(item: &Item<'_>, structure: Tag, version: Version) -> Result<Attribute, Error> {
    match AttributeId::from_tag(item.tag) {
        Some(id) => Attribute::decode_value(id, item, version),
        None => Err(Error::new(Problem::UnknownAttribute, item.tag).within(structure)),
    }
}

fn encode_set_2x(attributes: &Attributes, encoder: &mut Encoder<'_>, tag: Tag) {
    encoder.structure(tag, |encoder| {
        for attribute in attributes.iter() {
            let rule = attribute.id().rule();
            if rule.is_in(encoder.version()) {
                encoder.attempt(|encoder| encode_2x(attribute, encoder));
            } else {
                encoder.leave_out(rule.tag);
            }
        }
    });
}

fn encode_2x(attribute: &Attribute, encoder: &mut Encoder<'_>) {
    attribute.encode_value(encoder, attribute.id().rule().tag);
}

/// The 2.x form; the 1.x form is never read or written through this.
impl Wire for VendorAttribute {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        const KNOWN: &[Tag] =
            &[tags::VENDOR_IDENTIFICATION, tags::ATTRIBUTE_NAME, tags::ATTRIBUTE_VALUE];
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let vendor_identification = Field::take(&mut decoder, tags::VENDOR_IDENTIFICATION)?;
        let attribute_name = Field::take(&mut decoder, tags::ATTRIBUTE_NAME)?;
        let Some(value) = decoder.next_if(tags::ATTRIBUTE_VALUE)? else {
            return Err(decoder.missing(tags::ATTRIBUTE_VALUE));
        };
        let attribute_value = Node::from_item(&value)?;
        decoder.finish()?;
        Ok(Self { vendor_identification, attribute_name, attribute_value })
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        encoder.structure(tag, |encoder| {
            encoder.writer.text(tags::VENDOR_IDENTIFICATION, &self.vendor_identification);
            encoder.writer.text(tags::ATTRIBUTE_NAME, &self.attribute_name);
            self.attribute_value.encode(encoder, tags::ATTRIBUTE_VALUE);
        });
    }
}
