//! What is under way on one connection: answers come in the order of the requests (KMIP 2.1 §9.5).
//!
//! It must never know how bytes travel.

use std::collections::VecDeque;

use crate::{Expected, Outgoing};

/// How many bytes of requests may wait for their answers. A server stops reading while it cannot
/// write; so much fits into the buffers of any network in between, so that neither side waits
/// for the other to read.
const BYTES_MAX: usize = 32 * 1024;

/// How many requests may be under way at once: at least one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Depth(usize);

impl Depth {
    /// So many; 0 means 1.
    #[must_use]
    pub const fn new(depth: usize) -> Self {
        Self(if depth == 0 { 1 } else { depth })
    }

    /// How many.
    #[cfg(feature = "tokio")]
    pub(crate) const fn get(self) -> usize {
        self.0
    }
}

impl Default for Depth {
    fn default() -> Self {
        Self::new(8)
    }
}

/// The requests that are under way, oldest first, with their sizes.
#[derive(Debug, Default)]
pub(crate) struct Window {
    under_way: VecDeque<(Expected, usize)>,
    bytes: usize,
}

impl Window {
    /// Whether one more request may be sent before an answer is read.
    pub(crate) fn admits(&self, outgoing: &Outgoing, depth: Depth) -> bool {
        let bytes = self.bytes.saturating_add(outgoing.bytes.len());
        self.is_empty() || (self.len() < depth.0 && bytes <= BYTES_MAX)
    }

    pub(crate) fn sent(&mut self, expected: Expected, size: usize) {
        self.bytes = self.bytes.saturating_add(size);
        self.under_way.push_back((expected, size));
    }

    /// What the next answer must look like.
    pub(crate) fn answered(&mut self) -> Option<Expected> {
        let (expected, size) = self.under_way.pop_front()?;
        self.bytes = self.bytes.saturating_sub(size);
        Some(expected)
    }

    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use claviger_kmip::Version;
    use claviger_kmip::payload::{EncryptRequest, GetRequest};

    use super::*;

    fn sends(window: &mut Window, outgoing: Outgoing, depth: usize) -> bool {
        let admits = window.admits(&outgoing, Depth::new(depth));
        if admits {
            let size = outgoing.bytes.len();
            window.sent(outgoing.expected, size);
        }
        admits
    }

    fn small() -> Outgoing {
        Outgoing::single(Version::V1_2, &GetRequest::default()).unwrap()
    }

    fn large() -> Outgoing {
        let data = Some(vec![0; BYTES_MAX].into());
        Outgoing::single(Version::V1_2, &EncryptRequest { data, ..EncryptRequest::default() })
            .unwrap()
    }

    #[test]
    fn depth_bounds_and_nought_is_one() {
        for (depth, most) in [(0, 1), (1, 1), (3, 3)] {
            let mut window = Window::default();
            for _ in 0..most {
                assert!(sends(&mut window, small(), depth));
            }
            assert!(!sends(&mut window, small(), depth));
            assert!(window.answered().is_some());
            assert!(sends(&mut window, small(), depth));
        }
    }

    #[test]
    fn a_large_request_goes_alone() {
        let mut window = Window::default();
        assert!(sends(&mut window, large(), 8));
        assert!(!sends(&mut window, small(), 8));
        assert!(window.answered().is_some());
        assert!(sends(&mut window, small(), 8));
        assert!(!sends(&mut window, large(), 8));
        assert!(window.answered().is_some());
        assert!(window.answered().is_none());
        assert!(sends(&mut window, large(), 8));
    }
}
