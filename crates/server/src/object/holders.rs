//! Who holds an object: the certificates that have fetched it, and when.
//!
//! The first fetch by a certificate is stored before the object leaves, so that none is missing from
//! the list. Later ones are remembered beside the object in memory; what is stored follows within
//! [`BEHIND_MAX`] seconds, so that a hot key does not become a hot row.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claviger_store::Key;
use zeroize::Zeroizing;

use super::layout;
use crate::seal::SealError;

/// How far, in seconds, the stored time of a last fetch may be behind.
pub const BEHIND_MAX: i64 = 600;
/// How many certificates are remembered beside one object in memory; of the others the store knows.
const RECENT_MAX: usize = 16;
/// The most rows that one commit stores.
const BATCH: usize = 1024;
/// Written first in a row; another means a newer program.
const FORMAT: u8 = 1;

/// A client certificate.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The imported authority that vouched for it; zeros for those that this server issues.
    pub authority: layout::Id,
    /// Its serial number, big-endian.
    pub serial: [u8; 20],
}

/// When a certificate fetched an object, as a row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetches {
    /// The first time, in POSIX seconds.
    pub first: i64,
    /// The last time that is known.
    pub last: i64,
    /// Name of the role that it had.
    pub role: String,
}

/// A row, with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose certificate.
    pub holder: Holder,
    /// When.
    pub fetches: Fetches,
}

impl Holder {
    /// What its rows' keys end in.
    pub(super) fn suffix(&self) -> [u8; 36] {
        let mut suffix = [0; 36];
        let (authority, serial) = suffix.split_at_mut(16);
        authority.copy_from_slice(&self.authority);
        serial.copy_from_slice(&self.serial);
        suffix
    }

    /// Whose row that is.
    pub(super) fn of_row(key: &[u8]) -> Option<Self> {
        let (authority, serial) = key.last_chunk::<36>()?.split_first_chunk()?;
        Some(Self { authority: *authority, serial: serial.try_into().ok()? })
    }
}

impl Fetches {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.last.to_be_bytes());
        bytes.extend_from_slice(self.role.as_bytes());
        Zeroizing::new(bytes)
    }

    /// # Errors
    /// A newer program wrote it, or it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let damaged = || SealError::Damaged { kind: Some(char::from(layout::HELD)) };
        let (format, rest) = bytes.split_first().ok_or_else(damaged)?;
        if *format != FORMAT {
            return Err(SealError::Format { what: "the record of a holder", found: *format });
        }
        let (first, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (last, role) = rest.split_first_chunk().ok_or_else(damaged)?;
        let role = std::str::from_utf8(role).map_err(|_| damaged())?.to_owned();
        Ok(Self { first: i64::from_be_bytes(*first), last: i64::from_be_bytes(*last), role })
    }
}

/// The certificates that fetched an object of late, in order.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Vec<Seen>>);

#[derive(Debug)]
struct Seen {
    holder: Holder,
    /// The last time that the store has, or will have within a second.
    stored: i64,
    last: i64,
}

impl Recent {
    /// Whether the store knows of this certificate, and is not behind by more than it may be.
    pub(super) fn is_stored(&self, holder: &Holder, now: i64) -> bool {
        let seen = self.lock();
        let found = find(&seen, holder).ok().and_then(|at| seen.get(at));
        found.is_some_and(|it| now.saturating_sub(it.stored) < BEHIND_MAX)
    }

    /// Notes a fetch by a certificate that the store knows.
    pub(super) fn fetched(&self, holder: &Holder, now: i64) {
        let mut seen = self.lock();
        if let Some(it) = find(&seen, holder).ok().and_then(|at| seen.get_mut(at)) {
            it.last = it.last.max(now);
        }
    }

    /// Notes a fetch that the store has, or will have within a second.
    pub(super) fn stored(&self, holder: &Holder, now: i64) {
        let mut seen = self.lock();
        match find(&seen, holder) {
            Ok(at) => {
                if let Some(it) = seen.get_mut(at) {
                    it.stored = now;
                    it.last = it.last.max(now);
                }
            }
            Err(_) => {
                if seen.len() >= RECENT_MAX {
                    let oldest = seen.iter().enumerate().min_by_key(|(_, it)| it.stored);
                    let oldest = oldest.map_or(0, |(at, _)| at);
                    seen.remove(oldest);
                }
                let at = find(&seen, holder).unwrap_or_else(|at| at);
                // Most objects have one holder.
                seen.reserve_exact(1);
                seen.insert(at, Seen { holder: *holder, stored: now, last: now });
            }
        }
    }

    /// The last fetch by that certificate, if it is remembered.
    pub(super) fn last(&self, holder: &Holder) -> Option<i64> {
        let seen = self.lock();
        find(&seen, holder).ok().and_then(|at| seen.get(at)).map(|it| it.last)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(seen: &[Seen], holder: &Holder) -> Result<usize, usize> {
    seen.binary_search_by(|it| it.holder.cmp(holder))
}

/// Rows whose last fetch is to be stored: their key, the version to write, what they say.
#[derive(Debug, Default)]
pub struct Late(Mutex<HashMap<Key, (u64, Fetches)>>);

impl Late {
    /// Notes what a row is to say.
    pub(super) fn note(&self, key: Key, version: u64, fetches: Fetches) {
        self.lock().insert(key, (version, fetches));
    }

    /// Some of the rows that are to be stored. They stay until [`Late::stored`].
    pub(super) fn batch(&self) -> Vec<(Key, u64, Fetches)> {
        let waiting = self.lock();
        let some = waiting.iter().take(BATCH);
        some.map(|(key, (version, fetches))| (key.clone(), *version, fetches.clone())).collect()
    }

    /// Forgets rows that are stored, unless they are to say something newer by now.
    pub(super) fn stored(&self, rows: &[(Key, u64, Fetches)]) {
        let mut waiting = self.lock();
        for (key, version, fetches) in rows {
            if waiting.get(key).is_some_and(|now| now.0 == *version && now.1 == *fetches) {
                waiting.remove(key);
            }
        }
    }

    /// What a row will say.
    pub(super) fn of_row(&self, key: &[u8]) -> Option<Fetches> {
        self.lock().get(key).map(|(_, fetches)| fetches.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, (u64, Fetches)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(number: u8) -> Holder {
        Holder { authority: [number % 2; 16], serial: [number; 20] }
    }

    #[test]
    fn rows_read_back() {
        let fetches = Fetches { first: -1, last: i64::MAX, role: "rôle".to_owned() };
        assert_eq!(Fetches::decode(&fetches.encode()).unwrap(), fetches);
        let encoded = fetches.encode();
        for length in 0..17 {
            assert!(Fetches::decode(&encoded[..length]).is_err());
        }
        let mut newer = encoded.to_vec();
        newer[0] = 2;
        assert!(matches!(Fetches::decode(&newer), Err(SealError::Format { found: 2, .. })));
        let key = [b"prefix".as_slice(), &holder(3).suffix()].concat();
        assert_eq!(Holder::of_row(&key), Some(holder(3)));
    }

    #[test]
    fn memory_keeps_few_and_forgets_the_one_stored_longest_ago() {
        let recent = Recent::default();
        for number in 0..100 {
            recent.stored(&holder(number), i64::from(number));
        }
        let kept: Vec<u8> = (0..100).filter(|it| recent.last(&holder(*it)).is_some()).collect();
        assert_eq!(kept, (84..100).collect::<Vec<u8>>());
    }

    #[test]
    fn what_is_stored_is_behind_by_a_bounded_time() {
        let recent = Recent::default();
        recent.fetched(&holder(1), 5);
        assert!(!recent.is_stored(&holder(1), 5), "a fetch does not make it stored");
        recent.stored(&holder(1), 10);
        recent.fetched(&holder(1), 20);
        assert_eq!(recent.last(&holder(1)), Some(20));
        assert!(recent.is_stored(&holder(1), 10 + BEHIND_MAX - 1));
        assert!(!recent.is_stored(&holder(1), 10 + BEHIND_MAX));
        assert!(!recent.is_stored(&holder(2), 10));
    }
}
