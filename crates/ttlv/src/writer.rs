//! Appending items to one buffer.
//!
//! A structure's length is not known when it begins: its header is written with length zero and
//! patched when it ends, so that a message is encoded in one pass without intermediate buffers.

use crate::{ItemType, Tag};

/// A place in the buffer where a structure began.
#[derive(Copy, Clone, Debug)]
#[must_use = "a structure that is begun must be ended"]
pub struct Mark(usize);

/// A growing buffer of TTLV items.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: Vec::new() }
    }

    /// A writer that appends to `buffer`, whose capacity is reused.
    #[must_use]
    pub const fn with_buffer(buffer: Vec<u8>) -> Self {
        Self { buffer }
    }

    /// What has been written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Ends writing and gives up the buffer.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// How many bytes have been written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Forgets what was written after the first `length` bytes, and wipes it: it may have been a
    /// key.
    pub fn truncate(&mut self, length: usize) {
        if let Some(tail) = self.buffer.get_mut(length..) {
            tail.fill(0);
        }
        self.buffer.truncate(length);
    }

    /// Begins a structure.
    pub fn begin(&mut self, tag: Tag) -> Mark {
        let mark = Mark(self.buffer.len());
        self.header(tag, ItemType::Structure, 0);
        mark
    }

    /// Ends the structure begun at `mark`.
    ///
    /// A structure of 4 GiB or more cannot be written; its length is clamped and the peer will
    /// refuse it. Callers keep messages far below by their own limits.
    pub fn end(&mut self, mark: Mark) {
        let body = mark.0.saturating_add(8);
        let length = self.buffer.len().saturating_sub(body);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.patch(mark.0.saturating_add(4), length);
    }

    /// Writes a structure whose children `body` writes.
    pub fn structure(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        let mark = self.begin(tag);
        body(self);
        self.end(mark);
    }

    /// Writes an Integer and returns where its value stands, for [`Writer::patch`].
    pub fn integer(&mut self, tag: Tag, value: i32) -> usize {
        self.header(tag, ItemType::Integer, 4);
        self.word(value.to_be_bytes())
    }

    /// Writes an Enumeration and returns where its value stands, for [`Writer::patch`].
    pub fn enumeration(&mut self, tag: Tag, value: u32) -> usize {
        self.header(tag, ItemType::Enumeration, 4);
        self.word(value.to_be_bytes())
    }

    /// Writes an Interval in seconds.
    pub fn interval(&mut self, tag: Tag, value: u32) {
        self.header(tag, ItemType::Interval, 4);
        self.word(value.to_be_bytes());
    }

    /// Writes a Long Integer.
    pub fn long_integer(&mut self, tag: Tag, value: i64) {
        self.header(tag, ItemType::LongInteger, 8);
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a Boolean.
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.header(tag, ItemType::Boolean, 8);
        self.buffer.extend_from_slice(&u64::from(value).to_be_bytes());
    }

    /// Writes a Date-Time in POSIX seconds.
    pub fn date_time(&mut self, tag: Tag, value: i64) {
        self.header(tag, ItemType::DateTime, 8);
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a Date-Time Extended in POSIX microseconds.
    pub fn date_time_extended(&mut self, tag: Tag, value: i64) {
        self.header(tag, ItemType::DateTimeExtended, 8);
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a Big Integer given in two's complement, most significant byte first. It is
    /// sign-extended on the left to a multiple of eight bytes, as the specification asks; no
    /// bytes at all mean zero.
    pub fn big_integer(&mut self, tag: Tag, value: &[u8]) {
        let length = value.len().max(1).next_multiple_of(8);
        let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
        self.header(tag, ItemType::BigInteger, length);
        let sign = if negative { 0xFF } else { 0x00 };
        let extension = length.saturating_sub(value.len());
        self.buffer.extend(std::iter::repeat_n(sign, extension));
        self.buffer.extend_from_slice(value);
    }

    /// Writes a Text String.
    pub fn text(&mut self, tag: Tag, value: &str) {
        self.header(tag, ItemType::TextString, value.len());
        self.padded(value.as_bytes());
    }

    /// Writes a Byte String.
    pub fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.header(tag, ItemType::ByteString, value.len());
        self.padded(value);
    }

    /// Appends items that are already encoded.
    pub fn raw(&mut self, items: &[u8]) {
        self.buffer.extend_from_slice(items);
    }

    /// Overwrites a four-byte value that was written at `position`.
    pub fn patch(&mut self, position: usize, value: u32) {
        let end = position.saturating_add(4);
        if let Some(place) = self.buffer.get_mut(position..end) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    }

    fn header(&mut self, tag: Tag, item_type: ItemType, length: usize) {
        let [_, t0, t1, t2] = tag.value().to_be_bytes();
        let [l0, l1, l2, l3] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        self.buffer.extend_from_slice(&[t0, t1, t2, item_type.code(), l0, l1, l2, l3]);
    }

    fn word(&mut self, value: [u8; 4]) -> usize {
        let position = self.buffer.len();
        let [a, b, c, d] = value;
        self.buffer.extend_from_slice(&[a, b, c, d, 0, 0, 0, 0]);
        position
    }

    fn padded(&mut self, value: &[u8]) {
        self.buffer.extend_from_slice(value);
        let padded = self.buffer.len().next_multiple_of(8);
        // Items begin on multiples of eight, so padding the buffer pads the value.
        self.buffer.resize(padded, 0);
    }
}
