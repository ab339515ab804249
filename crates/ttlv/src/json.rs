//! TTLV in JSON (KMIP Profiles 2.1 §5.4, Additional Message Encodings 1.0 §4).
//!
//! One object per item: `tag`, `type` (left out for a structure) and `value`, which is an array
//! for a structure.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use crate::names::{tag_from, tag_label};
use crate::parse_error::{Budget, text_size_max};
use crate::scalar;
use crate::xml::type_from;
use crate::{
    ItemType, Layout, Limits, Names, Node, ParseError, ParseErrorKind, Siblings, Tag, Value,
};

/// From here on a Long Integer is written as a hexadecimal text: JSON numbers are often read as
/// floating point, which is exact below this.
const EXACT_MAX: u64 = 1 << 52;

/// Reads a text that is exactly one message.
///
/// # Errors
/// The first thing that is wrong with the text, or that exceeds the limits.
pub fn read(text: &str, names: &dyn Names, limits: &Limits) -> Result<Node, ParseError> {
    if text.len() > text_size_max(limits) {
        return Err(ParseError::new(ParseErrorKind::TooLarge));
    }
    let json: Json =
        serde_json::from_str(text).map_err(|_| ParseError::new(ParseErrorKind::Syntax))?;
    node(&json, names, &Siblings::default(), &mut Budget::new(limits))
}

fn node(
    json: &Json,
    names: &dyn Names,
    siblings: &Siblings,
    budget: &mut Budget,
) -> Result<Node, ParseError> {
    let malformed = || ParseError::new(ParseErrorKind::Malformed);
    let Json::Object(object) = json else { return Err(malformed()) };
    let name = object.get("tag").and_then(Json::as_str).ok_or_else(malformed)?;
    let fail = |kind| ParseError::new(kind).inside(name);
    let tag = tag_from(names, name).ok_or_else(|| fail(ParseErrorKind::UnknownTag))?;
    let item_type = item_type(object).map_err(fail)?;
    let json = object.get("value").unwrap_or(&Json::Null);
    budget.enter().map_err(fail)?;
    let value = match (item_type, json) {
        (ItemType::Structure, Json::Array(items)) => {
            let mut siblings = Siblings::default();
            let mut children = Vec::with_capacity(items.len());
            for item in items {
                let child =
                    node(item, names, &siblings, budget).map_err(|error| error.inside(name))?;
                if let Value::TextString(text) = &child.value {
                    siblings.note(names, child.tag, text);
                }
                children.push(child);
            }
            Value::Structure(children)
        }
        (ItemType::Structure, Json::Null) => Value::Structure(Vec::new()),
        _ => {
            let value = scalar(json, names, siblings.context(tag), item_type);
            let value = value.ok_or_else(|| fail(ParseErrorKind::BadValue(item_type)))?;
            budget.spend(value.wire_size()).map_err(fail)?;
            value
        }
    };
    budget.leave();
    Ok(Node::new(tag, value))
}

fn item_type(object: &Map<String, Json>) -> Result<ItemType, ParseErrorKind> {
    match object.get("type") {
        None => Ok(ItemType::Structure),
        Some(Json::String(name)) => type_from(name).ok_or(ParseErrorKind::UnknownType),
        Some(_) => Err(ParseErrorKind::UnknownType),
    }
}

fn scalar(json: &Json, names: &dyn Names, context: Tag, item_type: ItemType) -> Option<Value> {
    match json {
        Json::String(text) => scalar::parse(names, context, item_type, text),
        Json::Bool(value) if item_type == ItemType::Boolean => Some(Value::Boolean(*value)),
        Json::Number(number) => match item_type {
            ItemType::Integer => Some(Value::Integer(number.as_i64()?.try_into().ok()?)),
            ItemType::LongInteger => Some(Value::LongInteger(number.as_i64()?)),
            ItemType::BigInteger => Some(Value::big_integer(&number.as_i64()?.to_be_bytes())),
            ItemType::Enumeration => Some(Value::Enumeration(number.as_u64()?.try_into().ok()?)),
            ItemType::Interval => Some(Value::Interval(number.as_u64()?.try_into().ok()?)),
            _ => None,
        },
        Json::Null if matches!(item_type, ItemType::TextString | ItemType::ByteString) => {
            scalar::parse(names, context, item_type, "")
        }
        _ => None,
    }
}

/// Writes a message.
#[must_use]
pub fn write(node: &Node, names: &dyn Names, layout: Layout) -> String {
    let mut text = String::new();
    write_node(&mut text, node, names, &Siblings::default(), layout, 0);
    layout.end_line(&mut text);
    text
}

fn write_node(
    text: &mut String,
    node: &Node,
    names: &dyn Names,
    siblings: &Siblings,
    layout: Layout,
    depth: usize,
) {
    layout.indent(text, depth);
    text.push_str("{\"tag\":");
    quote(text, &tag_label(names, node.tag));
    let Value::Structure(children) = &node.value else {
        let _infallible = write!(text, ",\"type\":\"{}\",\"value\":", node.item_type().name());
        write_value(text, node, names, siblings.context(node.tag));
        return text.push('}');
    };
    text.push_str(",\"value\":[");
    let mut siblings = Siblings::default();
    for (index, child) in children.iter().enumerate() {
        if index != 0 {
            text.push(',');
        }
        layout.end_line(text);
        write_node(text, child, names, &siblings, layout, depth.saturating_add(1));
        if let Value::TextString(value) = &child.value {
            siblings.note(names, child.tag, value);
        }
    }
    if !children.is_empty() {
        layout.end_line(text);
        layout.indent(text, depth);
    }
    text.push_str("]}");
}

fn write_value(text: &mut String, node: &Node, names: &dyn Names, context: Tag) {
    match &node.value {
        Value::Structure(_) => text.push_str("[]"),
        Value::Integer(value) => match scalar::mask_label(names, context, *value, "|") {
            Some(mask) => quote(text, &mask),
            None => text.push_str(&value.to_string()),
        },
        Value::LongInteger(value) if value.unsigned_abs() < EXACT_MAX => {
            text.push_str(&value.to_string());
        }
        Value::LongInteger(value) => quote(text, &scalar::hex_long(*value)),
        Value::BigInteger(bytes) => quote(text, &format!("0x{}", scalar::hex(bytes))),
        Value::Enumeration(value) => {
            quote(text, &scalar::enumeration_label(names, context, *value));
        }
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::TextString(value) => quote(text, value),
        Value::ByteString(bytes) => quote(text, &scalar::hex(bytes)),
        Value::DateTime(value) => quote(text, &scalar::date_time_label(*value)),
        Value::Interval(value) => text.push_str(&value.to_string()),
        Value::DateTimeExtended(value) => quote(text, &scalar::date_time_extended_label(*value)),
    }
}

/// A JSON text (RFC 8259 §7).
fn quote(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{0}'..='\u{1F}' => {
                let _infallible = write!(text, "\\u{:04x}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}
