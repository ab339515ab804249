//! How each of the [`compat`](super) types reads and writes the shape of its message's version.

use claviger_ttlv::{Item, ItemType, Tag};

use super::shape::{decode_1x, decode_one_2x, decode_set_2x, encode_1x, encode_2x, encode_set_2x};
use super::{
    AttributeList, ChangedAttribute, CurrentAttribute, DeletedAttribute, NewAttribute, References,
    TemplateAttributes, name_of, reference_of,
};
use crate::attributes::{AttributeId, AttributeReference, Attributes};
use crate::codec::{Decoder, Encoder, Field};
use crate::error::{Error, Problem};
use crate::{Version, tags};

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
