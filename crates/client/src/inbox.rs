//! Bytes that came in, cut into messages by the length that TTLV begins with.
//!
//! It must never know where the bytes come from.

use std::fmt;

use claviger_kmip::tags;
use claviger_ttlv::{FrameLength, Limits, frame_length};
use zeroize::{Zeroize, Zeroizing};

use crate::Error;

const ROOM: usize = 16 * 1024;

/// A buffer that is filled at its end and emptied message by message at its front.
pub struct Inbox {
    bytes: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
    limits: Limits,
}

impl fmt::Debug for Inbox {
    /// How much there is, but not what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} bytes)", self.end.saturating_sub(self.start))
    }
}

impl Inbox {
    /// An empty buffer for messages within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { bytes: Zeroizing::new(vec![0; ROOM]), start: 0, end: 0, limits }
    }

    /// The limits on a message.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Room to read into; say with [`Inbox::filled`] how much of it was used.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.end == self.bytes.len() {
            self.make_room();
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Moves what is left to the front; grows if that is not enough.
    fn make_room(&mut self) {
        let length = self.end.saturating_sub(self.start);
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
        } else {
            let mut larger = Zeroizing::new(vec![0; self.bytes.len().saturating_mul(2)]);
            if let (Some(to), Some(from)) = (larger.get_mut(..length), self.bytes.get(..length)) {
                to.copy_from_slice(from);
            }
            self.bytes = larger;
        }
        self.start = 0;
        self.end = length;
    }

    /// Says that so many bytes were read into the room.
    pub fn filled(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.bytes.len());
    }

    /// Whether nothing is left of what came in.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The next whole message, if it is there.
    ///
    /// # Errors
    /// What is at the front is no response, or too large.
    pub fn next_message(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let waiting = self.bytes.get_mut(self.start..self.end).unwrap_or_default();
        let length = match frame_length(waiting, tags::RESPONSE_MESSAGE, &self.limits)? {
            FrameLength::Known(length) => length,
            FrameLength::Unknown => return Ok(None),
        };
        let Some(front) = waiting.get_mut(..length) else { return Ok(None) };
        let message = Zeroizing::new(front.to_vec());
        front.zeroize();
        self.start = self.start.saturating_add(length);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use claviger_ttlv::Writer;

    use super::*;

    fn message(size: usize) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.structure(tags::RESPONSE_MESSAGE, |writer| {
            writer.bytes(tags::DATA, &vec![7; size]);
        });
        writer.into_bytes()
    }

    fn feed(inbox: &mut Inbox, mut bytes: &[u8], step: usize) {
        while !bytes.is_empty() {
            let room = inbox.room();
            let count = step.min(room.len()).min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            inbox.filled(count);
            bytes = &bytes[count..];
        }
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        for step in [1, 7, 4096, 1 << 20] {
            let mut inbox = Inbox::new(Limits::default());
            let messages = [message(0), message(100_000), message(3), message(16_000)];
            feed(&mut inbox, &messages.concat(), step);
            for message in &messages {
                assert_eq!(inbox.next_message().unwrap().unwrap().as_slice(), message);
            }
            assert!(inbox.next_message().unwrap().is_none());
            assert!(inbox.is_empty());
        }
    }

    #[test]
    fn half_a_message_waits() {
        let mut inbox = Inbox::new(Limits::default());
        let bytes = message(64);
        feed(&mut inbox, &bytes[..40], 40);
        assert!(inbox.next_message().unwrap().is_none());
        feed(&mut inbox, &bytes[40..], 64);
        assert_eq!(inbox.next_message().unwrap().unwrap().as_slice(), bytes);
    }

    #[test]
    fn what_is_no_response_or_too_large_is_refused() {
        let mut inbox = Inbox::new(Limits::default());
        feed(&mut inbox, b"HTTP/1.1 400 Bad Request", 24);
        assert!(inbox.next_message().is_err());
        let mut inbox = Inbox::new(Limits { size_max: 64, ..Limits::default() });
        feed(&mut inbox, &message(100), 16);
        assert!(inbox.next_message().is_err());
    }
}
