//! Unique Identifiers: UUIDs of version 7 (RFC 9562), so that their order is the order of
//! creation and new records are stored side by side.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_crypto::Rng;

use crate::failure::{Failure, Reason};

/// The identifier of a managed object.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 16]);

impl ObjectId {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the text form; a text that is no UUID names no object.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return None;
        }
        let mut bytes = [0_u8; 16];
        let mut digits = 0_usize;
        for (position, character) in text.bytes().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if character != b'-' {
                    return None;
                }
                continue;
            }
            let nibble = match character {
                b'0'..=b'9' => character.wrapping_sub(b'0'),
                b'a'..=b'f' => character.wrapping_sub(b'a').wrapping_add(10),
                _ => return None,
            };
            let byte = bytes.get_mut(digits / 2)?;
            *byte = (*byte << 4) | nibble;
            digits = digits.wrapping_add(1);
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut places = text.iter_mut().enumerate();
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                let digit = DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
                for (position, place) in places.by_ref() {
                    if !matches!(position, 8 | 13 | 18 | 23) {
                        *place = digit;
                        break;
                    }
                }
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Makes identifiers that never go backwards within a process.
#[derive(Debug, Default)]
pub struct IdSource {
    /// Milliseconds and a 12-bit counter within them.
    latest: AtomicU64,
}

impl IdSource {
    /// The next identifier.
    ///
    /// # Errors
    /// The random number generator fails.
    pub fn next(&self, now_us: i64, rng: &dyn Rng) -> Result<ObjectId, Failure> {
        let clock = u64::try_from(now_us.div_euclid(1_000)).unwrap_or(0) << 12;
        let previous = self
            .latest
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |latest| {
                Some(clock.max(latest.saturating_add(1)))
            })
            .unwrap_or_else(|latest| latest);
        let stamp = clock.max(previous.saturating_add(1));
        let mut random = [0_u8; 8];
        rng.fill(&mut random)
            .map_err(|_| Failure::new(Reason::GeneralFailure, "no random numbers"))?;
        let high = (stamp >> 12 << 16) | 0x7000 | (stamp & 0x0FFF);
        let low = (u64::from_be_bytes(random) & (u64::MAX >> 2)) | (1 << 63);
        let value = (u128::from(high) << 64) | u128::from(low);
        Ok(ObjectId(value.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use claviger_crypto::SystemRng;

    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let id = IdSource::default().next(1_700_000_000_000_000, &SystemRng::new()).unwrap();
        let text = id.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(ObjectId::parse(&text), Some(id));
        assert_eq!(
            ObjectId::parse(&text.to_uppercase().replace(|c: char| c.is_numeric(), "G")),
            None
        );
        assert_eq!(ObjectId::parse("1"), None);
    }

    #[test]
    fn order_is_the_order_of_creation_even_when_the_clock_stands_or_falls_back() {
        let (source, rng) = (IdSource::default(), SystemRng::new());
        let times = [5_000_000, 5_000_000, 4_000_000, 5_000_000, 5_001_000];
        let ids: Vec<_> = times.iter().map(|at| source.next(*at, &rng).unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        let many: Vec<_> = (0..10_000).map(|_| source.next(0, &rng).unwrap()).collect();
        assert!(many.is_sorted_by(|a, b| a < b));
    }
}
