//! The XML of answers, as a tree. Namespaces, attributes and comments are read over; document types are refused.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::store::StoreError;

/// How deep an answer may be.
const DEPTH_MAX: usize = 16;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The outermost element of a text.
    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        Self::parse(text).ok_or_else(|| StoreError::Failed("an answer is no XML".to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let closed = match reader.read_event().ok()? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    open.push(Self { name, ..Self::default() });
                    None
                }
                Event::Empty(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    Some(Self { name, ..Self::default() })
                }
                Event::End(_) => open.pop(),
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text);
                    }
                    None
                }
                Event::CData(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text);
                    }
                    None
                }
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref().ok()? {
                        Some(character) => character,
                        None => match &*reference {
                            "lt" => '<',
                            "gt" => '>',
                            "amp" => '&',
                            "quot" => '"',
                            "apos" => '\'',
                            _ => return None,
                        },
                    };
                    open.last_mut()?.text.push(character);
                    None
                }
                Event::DocType(_) | Event::Eof => return None,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
            };
            if open.len() > DEPTH_MAX {
                return None;
            }
            if let Some(element) = closed {
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Some(element),
                }
            }
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The elements in it, in their order.
    pub(super) fn children(&self) -> impl Iterator<Item = &Self> {
        self.children.iter()
    }

    /// Those of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of a name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.children.iter().find(|child| child.name == name);
        found.map(|child| child.text.as_str())
    }

    /// As [`Element::text`], where the protocol has it always.
    pub(super) fn must(&self, name: &str) -> Result<&str, StoreError> {
        self.text(name).ok_or_else(|| StoreError::Failed(format!("an answer has no {name}")))
    }

    /// Whether the element of a name says `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

/// A text as an element can have it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_entities() {
        let text = "<?xml version=\"1.0\"?><R xmlns=\"x\"><K>a&amp;b &#x41;<![CDATA[<]]></K><K/><T>true</T></R>";
        let element = Element::read(text).unwrap();
        assert_eq!((element.name(), element.text("K")), ("R", Some("a&b A<")));
        assert_eq!(element.all("K").count(), 2);
        assert!(element.is_true("T") && element.must("X").is_err());
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let deep = "<a>".repeat(20) + &"</a>".repeat(20);
        for wrong in ["", "<a>", "text", "<!DOCTYPE a><a/>", "<a>&unknown;</a>", &deep] {
            assert!(Element::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_escaped_comes_back() {
        let text = "<&>\"'\r\u{e9}";
        let element = Element::read(&format!("<a><b>{}</b></a>", escaped(text))).unwrap();
        assert_eq!(element.text("b"), Some(text));
    }
}
