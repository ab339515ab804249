//! Objects at rest: one version byte, then TTLV with tags of our own; docs/formats.md §5.

use claviger_kmip::attributes::{Attribute, AttributeId, Attributes, Instance};
use claviger_kmip::codec::Encoder;
use claviger_kmip::enums::ObjectType;
use claviger_kmip::objects::Object;
use claviger_kmip::{Error, Problem, Version, tags};
use claviger_ttlv::{Item, Limits, Message, Tag, Writer};
use zeroize::Zeroizing;

use super::id::ObjectId;
use super::managed::ManagedObject;

const FORMAT: u8 = 1;
const RECORD: Tag = Tag::new(0x54_0001);
const ATTRIBUTES: Tag = Tag::new(0x54_0002);

const LIMITS: Limits = Limits { size_max: 16 << 20, depth_max: 32, items_max: 1 << 20 };

/// Why a record was not understood.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It was written by newer software.
    #[error("an object is stored in format {0}, which is newer than this software")]
    Format(u8),
    /// Its content is wrong.
    #[error("an object's record is damaged: {0}")]
    Content(#[from] Error),
}

/// The bytes of an object's record.
pub fn encode(object: &ManagedObject) -> Zeroizing<Vec<u8>> {
    // Reserved, so that a growing buffer leaves no copy of the key behind.
    let mut writer = Writer::with_buffer(Vec::with_capacity(size_hint(object)));
    let mut encoder = Encoder::new(&mut writer, Version::EVERY);
    encoder.structure(RECORD, |encoder| {
        encoder.writer.enumeration(tags::OBJECT_TYPE, object.object_type.0);
        if let Some(object) = &object.object {
            object.encode(encoder);
        }
        encoder.structure(ATTRIBUTES, |encoder| {
            for Instance { index, attribute } in &object.attributes.0 {
                if let Some(index) = index.filter(|index| *index != 0) {
                    encoder.writer.integer(tags::ATTRIBUTE_INDEX, index);
                }
                attribute.encode_value(encoder, attribute.id().rule().tag);
            }
        });
    });
    let mut bytes = Zeroizing::new(Vec::with_capacity(writer.len().saturating_add(1)));
    bytes.push(FORMAT);
    bytes.extend_from_slice(writer.as_bytes());
    writer.truncate(0);
    bytes
}

/// More than most records take: key material, and about 40 bytes for each attribute.
fn size_hint(object: &ManagedObject) -> usize {
    let attributes = object.attributes.0.len().saturating_mul(64);
    let key = object.object.as_ref().map_or(0, |object| match object {
        Object::OpaqueObject(opaque) => opaque.opaque_data_value.len(),
        _ => 4096,
    });
    attributes.saturating_add(key).saturating_add(512)
}

/// The object of a record.
///
/// # Errors
/// The record is newer than this software, or damaged.
pub fn decode(id: ObjectId, bytes: &[u8]) -> Result<ManagedObject, RecordError> {
    let damaged = |tag| Error::new(Problem::BadValue, tag);
    let (format, body) = bytes.split_first().ok_or_else(|| damaged(RECORD))?;
    if *format != FORMAT {
        return Err(RecordError::Format(*format));
    }
    let message = Message::parse(body, &LIMITS).map_err(Error::from)?;
    let mut reader = message.root().structure().map_err(Error::from)?;
    let mut object_type = None;
    let mut object = None;
    let mut attributes = Attributes::new();
    while let Some(item) = reader.next_item().map_err(Error::from)? {
        match item.tag {
            tags::OBJECT_TYPE => {
                object_type = Some(ObjectType(item.enumeration().map_err(Error::from)?));
            }
            ATTRIBUTES => attributes = decode_attributes(&item)?,
            _ => object = Some(Object::decode(&item, Version::EVERY)?),
        }
    }
    let object_type = object_type.ok_or_else(|| damaged(tags::OBJECT_TYPE))?;
    Ok(ManagedObject { id, object_type, object, attributes })
}

fn decode_attributes(item: &Item<'_>) -> Result<Attributes, Error> {
    let mut attributes = Attributes::new();
    let mut index = 0;
    let mut reader = item.structure()?;
    while let Some(item) = reader.next_item()? {
        if item.tag == tags::ATTRIBUTE_INDEX {
            index = item.integer()?;
            continue;
        }
        let id = AttributeId::from_tag(item.tag)
            .ok_or_else(|| Error::new(Problem::UnknownAttribute, item.tag))?;
        let attribute = Attribute::decode_value(id, &item, Version::EVERY)?;
        attributes.0.push(Instance { index: Some(index), attribute });
        index = 0;
    }
    Ok(attributes)
}
