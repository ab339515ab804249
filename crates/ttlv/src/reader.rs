//! Bounded, zero-copy reading.
//!
//! [`Message::parse`] walks the bytes once and proves the whole tree: every length fits, every
//! type is known, the limits hold. A [`Reader`] then only slices; it still returns errors instead
//! of trusting that walk, so that no input can make it panic.

use crate::{Error, ErrorKind, Item, ItemType, Limits, Tag};

const HEADER: usize = 8;

/// Bytes that are exactly one well-formed item.
#[derive(Copy, Clone, Debug)]
pub struct Message<'a> {
    root: Item<'a>,
}

impl<'a> Message<'a> {
    /// Checks all of `bytes`.
    ///
    /// # Errors
    /// The first thing that is wrong, with the tag of the item it is in.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        if bytes.len() > limits.size_max {
            return Err(Error::new(None, ErrorKind::TooLarge));
        }
        let mut reader = Reader::over(bytes);
        let Some(root) = reader.next_item()? else {
            return Err(Error::new(None, ErrorKind::Truncated));
        };
        if !reader.is_empty() {
            return Err(Error::new(Some(root.tag), ErrorKind::TrailingBytes));
        }
        let mut items_left = limits.items_max;
        check(&root, limits.depth_max, &mut items_left)?;
        Ok(Self { root })
    }

    /// The outermost item.
    #[must_use]
    pub const fn root(&self) -> Item<'a> {
        self.root
    }
}

/// Recursion is bounded by `depth_left`.
fn check(item: &Item<'_>, depth_left: usize, items_left: &mut usize) -> Result<(), Error> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(Error::new(Some(item.tag), ErrorKind::TooDeep));
    };
    let Some(left) = items_left.checked_sub(1) else {
        return Err(Error::new(Some(item.tag), ErrorKind::TooManyItems));
    };
    *items_left = left;
    if item.item_type == ItemType::Structure {
        let mut children = Reader::over(item.value);
        while let Some(child) = children.next_item()? {
            check(&child, depth_left, items_left)?;
        }
    }
    Ok(())
}

/// A cursor over the items of one structure.
#[derive(Copy, Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn over(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The children of a structure whose bytes may be broken, to read as far as they go.
    ///
    /// `None` if not even the header of the structure is there.
    #[must_use]
    pub fn inside(bytes: &'a [u8]) -> Option<Self> {
        bytes.get(HEADER..).map(Self::over)
    }

    /// Whether every item has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next item, if there is one.
    #[must_use]
    pub fn peek_tag(&self) -> Option<Tag> {
        let (&[t0, t1, t2], _) = self.rest.split_first_chunk::<3>()?;
        Some(Tag::new(u32::from_be_bytes([0, t0, t1, t2])))
    }

    /// Reads the next item; `None` at the end.
    ///
    /// # Errors
    /// The header or the value does not fit in what is left.
    pub fn next_item(&mut self) -> Result<Option<Item<'a>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some((&[t0, t1, t2, code, l0, l1, l2, l3], after)) =
            self.rest.split_first_chunk::<HEADER>()
        else {
            return Err(Error::new(None, ErrorKind::Truncated));
        };
        let tag = Tag::new(u32::from_be_bytes([0, t0, t1, t2]));
        let fail = |kind| Err(Error::new(Some(tag), kind));
        let Some(item_type) = ItemType::from_code(code) else {
            return fail(ErrorKind::UnknownType(code));
        };
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        if !item_type.accepts_length(length) {
            return fail(ErrorKind::BadLength);
        }
        let Some(padded) = length.checked_next_multiple_of(8) else {
            return fail(ErrorKind::BadLength);
        };
        let (Some(value), Some(rest)) = (after.get(..length), after.get(padded..)) else {
            return fail(ErrorKind::Truncated);
        };
        self.rest = rest;
        Ok(Some(Item { tag, item_type, value }))
    }
}
