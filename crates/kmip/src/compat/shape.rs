//! One attribute, and a set of them, in the shape of 1.x and in the shape of 2.x.

use claviger_ttlv::{Item, Node, Tag};

use super::{name_of, reference_of};
use crate::attributes::values::VendorAttribute;
use crate::attributes::{Attribute, AttributeId, AttributeReference, Attributes, Instance};
use crate::codec::{Decoder, Encoder, Field, Wire};
use crate::error::{Error, Problem};
use crate::{Version, tags};

/// Reads a 1.x Attribute structure.
pub(super) fn decode_1x(item: &Item<'_>, version: Version) -> Result<Instance, Error> {
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
pub(super) fn encode_1x(instance: &Instance, encoder: &mut Encoder<'_>) {
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
pub(super) fn decode_set_2x(item: &Item<'_>, version: Version) -> Result<Attributes, Error> {
    let mut reader = item.structure()?;
    let mut attributes = Attributes::new();
    while let Some(child) = reader.next_item()? {
        attributes.0.push(decode_2x(&child, item.tag, version)?.into());
    }
    Ok(attributes)
}

/// Reads a structure that holds exactly one 2.x attribute.
pub(super) fn decode_one_2x(item: &Item<'_>, version: Version) -> Result<Attribute, Error> {
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

pub(super) fn encode_set_2x(attributes: &Attributes, encoder: &mut Encoder<'_>, tag: Tag) {
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

pub(super) fn encode_2x(attribute: &Attribute, encoder: &mut Encoder<'_>) {
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
