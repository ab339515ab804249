//! Words on the command line as values of KMIP: enumerations, masks, attributes.
//!
//! It must never know a command.

use claviger_kmip::attributes::values::{
    AlternativeName, ApplicationSpecificInformation, Link, Name, UniqueIdentifier, VendorAttribute,
};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::compat::reference_of;
use claviger_kmip::enums::{AlternativeNameType, LinkType};
use claviger_kmip::tables::{Enumeration, KmipNames, Mask, Row};
use claviger_kmip::{Version, tags};
use claviger_ttlv::xml::Element;
use claviger_ttlv::{Limits, Message, Node, Tag, Value};

/// A name in any spelling: case, blanks, `-` and `_` do not count.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn find<'a>(rows: &'a [Row], word: &str) -> Option<&'a Row> {
    let word = plain(word);
    rows.iter().find(|row| {
        plain(row.name) == word
            || plain(row.title) == word
            || row.aliases.iter().any(|alias| plain(alias) == word)
    })
}

fn unknown(rows: &[Row]) -> String {
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    if names.len() > 24 {
        return String::from("that is none of the specification's names");
    }
    format!("choose one of {}", names.join(", "))
}

/// Reads a value of an enumeration.
pub(super) fn enumeration<T: Enumeration>(word: &str) -> Result<T, String> {
    let row = find(T::rows(), word).ok_or_else(|| unknown(T::rows()))?;
    Ok(T::from_value(row.code))
}

/// Reads bits of a mask, separated by commas.
pub(super) fn mask<T: Mask>(words: &str) -> Result<T, String> {
    let mut bits = 0_u32;
    for word in words.split(',').filter(|word| !word.is_empty()) {
        bits |= find(T::rows(), word).ok_or_else(|| unknown(T::rows()))?.code;
    }
    Ok(T::from_value(bits.cast_signed()))
}

/// Reads the name of an attribute: `State`, `Cryptographic Length`, `x-name`.
pub(super) fn reference(word: &str) -> Result<AttributeReference, String> {
    let rule = claviger_kmip::attributes::table::RULES
        .iter()
        .find(|rule| plain(rule.title()) == plain(word));
    if let Some(id) = rule.and_then(|rule| AttributeId::from_tag(rule.tag)) {
        return Ok(AttributeReference::Standard(id));
    }
    match reference_of(word) {
        reference @ AttributeReference::Vendor { .. } if word.contains('-') => Ok(reference),
        _ => Err(String::from("that is no attribute; those of your own begin with `x-`")),
    }
}

/// Reads `NAME=VALUE`.
pub(super) fn assignment(text: &str) -> Result<Attribute, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    attribute(&reference(name)?, value)
}

/// Reads the value of an attribute.
pub(super) fn attribute(reference: &AttributeReference, text: &str) -> Result<Attribute, String> {
    let id = match reference {
        AttributeReference::Standard(id) => *id,
        AttributeReference::Vendor { vendor_identification, attribute_name } => {
            return Ok(Attribute::Vendor(VendorAttribute {
                vendor_identification: vendor_identification.clone(),
                attribute_name: attribute_name.clone(),
                attribute_value: Node::new(
                    tags::ATTRIBUTE_VALUE,
                    Value::TextString(text.to_owned()),
                ),
            }));
        }
        AttributeReference::Unknown(_) => return Err(String::from("that is no attribute")),
    };
    let parts = |form: &str| text.split_once(':').ok_or_else(|| format!("write it as {form}"));
    match id {
        AttributeId::Name => Ok(Attribute::Name(Name::text(text))),
        AttributeId::AlternativeName => Ok(Attribute::AlternativeName(AlternativeName {
            alternative_name_value: text.to_owned(),
            alternative_name_type: AlternativeNameType::UNINTERPRETED_TEXT_STRING,
        })),
        AttributeId::Link => {
            let (link_type, linked) = parts("LINK TYPE:UNIQUE IDENTIFIER")?;
            Ok(Attribute::Link(Link {
                link_type: enumeration::<LinkType>(link_type)?,
                linked_object_identifier: UniqueIdentifier::from(linked),
            }))
        }
        AttributeId::ApplicationSpecificInformation => {
            let (namespace, data) = parts("NAMESPACE:DATA")?;
            let information = ApplicationSpecificInformation {
                application_namespace: namespace.to_owned(),
                application_data: Some(data.to_owned()),
            };
            Ok(Attribute::ApplicationSpecificInformation(information))
        }
        id => primitive(id, text),
    }
}

/// The table knows the Rust type of an attribute and not that of its item, so each type is tried:
/// the attribute takes only its own.
fn primitive(id: AttributeId, text: &str) -> Result<Attribute, String> {
    const TYPES: [&str; 8] = [
        "Enumeration",
        "Integer",
        "LongInteger",
        "Boolean",
        "DateTime",
        "Interval",
        "TextString",
        "ByteString",
    ];
    let tag = id.rule().tag;
    for item_type in TYPES {
        for text in [spelled(tag, text), text.to_owned()] {
            if let Some(attribute) = read(id, item_type, text) {
                return Ok(attribute);
            }
        }
    }
    Err(format!("that is no value of {}", id.rule().title()))
}

/// The specification's spelling of names of an enumeration or mask.
fn spelled(tag: Tag, text: &str) -> String {
    use claviger_kmip::tables::{Vocabulary, vocabulary};
    let rows = match vocabulary(tag) {
        Some(Vocabulary::Enumeration(table) | Vocabulary::Mask(table)) => table.rows,
        _ => return text.to_owned(),
    };
    let names = text.split([',', '|']).map(|word| find(rows, word).map_or(word, |row| row.name));
    names.collect::<Vec<_>>().join(" ")
}

fn read(id: AttributeId, item_type: &str, text: String) -> Option<Attribute> {
    let mut element = Element::default();
    claviger_kmip::tables::tag_name(id.rule().tag)?.clone_into(&mut element.name);
    element.item_type = Some(item_type.to_owned());
    element.value = Some(text);
    let limits = Limits::default();
    let bytes = element.to_node(&KmipNames, &limits).ok()?.to_bytes();
    let item = Message::parse(&bytes, &limits).ok()?.root();
    Attribute::decode_value(id, &item, Version::V2_1).ok()
}

#[cfg(test)]
mod tests {
    use claviger_kmip::codec::DateTime;
    use claviger_kmip::enums::{CryptographicAlgorithm, ObjectType, State};
    use claviger_kmip::masks::CryptographicUsageMask;

    use super::*;

    #[test]
    fn names_in_any_spelling() {
        for word in ["SymmetricKey", "symmetric-key", "Symmetric Key", "SYMMETRIC_KEY"] {
            assert_eq!(enumeration::<ObjectType>(word), Ok(ObjectType::SYMMETRIC_KEY), "{word}");
        }
        assert_eq!(enumeration("3des"), Ok(CryptographicAlgorithm::DES3));
        assert!(enumeration::<ObjectType>("house").unwrap_err().contains("SymmetricKey"));
        assert_eq!(
            mask("encrypt,wrap-key"),
            Ok(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::WRAP_KEY)
        );
        assert_eq!(mask(""), Ok(CryptographicUsageMask::EMPTY));
    }

    #[test]
    fn attributes_by_name_and_value() {
        for (text, expected) in [
            ("Name=k=1", Attribute::Name(Name::text("k=1"))),
            ("state=active", Attribute::State(State::ACTIVE)),
            ("Cryptographic Length=256", Attribute::CryptographicLength(256)),
            ("cryptographic-usage-mask=encrypt,decrypt", {
                let both = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
                Attribute::CryptographicUsageMask(both)
            }),
            ("Object Group=42", Attribute::ObjectGroup(String::from("42"))),
            ("Activation Date=1970-01-01T00:01:00Z", { Attribute::ActivationDate(DateTime(60)) }),
            ("Sensitive=true", Attribute::Sensitive(true)),
            ("x-cost centre=42", {
                Attribute::Vendor(VendorAttribute {
                    vendor_identification: String::from("x"),
                    attribute_name: String::from("cost centre"),
                    attribute_value: Node::new(
                        tags::ATTRIBUTE_VALUE,
                        Value::TextString(String::from("42")),
                    ),
                })
            }),
        ] {
            assert_eq!(assignment(text), Ok(expected), "{text}");
        }
        for bad in ["Name", "Colour=red", "State=happy", "Cryptographic Length=long", "Link=x"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }
}
