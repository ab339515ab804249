//! Attributes for people and for programs.
//!
//! It must never be given key material.

use claviger_kmip::Version;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::codec::Encoder;
use claviger_kmip::compat::name_of;
use claviger_kmip::tables::KmipNames;
use claviger_ttlv::{Layout, Limits, Node, Writer, json};
use serde_json::{Map, Value};

/// The 1.x name of an attribute, which is the one that people read.
pub(super) fn name(attribute: &Attribute) -> String {
    name_of(&attribute.reference()).into_owned()
}

/// The value as JSON: names for enumerations and masks, objects for structures.
pub(super) fn value(attribute: &Attribute) -> Value {
    let node = match attribute {
        Attribute::Vendor(vendor) => Some(vendor.attribute_value.clone()),
        attribute => encoded(attribute),
    };
    node.map(|node| simplified(&node)).unwrap_or_default()
}

/// The value on one line.
pub(super) fn text(attribute: &Attribute) -> String {
    line(&value(attribute))
}

fn encoded(attribute: &Attribute) -> Option<Node> {
    let mut writer = Writer::new();
    let mut encoder = Encoder::new(&mut writer, Version::V2_1);
    attribute.encode_value(&mut encoder, attribute.id().rule().tag);
    // A value that 2.1 has dropped is written all the same; only its name would be missing.
    let _too_young = encoder.finish();
    Node::from_bytes(writer.as_bytes(), &Limits::default()).ok()
}

/// KMIP's JSON has tags and types beside each value; people want the values.
fn simplified(node: &Node) -> Value {
    let text = json::write(node, &KmipNames, Layout::Compact);
    serde_json::from_str(&text).map(plain).unwrap_or_default()
}

fn plain(item: Value) -> Value {
    let Value::Object(mut item) = item else { return item };
    match item.remove("value") {
        Some(Value::Array(items)) => {
            let mut fields = Map::new();
            for item in items {
                let name = item.get("tag").and_then(Value::as_str).unwrap_or_default().to_owned();
                fields.insert(name, plain(item));
            }
            Value::Object(fields)
        }
        Some(value) => value,
        None => Value::Null,
    }
}

fn line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}={}", line(value)));
            fields.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use claviger_kmip::attributes::values::Name;
    use claviger_kmip::codec::DateTime;
    use claviger_kmip::enums::State;
    use claviger_kmip::masks::CryptographicUsageMask;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_words() {
        let both = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
        for (attribute, expected) in [
            (Attribute::State(State::ACTIVE), json!("Active")),
            (Attribute::CryptographicUsageMask(both), json!("Encrypt|Decrypt")),
            (Attribute::CryptographicLength(256), json!(256)),
            (Attribute::ActivationDate(DateTime(60)), json!("1970-01-01T00:01:00+00:00")),
            (
                Attribute::Name(Name::text("k")),
                json!({ "NameValue": "k", "NameType": "UninterpretedTextString" }),
            ),
        ] {
            assert_eq!(value(&attribute), expected);
        }
        assert_eq!(name(&Attribute::State(State::ACTIVE)), "State");
        let name = text(&Attribute::Name(Name::text("k")));
        assert_eq!(name, "NameType=UninterpretedTextString NameValue=k");
    }
}
