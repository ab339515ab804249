//! How names come in: this crate knows numbers only.

use std::borrow::Cow;

use crate::Tag;

/// The words of a vocabulary, for the encodings that spell tags and values out.
///
/// A *context* is the tag whose meaning a value has: mostly the item's own tag, but an item may
/// also be governed by a sibling that says what it is (see [`Names::governed`]).
pub trait Names {
    /// The name of a tag.
    fn tag_name(&self, tag: Tag) -> Option<&'static str>;

    /// The tag with this name.
    fn tag(&self, name: &str) -> Option<Tag>;

    /// The name of an Enumeration's value.
    fn value_name(&self, context: Tag, value: u32) -> Option<&'static str>;

    /// The Enumeration value with this name.
    fn value(&self, context: Tag, name: &str) -> Option<u32>;

    /// The name of one bit, if the Integers of this context are masks.
    fn bit_name(&self, context: Tag, bit: u32) -> Option<&'static str>;

    /// The bit with this name, if the Integers of this context are masks.
    fn bit(&self, context: Tag, name: &str) -> Option<u32>;

    /// Whether the text of this item says what a sibling after it means: then the tag of that
    /// sibling and its context.
    fn governed(&self, tag: Tag, text: &str) -> Option<(Tag, Tag)>;
}

/// A vocabulary without a word: everything is written as a number.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn tag_name(&self, _tag: Tag) -> Option<&'static str> {
        None
    }

    fn tag(&self, _name: &str) -> Option<Tag> {
        None
    }

    fn value_name(&self, _context: Tag, _value: u32) -> Option<&'static str> {
        None
    }

    fn value(&self, _context: Tag, _name: &str) -> Option<u32> {
        None
    }

    fn bit_name(&self, _context: Tag, _bit: u32) -> Option<&'static str> {
        None
    }

    fn bit(&self, _context: Tag, _name: &str) -> Option<u32> {
        None
    }

    fn governed(&self, _tag: Tag, _text: &str) -> Option<(Tag, Tag)> {
        None
    }
}

/// What siblings have said so far about the items after them.
#[derive(Copy, Clone, Debug, Default)]
pub struct Siblings {
    governed: Option<(Tag, Tag)>,
}

impl Siblings {
    /// The context of the next item, which has this tag.
    #[must_use]
    pub fn context(&self, tag: Tag) -> Tag {
        match self.governed {
            Some((sibling, context)) if sibling == tag => context,
            _ => tag,
        }
    }

    /// Notes a Text String among the siblings.
    pub fn note(&mut self, names: &dyn Names, tag: Tag, text: &str) {
        if let Some(governed) = names.governed(tag, text) {
            self.governed = Some(governed);
        }
    }
}

/// The name of a tag, or its number as `0x42XXXX`.
pub(crate) fn tag_label(names: &dyn Names, tag: Tag) -> Cow<'static, str> {
    match names.tag_name(tag) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(tag_number(tag)),
    }
}

/// The number of a tag as `0x42XXXX`.
pub(crate) fn tag_number(tag: Tag) -> String {
    format!("0x{:06X}", tag.value())
}

/// The tag that a text means: a name, or a number of six hexadecimal digits after `0x`.
pub(crate) fn tag_from(names: &dyn Names, text: &str) -> Option<Tag> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.len() == 6 => u32::from_str_radix(digits, 16).ok().map(Tag::new),
        Some(_) => None,
        None => names.tag(text),
    }
}
