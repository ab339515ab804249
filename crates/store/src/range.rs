//! Which keys a scan covers and in which order. Pure: no engine's name.

use crate::record::Key;
use std::ops::Bound;

/// A stretch of the key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first key covered.
    pub start: Key,
    /// The first key beyond; `None` goes to the end of the store.
    pub end: Option<Key>,
    /// Last key first.
    pub reverse: bool,
    /// Most records returned.
    pub limit: usize,
}

impl Range {
    /// Every record.
    pub fn all() -> Self {
        Self { start: Key::new(), end: None, reverse: false, limit: usize::MAX }
    }

    /// Every record whose key starts with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: successor(prefix), reverse: false, limit: usize::MAX }
    }

    /// The records from `start` up to, not including, `end`.
    pub fn between(start: &[u8], end: &[u8]) -> Self {
        Self { start: start.to_vec(), end: Some(end.to_vec()), reverse: false, limit: usize::MAX }
    }

    /// The same stretch, without `key` and everything that comes before it in the order of the
    /// stretch: what follows a page that ended with `key`.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        if self.reverse {
            if self.end.as_deref().is_none_or(|end| key < end) {
                self.end = Some(key.to_vec());
            }
            return self;
        }
        let mut start = key.to_vec();
        start.push(0);
        if start > self.start {
            self.start = start;
        }
        self
    }

    /// The same stretch, at most `limit` records.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same stretch, last key first.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }

    /// Whether `key` lies in the stretch.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_ref().is_none_or(|end| key < end.as_slice())
    }

    /// Whether no key can lie in the stretch.
    pub fn is_empty(&self) -> bool {
        self.limit == 0 || self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// As a `BTreeMap` wants it; only for a range that is not empty.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self.end.as_ref().map_or(Bound::Unbounded, |end| Bound::Excluded(end.as_slice()));
        (Bound::Included(self.start.as_slice()), end)
    }
}

/// The first key after every key that starts with `prefix`; `None` if there is none.
fn successor(prefix: &[u8]) -> Option<Key> {
    let mut key = prefix.to_vec();
    while let Some(last) = key.pop() {
        if let Some(next) = last.checked_add(1) {
            key.push(next);
            return Some(key);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_prefix() {
        assert_eq!(Range::prefix(b"ab").end, Some(b"ac".to_vec()));
        assert_eq!(Range::prefix(&[1, 0xff]).end, Some(vec![2]));
        assert_eq!(Range::prefix(&[0xff, 0xff]).end, None);
        assert_eq!(Range::prefix(b"").end, None);
        let range = Range::prefix(&[7, 0xff]);
        assert!(range.contains(&[7, 0xff]) && range.contains(&[7, 0xff, 0xff, 0xff]));
        assert!(!range.contains(&[8]) && !range.contains(&[7, 0xfe, 0xff]));
    }

    #[test]
    fn after_leaves_out_the_key_itself_and_nothing_behind_it() {
        let range = Range::prefix(b"a").after(b"ab");
        assert!(!range.contains(b"ab"));
        assert!(range.contains(b"ab\0"));
        assert_eq!(Range::prefix(b"b").after(b"a").start, b"b");
        let range = Range::prefix(b"a").reversed().after(b"ab");
        assert!(!range.contains(b"ab") && !range.contains(b"ab\0") && range.contains(b"aa"));
        assert_eq!(Range::prefix(b"a").reversed().after(b"c").end, Some(b"b".to_vec()));
        assert!(!Range::all().reversed().after(b"b").contains(b"b"));
    }
}
