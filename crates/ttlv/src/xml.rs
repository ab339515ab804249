//! TTLV in XML (KMIP Profiles 2.1 §5.5, Additional Message Encodings 1.0 §6).
//!
//! One element per item, named after the tag, or `TTLV` with a `tag` attribute; `type` and `value`
//! are attributes, and an element without a type is a structure. Comments, processing
//! instructions, text between elements and namespaces are read over. Document types are refused.

use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::names::{tag_from, tag_number};
use crate::parse_error::{Budget, text_size_max};
use crate::scalar;
use crate::{
    ItemType, Layout, Limits, Names, Node, ParseError, ParseErrorKind, Siblings, Tag, Value,
};

/// An element as it is written, before its tag, type and value are understood.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The name without a namespace prefix.
    pub name: String,
    /// The `tag` attribute.
    pub tag: Option<String>,
    /// The `type` attribute.
    pub item_type: Option<String>,
    /// The `value` attribute.
    pub value: Option<String>,
    /// The elements inside.
    pub children: Vec<Element>,
}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Element").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.value);
    }
}

/// Reads a text that is exactly one message.
///
/// # Errors
/// The first thing that is wrong with the text, or that exceeds the limits.
pub fn read(text: &str, names: &dyn Names, limits: &Limits) -> Result<Node, ParseError> {
    match elements(text, limits)?.as_slice() {
        [element] => element.to_node(names, limits),
        _ => Err(ParseError::new(ParseErrorKind::NotOneItem)),
    }
}

/// Reads the outermost elements of a text, for documents that hold more than messages.
///
/// # Errors
/// The text is not well-formed, or exceeds the limits on its size, depth or number of elements.
pub fn elements(text: &str, limits: &Limits) -> Result<Vec<Element>, ParseError> {
    if text.len() > text_size_max(limits) {
        return Err(ParseError::new(ParseErrorKind::TooLarge));
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut outermost = Vec::new();
    let mut items_left = limits.items_max;
    loop {
        let event = reader.read_event().map_err(|_| syntax(&open))?;
        let closed = match event {
            Event::Start(start) => {
                let element = element(&start).map_err(|()| syntax(&open))?;
                open.push(element);
                None
            }
            Event::Empty(start) => Some(element(&start).map_err(|()| syntax(&open))?),
            Event::End(_) => open.pop(),
            Event::DocType(_) => return Err(syntax(&open)),
            Event::Eof if open.is_empty() => return Ok(outermost),
            Event::Eof => return Err(syntax(&open)),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => None,
        };
        if open.len() > limits.depth_max {
            return Err(ParseError::new(ParseErrorKind::TooDeep));
        }
        if let Some(element) = closed {
            let left = items_left.checked_sub(1);
            items_left = left.ok_or_else(|| ParseError::new(ParseErrorKind::TooManyItems))?;
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => outermost.push(element),
            }
        }
    }
}

fn syntax(open: &[Element]) -> ParseError {
    let error = ParseError::new(ParseErrorKind::Syntax);
    open.iter().rev().fold(error, |error, element| error.inside(&element.name))
}

fn element(start: &BytesStart<'_>) -> Result<Element, ()> {
    let mut element = Element::default();
    start.local_name().as_ref().clone_into(&mut element.name);
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| ())?;
        let place = match attribute.key.as_ref() {
            "tag" => &mut element.tag,
            "type" => &mut element.item_type,
            "value" => &mut element.value,
            _ => continue,
        };
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| ())?;
        *place = Some(value.into_owned());
    }
    Ok(element)
}

impl Element {
    /// The tag that the name or the `tag` attribute means.
    #[must_use]
    pub fn tag(&self, names: &dyn Names) -> Option<Tag> {
        tag_from(names, self.tag.as_deref().unwrap_or(&self.name))
    }

    /// The type; a structure if none is given.
    #[must_use]
    pub fn item_type(&self) -> Option<ItemType> {
        match self.item_type.as_deref() {
            None => Some(ItemType::Structure),
            Some(name) => type_from(name),
        }
    }

    /// The value of an element that is no structure, in the context of a tag.
    #[must_use]
    pub fn value(&self, names: &dyn Names, context: Tag) -> Option<Value> {
        let text = self.value.as_deref().unwrap_or_default();
        scalar::parse(names, context, self.item_type()?, text)
    }

    /// The item that the element means.
    ///
    /// # Errors
    /// A tag, type or value is unknown, or the item exceeds the limits.
    pub fn to_node(&self, names: &dyn Names, limits: &Limits) -> Result<Node, ParseError> {
        self.node(names, &Siblings::default(), &mut Budget::new(limits))
    }

    fn node(
        &self,
        names: &dyn Names,
        siblings: &Siblings,
        budget: &mut Budget,
    ) -> Result<Node, ParseError> {
        let fail = |kind| ParseError::new(kind).inside(&self.name);
        let tag = self.tag(names).ok_or_else(|| fail(ParseErrorKind::UnknownTag))?;
        let item_type = self.item_type().ok_or_else(|| fail(ParseErrorKind::UnknownType))?;
        budget.enter().map_err(fail)?;
        let value = if item_type == ItemType::Structure {
            let mut siblings = Siblings::default();
            let mut children = Vec::with_capacity(self.children.len());
            for child in &self.children {
                let node = child
                    .node(names, &siblings, budget)
                    .map_err(|error| error.inside(&self.name))?;
                if let Value::TextString(text) = &node.value {
                    siblings.note(names, node.tag, text);
                }
                children.push(node);
            }
            Value::Structure(children)
        } else {
            let value = self.value(names, siblings.context(tag));
            let value = value.ok_or_else(|| fail(ParseErrorKind::BadValue(item_type)))?;
            budget.spend(value.wire_size()).map_err(fail)?;
            value
        };
        budget.leave();
        Ok(Node::new(tag, value))
    }
}

/// A type by its name, or by its code as a hexadecimal number.
pub(crate) fn type_from(name: &str) -> Option<ItemType> {
    match scalar::hexadecimal(name) {
        Some(digits) => ItemType::from_code(u8::from_str_radix(digits, 16).ok()?),
        None => ItemType::ALL.into_iter().find(|item_type| item_type.name() == name),
    }
}

/// Writes a message.
#[must_use]
pub fn write(node: &Node, names: &dyn Names, layout: Layout) -> String {
    let mut text = String::new();
    write_node(&mut text, node, names, &Siblings::default(), layout, 0);
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
    let name = names.tag_name(node.tag);
    let element = name.unwrap_or("TTLV");
    layout.indent(text, depth);
    text.push('<');
    text.push_str(element);
    if name.is_none() {
        let _infallible = write!(text, " tag=\"{}\"", tag_number(node.tag));
    }
    let Value::Structure(children) = &node.value else {
        let value = label(node, names, siblings.context(node.tag));
        let _infallible = write!(text, " type=\"{}\" value=\"", node.item_type().name());
        escape(text, &value);
        text.push_str("\"/>");
        return layout.end_line(text);
    };
    if children.is_empty() {
        text.push_str("/>");
        return layout.end_line(text);
    }
    text.push('>');
    layout.end_line(text);
    let mut siblings = Siblings::default();
    for child in children {
        write_node(text, child, names, &siblings, layout, depth.saturating_add(1));
        if let Value::TextString(value) = &child.value {
            siblings.note(names, child.tag, value);
        }
    }
    layout.indent(text, depth);
    let _infallible = write!(text, "</{element}>");
    layout.end_line(text);
}

fn label(node: &Node, names: &dyn Names, context: Tag) -> String {
    match &node.value {
        Value::Structure(_) => String::new(),
        Value::Integer(value) => {
            scalar::mask_label(names, context, *value, " ").unwrap_or_else(|| value.to_string())
        }
        Value::LongInteger(value) => value.to_string(),
        Value::BigInteger(bytes) | Value::ByteString(bytes) => scalar::hex(bytes),
        Value::Enumeration(value) => scalar::enumeration_label(names, context, *value),
        Value::Boolean(value) => value.to_string(),
        Value::TextString(value) => value.clone(),
        Value::DateTime(value) => scalar::date_time_label(*value),
        Value::Interval(value) => value.to_string(),
        Value::DateTimeExtended(value) => scalar::date_time_extended_label(*value),
    }
}

/// Line ends and tabs are written as references: a reader turns them into blanks otherwise.
fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _infallible = write!(text, "&#{};", u32::from(character));
            }
            _ => text.push(character),
        }
    }
}
