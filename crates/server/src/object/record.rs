//! Objects at rest: one version byte, then TTLV with tags of our own; docs/formats.md §5.

use claviger_kmip::attributes::{Attribute, AttributeId, Attributes, Instance};
use claviger_kmip::codec::Encoder;
use claviger_kmip::enums::ObjectType;
use claviger_kmip::objects::Object;
use claviger_kmip::{Error, Problem, Version, tags};
use claviger_ttlv::{Item, Reader, Tag, Writer};
use zeroize::Zeroizing;

use super::id::ObjectId;
use super::managed::{ManagedObject, Outline};

const FORMAT: u8 = 1;
const RECORD: Tag = Tag::new(0x54_0001);
const ATTRIBUTES: Tag = Tag::new(0x54_0002);

/// Why a record was not understood.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Its first byte names no format that this software knows.
    #[error("an object is stored in the unknown format {0}")]
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
/// The record is in an unknown format, or damaged.
pub fn decode(id: ObjectId, bytes: &[u8]) -> Result<ManagedObject, RecordError> {
    let Parts { object_type, object, attributes } = parts(bytes)?;
    let attributes = attributes.map(|item| decode_attributes(&item)).transpose()?;
    Ok(ManagedObject { id, object_type, object, attributes: attributes.unwrap_or_default() })
}

/// The outline of a record: most attributes are passed over.
///
/// # Errors
/// As [`decode`].
pub fn outline(bytes: &[u8]) -> Result<Outline, RecordError> {
    let Parts { object_type, object, attributes } = parts(bytes)?;
    let mut outline =
        Outline { object_type, object, sensitive: None, extractable: None, fresh: None };
    let Some(attributes) = attributes else { return Ok(outline) };
    let mut reader = attributes.structure().map_err(Error::from)?;
    while let Some(item) = reader.next_item().map_err(Error::from)? {
        let flag = match item.tag {
            tags::SENSITIVE => &mut outline.sensitive,
            tags::EXTRACTABLE => &mut outline.extractable,
            tags::FRESH => &mut outline.fresh,
            _ => continue,
        };
        *flag = Some(item.boolean().map_err(Error::from)?);
    }
    Ok(outline)
}

/// What a record is made of; the attributes not looked into.
struct Parts<'r> {
    object_type: ObjectType,
    object: Option<Object>,
    attributes: Option<Item<'r>>,
}

fn parts(bytes: &[u8]) -> Result<Parts<'_>, RecordError> {
    let damaged = |tag| Error::new(Problem::BadValue, tag);
    let (format, body) = bytes.split_first().ok_or_else(|| damaged(RECORD))?;
    if *format != FORMAT {
        return Err(RecordError::Format(*format));
    }
    // The bytes are authenticated: they are what `encode` wrote. The reader still refuses what
    // does not fit, but the walk that bounds a stranger's message is spared.
    let mut reader = Reader::inside(body).ok_or_else(|| damaged(RECORD))?;
    let mut object_type = None;
    let mut object = None;
    let mut attributes = None;
    while let Some(item) = reader.next_item().map_err(Error::from)? {
        match item.tag {
            tags::OBJECT_TYPE => {
                object_type = Some(ObjectType(item.enumeration().map_err(Error::from)?));
            }
            ATTRIBUTES => attributes = Some(item),
            _ => object = Some(Object::decode(&item, Version::EVERY)?),
        }
    }
    let object_type = object_type.ok_or_else(|| damaged(tags::OBJECT_TYPE))?;
    Ok(Parts { object_type, object, attributes })
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

#[cfg(test)]
mod tests {
    use claviger_kmip::attributes::values::{Name, UsageLimits, VendorAttribute};
    use claviger_kmip::codec::{ByteString, DateTime};
    use claviger_kmip::enums::{
        CertificateType, KeyFormatType, OpaqueDataType, SecretDataType, SplitKeyMethod,
        UsageLimitsUnit,
    };
    use claviger_kmip::masks::CryptographicUsageMask;
    use claviger_kmip::objects::{
        Certificate, Key, KeyBlock, KeyMaterial, KeyValue, OpaqueObject, PgpKey, SecretData,
        SplitKey, Template,
    };
    use claviger_ttlv::{Node, Value};

    use super::*;

    /// Also what one major version has and the other lacks.
    fn attributes() -> Attributes {
        let mut attributes: Attributes = [
            Attribute::Name(Name::text("first")),
            Attribute::Name(Name::text("third")),
            Attribute::OperationPolicyName(String::from("default")),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::EXPORT),
            Attribute::ActivationDate(DateTime(-1)),
            Attribute::Fresh(true),
            Attribute::Comment(String::from("ä")),
            Attribute::KeyFormatType(KeyFormatType::TRANSPARENT_ECDSA_PRIVATE_KEY),
            Attribute::UsageLimits(UsageLimits {
                usage_limits_total: 5,
                usage_limits_count: Some(4),
                usage_limits_unit: UsageLimitsUnit::OBJECT,
            }),
            Attribute::Vendor(VendorAttribute {
                vendor_identification: String::from("x"),
                attribute_name: String::from("ID"),
                attribute_value: Node::new(tags::ATTRIBUTE_VALUE, Value::Integer(7)),
            }),
        ]
        .into_iter()
        .collect();
        // An index that a deletion left behind.
        attributes.0[1].index = Some(2);
        attributes
    }

    fn block() -> KeyBlock {
        KeyBlock {
            key_format_type: KeyFormatType::RAW,
            key_compression_type: None,
            key_value: Some(KeyValue::Plain {
                key_material: KeyMaterial::Bytes(vec![1, 2, 3].into()),
                attributes: attributes(),
            }),
            cryptographic_algorithm: None,
            cryptographic_length: Some(24),
            key_wrapping_data: None,
        }
    }

    #[test]
    fn every_type_of_object_comes_back_as_it_was() {
        let key = || Key { key_block: Some(block()) };
        let objects = [
            Object::SymmetricKey(key()),
            Object::PublicKey(key()),
            Object::PrivateKey(key()),
            Object::Certificate(Certificate {
                certificate_type: CertificateType::X_509,
                certificate_value: ByteString(vec![48, 0]),
            }),
            Object::SplitKey(SplitKey {
                split_key_parts: 3,
                key_part_identifier: 1,
                split_key_threshold: 2,
                split_key_method: SplitKeyMethod::XOR,
                prime_field_size: None,
                key_block: Some(block()),
            }),
            Object::Template(Template { attributes: attributes() }),
            Object::SecretData(SecretData {
                secret_data_type: SecretDataType::PASSWORD,
                key_block: Some(block()),
            }),
            Object::OpaqueObject(OpaqueObject {
                opaque_data_type: OpaqueDataType(0x8000_0001),
                opaque_data_value: vec![9; 20_000].into(),
            }),
            Object::PgpKey(PgpKey { pgp_key_version: 4, key_block: Some(block()) }),
        ];
        let id = ObjectId::from_bytes([7; 16]);
        for object in objects {
            let stored = ManagedObject {
                id,
                object_type: object.object_type(),
                object: Some(object),
                attributes: attributes(),
            };
            let back = decode(id, &encode(&stored)).unwrap();
            // Indices inside a key value or template are not kept: they are the message's.
            assert_eq!(back.attributes, stored.attributes);
            assert_eq!(back.object_type, stored.object_type);
            let values = |object: &ManagedObject| match &object.object {
                Some(Object::Template(template)) => {
                    Some(template.attributes.iter().cloned().collect::<Vec<_>>())
                }
                other => other.as_ref().and_then(Object::key_block).and_then(|block| match &block
                    .key_value
                {
                    Some(KeyValue::Plain { attributes, .. }) => {
                        Some(attributes.iter().cloned().collect())
                    }
                    _ => None,
                }),
            };
            assert_eq!(values(&back), values(&stored));
            let tombstone = ManagedObject { object: None, ..stored };
            assert_eq!(decode(id, &encode(&tombstone)).unwrap(), tombstone);
        }
    }

    #[test]
    fn an_outline_says_what_the_whole_object_says() {
        let id = ObjectId::from_bytes([7; 16]);
        let object = Object::SymmetricKey(Key { key_block: Some(block()) });
        for (sensitive, extractable, fresh) in [
            (None, None, None),
            (Some(true), Some(false), Some(true)),
            (Some(false), Some(true), Some(false)),
        ] {
            let mut attributes = attributes();
            attributes.0.retain(|it| !matches!(it.attribute, Attribute::Fresh(_)));
            for flag in [
                sensitive.map(Attribute::Sensitive),
                extractable.map(Attribute::Extractable),
                fresh.map(Attribute::Fresh),
            ] {
                attributes.0.extend(flag.map(Instance::from));
            }
            let object = Some(object.clone());
            let stored =
                ManagedObject { id, object_type: ObjectType::SYMMETRIC_KEY, object, attributes };
            for stored in [ManagedObject { object: None, ..stored.clone() }, stored] {
                let bytes = encode(&stored);
                let whole = Outline::from(&decode(id, &bytes).unwrap());
                assert_eq!(outline(&bytes).unwrap(), whole);
                assert_eq!(
                    (whole.sensitive, whole.extractable, whole.fresh),
                    (sensitive, extractable, fresh)
                );
                assert_eq!(whole.object.is_some(), stored.object.is_some());
            }
        }
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let error = decode(ObjectId::from_bytes([0; 16]), &[2, 0, 0]).unwrap_err();
        assert!(matches!(error, RecordError::Format(2)), "{error}");
    }
}
