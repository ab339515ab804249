//! A message of a test case: a tree in which a value may be a placeholder.
//!
//! Must never know what may differ between a published and a real response: see `permitted`.

use claviger_kmip::tables::KmipNames;
use claviger_kmip::tags;
use claviger_ttlv::xml::Element;
use claviger_ttlv::{ItemType, Names as _, Node, Siblings, Tag, Value, text};

/// One item of a published message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) tag: Tag,
    /// The tag whose meaning the value has: for an Attribute Value the attribute's.
    pub(crate) context: Tag,
    pub(crate) item_type: ItemType,
    pub(crate) content: Content,
}

/// What a published item holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Items, in order.
    Structure(Vec<Pattern>),
    /// A value as it is printed.
    Literal(Value),
    /// A value that a server gave or will give, by name.
    Variable(String),
    /// The time at which the case is played, plus seconds.
    Now(i64),
}

impl Pattern {
    /// Reads an element; the error names the item that makes no sense.
    pub(crate) fn from_element(element: &Element) -> Result<Self, String> {
        Self::read(element, &Siblings::default())
    }

    fn read(element: &Element, siblings: &Siblings) -> Result<Self, String> {
        let unknown = |what: &str| format!("{}: {what}", element.name);
        let tag = element.tag(&KmipNames).ok_or_else(|| unknown("unknown tag"))?;
        let context = siblings.context(tag);
        let item_type = element.item_type().ok_or_else(|| unknown("unknown type"))?;
        let content = match element.value.as_deref() {
            _ if item_type == ItemType::Structure => Content::Structure(Self::children(element)?),
            Some(value) if value.starts_with('$') => placeholder(value),
            _ => {
                let value = element.value(&KmipNames, context);
                let value = value.ok_or_else(|| unknown("the value is not of its type"))?;
                Content::Literal(if tag == tags::ATTRIBUTE_NAME { tidy(value) } else { value })
            }
        };
        Ok(Self { tag, context, item_type, content })
    }

    fn children(element: &Element) -> Result<Vec<Self>, String> {
        let mut siblings = Siblings::default();
        let mut children = Vec::with_capacity(element.children.len());
        for child in &element.children {
            let child = Self::read(child, &siblings)
                .map_err(|error| format!("{}/{error}", element.name))?;
            if let Content::Literal(Value::TextString(text)) = &child.content {
                siblings.note(&KmipNames, child.tag, text);
            }
            children.push(child);
        }
        Ok(children)
    }

    /// The items of a structure; none if it is no structure.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.content {
            Content::Structure(items) => items,
            _ => &[],
        }
    }

    /// The first item with this tag.
    pub(crate) fn item(&self, tag: Tag) -> Option<&Self> {
        self.items().iter().find(|item| item.tag == tag)
    }

    /// All items with this tag.
    pub(crate) fn all(&self, tag: Tag) -> impl Iterator<Item = &Self> {
        self.items().iter().filter(move |item| item.tag == tag)
    }

    /// The Enumeration that is printed under this tag.
    pub(crate) fn enumeration(&self, tag: Tag) -> Option<u32> {
        match self.item(tag)?.content {
            Content::Literal(Value::Enumeration(value)) => Some(value),
            _ => None,
        }
    }

    /// The text that is printed under this tag.
    pub(crate) fn text(&self, tag: Tag) -> Option<&str> {
        match &self.item(tag)?.content {
            Content::Literal(Value::TextString(text)) => Some(text),
            _ => None,
        }
    }

    /// Calls `visit` for every item, this one included.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        for item in self.items() {
            item.visit(visit);
        }
    }

    /// Replaces every date that is `from` seconds ahead by one that is `to` seconds ahead.
    pub(crate) fn bring_nearer(&mut self, from: i64, to: i64) {
        match &mut self.content {
            Content::Structure(items) => {
                items.iter_mut().for_each(|item| item.bring_nearer(from, to));
            }
            Content::Now(offset) if *offset == from => *offset = to,
            _ => {}
        }
    }

    /// The item for people, in one line.
    pub(crate) fn label(&self) -> String {
        match &self.content {
            Content::Structure(items) => {
                let items: Vec<_> = items.iter().map(Self::named_label).collect();
                format!("{{{}}}", items.join(", "))
            }
            Content::Literal(value) => value_label(value, self.context),
            Content::Variable(name) => format!("${name}"),
            Content::Now(0) => "$NOW".to_owned(),
            Content::Now(offset) => format!("$NOW{offset:+}"),
        }
    }

    /// The item for people, with its name.
    pub(crate) fn named_label(&self) -> String {
        format!("{} {}", tag_label(self.tag), self.label())
    }
}

/// Attribute names are printed with runs of blanks here and there; none of them means it.
fn tidy(name: Value) -> Value {
    match name {
        Value::TextString(text) => {
            Value::TextString(text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        other => other,
    }
}

fn placeholder(text: &str) -> Content {
    let name = text.trim_start_matches('$');
    match name.strip_prefix("NOW") {
        Some("") => Content::Now(0),
        Some(offset) => match offset.parse() {
            Ok(offset) => Content::Now(offset),
            Err(_) => Content::Variable(name.to_owned()),
        },
        None => Content::Variable(name.to_owned()),
    }
}

/// The name of a tag for people.
pub(crate) fn tag_label(tag: Tag) -> String {
    match KmipNames.tag_name(tag) {
        Some(name) => name.to_owned(),
        None => format!("0x{tag}"),
    }
}

/// A value for people, cut short if it is long.
pub(crate) fn value_label(value: &Value, context: Tag) -> String {
    const LENGTH_MAX: usize = 96;
    let label = text::value_label(value, &KmipNames, context);
    match label.char_indices().nth(LENGTH_MAX).and_then(|(at, _)| label.get(..at)) {
        Some(start) => format!("{start}… ({} bytes)", value.wire_size()),
        None => label,
    }
}

/// A received item for people, in one line.
pub(crate) fn node_label(node: &Node, context: Tag) -> String {
    let Value::Structure(children) = &node.value else {
        return value_label(&node.value, context);
    };
    let mut siblings = Siblings::default();
    let mut labels = Vec::with_capacity(children.len());
    for child in children {
        let label = node_label(child, siblings.context(child.tag));
        labels.push(format!("{} {label}", tag_label(child.tag)));
        if let Value::TextString(text) = &child.value {
            siblings.note(&KmipNames, child.tag, text);
        }
    }
    format!("{{{}}}", labels.join(", "))
}
