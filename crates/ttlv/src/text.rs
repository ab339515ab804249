//! A message for people: one item per line, indented, with names instead of numbers.
//!
//! Nothing reads this back. With a predicate that says which items are secret, their values are
//! replaced by their length, so that the text may be logged or pasted.

use std::fmt::Write as _;

use crate::names::tag_label;
use crate::{Layout, Names, Node, Siblings, Tag, Value, scalar};

/// Writes a message; the values of items for which `is_secret` says so, and of everything in them,
/// are left out.
#[must_use]
pub fn write(node: &Node, names: &dyn Names, is_secret: &dyn Fn(&Node) -> bool) -> String {
    let mut text = String::new();
    let line = Line { names, is_secret, siblings: Siblings::default(), depth: 0, hide: false };
    line.write(&mut text, node);
    text
}

struct Line<'a> {
    names: &'a dyn Names,
    is_secret: &'a dyn Fn(&Node) -> bool,
    siblings: Siblings,
    depth: usize,
    hide: bool,
}

impl Line<'_> {
    fn write(&self, text: &mut String, node: &Node) {
        let hide = self.hide || (self.is_secret)(node);
        Layout::Indented.indent(text, self.depth);
        text.push_str(&tag_label(self.names, node.tag));
        if let Value::Structure(children) = &node.value {
            text.push('\n');
            let mut siblings = Siblings::default();
            for child in children {
                let line = Line { siblings, depth: self.depth.saturating_add(1), hide, ..*self };
                line.write(text, child);
                if let Value::TextString(value) = &child.value {
                    siblings.note(self.names, child.tag, value);
                }
            }
            return;
        }
        let value = if hide {
            format!("({} bytes, not shown)", node.value.wire_size())
        } else {
            label(&node.value, self.names, self.siblings.context(node.tag))
        };
        let _infallible = writeln!(text, " {} {value}", node.item_type().name());
    }
}

fn label(value: &Value, names: &dyn Names, context: Tag) -> String {
    match value {
        Value::Structure(_) => String::new(),
        Value::Integer(value) => match scalar::mask_label(names, context, *value, " | ") {
            Some(mask) => format!("{value} ({mask})"),
            None => value.to_string(),
        },
        Value::LongInteger(value) => value.to_string(),
        Value::BigInteger(bytes) | Value::ByteString(bytes) => scalar::hex(bytes),
        Value::Enumeration(value) => scalar::enumeration_label(names, context, *value),
        Value::Boolean(value) => value.to_string(),
        Value::TextString(value) => format!("{value:?}"),
        Value::DateTime(value) => scalar::date_time_label(*value),
        Value::Interval(value) => format!("{value} s"),
        Value::DateTimeExtended(value) => scalar::date_time_extended_label(*value),
    }
}

/// One value for people, in the context of a tag, as [`write()`] shows it.
#[must_use]
pub fn value_label(value: &Value, names: &dyn Names, context: Tag) -> String {
    match value {
        Value::Structure(children) => format!("structure of {}", children.len()),
        _ => label(value, names, context),
    }
}
