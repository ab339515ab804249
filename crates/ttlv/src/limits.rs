//! Bounds on what a reader accepts, and framing by the outermost item's length.

use crate::{Error, ErrorKind, ItemType, Tag};

/// What a message may cost to read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message in bytes, its own header included.
    pub size_max: usize,
    /// How deeply structures may nest; the outermost item is at depth 1.
    pub depth_max: usize,
    /// How many items a message may have, structures included.
    pub items_max: usize,
}

impl Default for Limits {
    /// 1 MiB, 24 levels, 65,536 items: well above what any KMIP client sends.
    fn default() -> Self {
        Self { size_max: 1 << 20, depth_max: 24, items_max: 1 << 16 }
    }
}

/// What the first bytes of a stream say about the message that they begin.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FrameLength {
    /// Fewer than eight bytes are there.
    Unknown,
    /// The message has this many bytes, its header included.
    Known(usize),
}

/// Reads the length of the message that begins `bytes` (KMIP 2.1 §10.2: TTLV frames itself).
///
/// # Errors
/// The first item does not have the expected tag, is no structure, has a length that is no
/// multiple of eight, or is larger than `limits.size_max`.
pub fn frame_length(bytes: &[u8], expected: Tag, limits: &Limits) -> Result<FrameLength, Error> {
    let Some((&[t0, t1, t2, code, l0, l1, l2, l3], _)) = bytes.split_first_chunk::<8>() else {
        return Ok(FrameLength::Unknown);
    };
    let tag = Tag::new(u32::from_be_bytes([0, t0, t1, t2]));
    if tag != expected {
        return Err(Error::new(Some(tag), ErrorKind::BadLength));
    }
    match ItemType::from_code(code) {
        Some(ItemType::Structure) => {}
        Some(found) => {
            let kind = ErrorKind::WrongType { expected: ItemType::Structure, found };
            return Err(Error::new(Some(tag), kind));
        }
        None => return Err(Error::new(Some(tag), ErrorKind::UnknownType(code))),
    }
    let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
    if !ItemType::Structure.accepts_length(length) {
        return Err(Error::new(Some(tag), ErrorKind::BadLength));
    }
    match length.checked_add(8) {
        Some(total) if total <= limits.size_max => Ok(FrameLength::Known(total)),
        _ => Err(Error::new(Some(tag), ErrorKind::TooLarge)),
    }
}
