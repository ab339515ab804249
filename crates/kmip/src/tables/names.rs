//! The vocabulary for the text encodings of `claviger-ttlv`, and what must not be shown.
//!
//! Must never know an encoding: it answers from the tables.

use claviger_ttlv::{Names, Node, Tag, Value};

use super::{Table, Vocabulary, attribute_tag, tag_by_name, tag_name, tags, vocabulary};

/// The names of KMIP.
#[derive(Copy, Clone, Debug, Default)]
pub struct KmipNames;

fn enumeration(context: Tag) -> Option<&'static Table> {
    match vocabulary(context) {
        Some(Vocabulary::Enumeration(table)) => Some(table),
        _ => None,
    }
}

fn mask(context: Tag) -> Option<&'static Table> {
    match vocabulary(context) {
        Some(Vocabulary::Mask(table)) => Some(table),
        _ => None,
    }
}

fn holds_tags(context: Tag) -> bool {
    matches!(vocabulary(context), Some(Vocabulary::Tags))
}

impl Names for KmipNames {
    fn tag_name(&self, tag: Tag) -> Option<&'static str> {
        tag_name(tag)
    }

    fn tag(&self, name: &str) -> Option<Tag> {
        tag_by_name(name)
    }

    fn value_name(&self, context: Tag, value: u32) -> Option<&'static str> {
        if holds_tags(context) {
            // A number with more than the 24 bits of a tag is no tag.
            return if value >> 24 == 0 { tag_name(Tag::new(value)) } else { None };
        }
        enumeration(context)?.by_code(value).map(|row| row.name)
    }

    fn value(&self, context: Tag, name: &str) -> Option<u32> {
        if holds_tags(context) {
            return tag_by_name(name).map(Tag::value);
        }
        enumeration(context)?.by_name(name).map(|row| row.code)
    }

    fn bit_name(&self, context: Tag, bit: u32) -> Option<&'static str> {
        mask(context)?.by_code(bit).map(|row| row.name)
    }

    fn bit(&self, context: Tag, name: &str) -> Option<u32> {
        mask(context)?.by_name(name).map(|row| row.code)
    }

    /// Attribute Name says what Attribute Value means (KMIP 1.4 §2.1.1).
    fn governed(&self, tag: Tag, text: &str) -> Option<(Tag, Tag)> {
        if tag != tags::ATTRIBUTE_NAME {
            return None;
        }
        // An attribute that is not the specification's governs too: nothing is known of its values.
        Some((tags::ATTRIBUTE_VALUE, attribute_tag(text).unwrap_or(tags::ATTRIBUTE_VALUE)))
    }
}

/// Whether the item, with all that is in it, must not be shown to people or written to a log.
#[must_use]
pub fn is_secret(node: &Node) -> bool {
    if node.tag == tags::KEY_VALUE {
        // Wrapped key material; as a structure it also holds attributes, which may be shown.
        return !matches!(node.value, Value::Structure(_));
    }
    SECRET.contains(&node.tag)
}

/// Key material, what is encrypted with it, and what proves who one is.
const SECRET: &[Tag] = &[
    tags::KEY_MATERIAL,
    tags::OPAQUE_DATA_VALUE,
    tags::DATA,
    tags::DERIVATION_DATA,
    tags::PASSWORD,
    tags::ONE_TIME_PASSWORD,
    tags::HASHED_PASSWORD,
    tags::SERVER_HASHED_PASSWORD,
    tags::ATTESTATION_MEASUREMENT,
    tags::ATTESTATION_ASSERTION,
    tags::TICKET_VALUE,
    tags::PKCS_11_INPUT_PARAMETERS,
    tags::PKCS_11_OUTPUT_PARAMETERS,
    tags::VENDOR_EXTENSION,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_values_are_read_through_the_attribute_name() {
        let names = KmipNames;
        let governed = |text| names.governed(tags::ATTRIBUTE_NAME, text);
        assert_eq!(governed("State"), Some((tags::ATTRIBUTE_VALUE, tags::STATE)));
        assert_eq!(governed("x-Foo"), Some((tags::ATTRIBUTE_VALUE, tags::ATTRIBUTE_VALUE)));
        assert_eq!(names.governed(tags::NAME_VALUE, "State"), None);
        assert_eq!(names.value_name(tags::STATE, 2), Some("Active"));
    }

    #[test]
    fn attribute_references_are_tags() {
        let names = KmipNames;
        assert_eq!(names.value(tags::ATTRIBUTE_REFERENCE, "State"), Some(0x42_008D));
        assert_eq!(names.value_name(tags::ATTRIBUTE_REFERENCE, 0x42_008D), Some("State"));
        assert_eq!(names.value_name(tags::ATTRIBUTE_REFERENCE, 0x0142_008D), None);
    }

    #[test]
    fn a_plain_key_value_may_be_walked_but_not_its_material() {
        let key = Node::new(tags::KEY_MATERIAL, Value::ByteString(vec![1]));
        assert!(is_secret(&key));
        assert!(!is_secret(&Node::structure(tags::KEY_VALUE, vec![key])));
        assert!(is_secret(&Node::new(tags::KEY_VALUE, Value::ByteString(vec![1]))));
    }
}
