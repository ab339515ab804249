//! Which stored bytes a range of the plaintext needs. Arithmetic only.

use std::ops::Range;

use super::{SEGMENT_LEN, TAG_LEN};

const PLAIN: u64 = SEGMENT_LEN as u64;
const STORED: u64 = (SEGMENT_LEN + TAG_LEN) as u64;

/// How many bytes rest for a stream of so many; an empty stream is one empty segment.
pub fn stored_len(plain_len: u64) -> u64 {
    let tags = segments(plain_len).saturating_mul(TAG_LEN as u64);
    plain_len.saturating_add(tags)
}

fn segments(plain_len: u64) -> u64 {
    plain_len.div_ceil(PLAIN).max(1)
}

/// The segments that a range of a stream lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first segment.
    pub first: u64,
    /// The segment behind the last one of the range.
    pub end: u64,
    /// How many segments the stream has.
    pub segments: u64,
    /// How many plaintext bytes of the first segment are before the range.
    pub skip: usize,
    /// The stored bytes of those segments.
    pub stored: Range<u64>,
}

impl Span {
    /// The segments of `range`, which must end within the stream. An empty range of an empty stream is its one segment, so
    /// that it too is checked.
    pub fn new(range: &Range<u64>, plain_len: u64) -> Self {
        let segments = segments(plain_len);
        let first = (range.start / PLAIN).min(segments.saturating_sub(1));
        let end = range.end.div_ceil(PLAIN).clamp(first.saturating_add(1), segments);
        let start_stored = first.saturating_mul(STORED);
        let end_stored = end.saturating_mul(STORED).min(stored_len(plain_len));
        let skip = range.start.saturating_sub(first.saturating_mul(PLAIN));
        Self {
            first,
            end,
            segments,
            skip: usize::try_from(skip).unwrap_or(usize::MAX),
            stored: start_stored..end_stored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_stream_has_one_segment() {
        assert_eq!(stored_len(0), 16);
        let span = Span { first: 0, end: 1, segments: 1, skip: 0, stored: 0..16 };
        assert_eq!(Span::new(&(0..0), 0), span);
    }

    #[test]
    fn the_last_byte_of_a_full_segment_needs_no_other() {
        let span = Span::new(&(PLAIN - 1..PLAIN), 2 * PLAIN);
        assert_eq!((span.first, span.end, span.segments), (0, 1, 2));
        assert_eq!(span.stored, 0..STORED);
        let span = Span::new(&(PLAIN..PLAIN + 1), 2 * PLAIN);
        assert_eq!((span.first, span.end, span.skip), (1, 2, 0));
        assert_eq!(span.stored, STORED..2 * STORED);
    }

    proptest! {
        #[test]
        fn a_span_covers_its_range_and_no_segment_more(
            plain_len in 1_u64..10 * PLAIN, from in any::<u64>(), len in any::<u64>()
        ) {
            let start = from % plain_len;
            let end = start + 1 + len % (plain_len - start);
            let span = Span::new(&(start..end), plain_len);
            prop_assert!(span.first * PLAIN <= start && start < (span.first + 1) * PLAIN);
            prop_assert!((span.end - 1) * PLAIN < end && end <= span.end * PLAIN);
            prop_assert_eq!(span.first * PLAIN + span.skip as u64, start);
            prop_assert_eq!(span.stored.start, span.first * STORED);
            prop_assert!(span.stored.end <= stored_len(plain_len));
            prop_assert_eq!(span.end == span.segments, span.stored.end == stored_len(plain_len));
        }
    }
}
