//! Who holds an object: the certificates that have fetched it, and when.
//!
//! The first fetch by a certificate is noted at once and stored within a second: making it durable
//! before the answer would turn a read into a write. A crash may forget the last second; the audit
//! does not. Where more rows wait than may, a fetch waits for the store. Later fetches are remembered
//! beside the object in memory; what is stored follows within [`BEHIND_MAX`] seconds, so that a hot
//! key does not become a hot row.

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
/// How many rows may wait to be stored.
const LATE_MAX: usize = 65_536;
/// The most rows that one commit stores.
const BATCH: usize = 1024;
/// Written first in a row; another means a newer program.
const FORMAT: u8 = 1;

/// A client certificate.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
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

/// The certificates that fetched an object of late. Most objects have one holder, who takes no memory
/// of its own.
#[derive(Debug, Default)]
pub struct Recent(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    first: Option<Seen>,
    #[expect(
        clippy::box_collection,
        reason = "there is one of these for every cached object, mostly empty"
    )]
    others: Option<Box<Vec<Seen>>>,
}

/// A certificate, by a hash of it under a key of this process. The times are POSIX seconds: they fit
/// until 2106, and are cut off then.
#[derive(Copy, Clone, Debug)]
struct Seen {
    tag: u64,
    /// The last time that the store has, or will have within a second.
    stored: u32,
    last: u32,
}

fn short(time: i64) -> u32 {
    u32::try_from(time.max(0)).unwrap_or(u32::MAX)
}

impl Recent {
    /// Whether the store knows of this certificate, and is not behind by more than it may be.
    pub(super) fn is_stored(&self, tag: u64, now: i64) -> bool {
        let found = self.with(tag, |it| it.stored);
        found.is_some_and(|stored| now.saturating_sub(i64::from(stored)) < BEHIND_MAX)
    }

    /// Notes a fetch by a certificate that the store knows.
    pub(super) fn fetched(&self, tag: u64, now: i64) {
        self.with(tag, |it| it.last = it.last.max(short(now)));
    }

    /// Notes a fetch that the store has, or will have within a second.
    pub(super) fn stored(&self, tag: u64, now: i64) {
        let known = self.with(tag, |it| {
            it.stored = short(now);
            it.last = it.last.max(short(now));
        });
        if known.is_some() {
            return;
        }
        let seen = Seen { tag, stored: short(now), last: short(now) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let All { first, others } = &mut *all;
        if first.is_none() {
            *first = Some(seen);
            return;
        }
        let others = others.get_or_insert_default();
        if others.len().saturating_add(1) < RECENT_MAX {
            others.push(seen);
        } else if let Some(oldest) =
            first.iter_mut().chain(others.iter_mut()).min_by_key(|it| it.stored)
        {
            *oldest = seen;
        }
    }

    /// The last fetch by that certificate, if it is remembered.
    pub(super) fn last(&self, tag: u64) -> Option<i64> {
        self.with(tag, |it| i64::from(it.last))
    }

    fn with<T>(&self, tag: u64, act: impl FnOnce(&mut Seen) -> T) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let All { first, others } = &mut *all;
        let others = others.iter_mut().flat_map(|others| others.iter_mut());
        first.iter_mut().chain(others).find(|it| it.tag == tag).map(act)
    }
}

/// Rows that are to be stored: their key, the version to write, what they say.
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
        // After a burst the memory is of use elsewhere.
        if waiting.is_empty() {
            *waiting = HashMap::new();
        }
    }

    /// What a row will say, and in which version.
    pub(super) fn of_row(&self, key: &[u8]) -> Option<(u64, Fetches)> {
        self.lock().get(key).cloned()
    }

    /// The rows that wait below that beginning of a key.
    pub(super) fn below(&self, beginning: &[u8]) -> Vec<(Key, Fetches)> {
        let waiting = self.lock();
        let rows = waiting.iter().filter(|(key, _)| key.starts_with(beginning));
        rows.map(|(key, (_, fetches))| (key.clone(), fetches.clone())).collect()
    }

    /// Forgets what waits below that beginning of a key.
    pub(super) fn forget(&self, beginning: &[u8]) {
        self.lock().retain(|key, _| !key.starts_with(beginning));
    }

    /// Whether no more rows may wait.
    pub(super) fn is_full(&self) -> bool {
        self.lock().len() >= LATE_MAX
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
            recent.stored(number, 1000 + i64::try_from(number).unwrap());
        }
        let kept: Vec<u64> = (0..100).filter(|it| recent.last(*it).is_some()).collect();
        assert_eq!(kept, (84..100).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_stored_is_behind_by_a_bounded_time() {
        let recent = Recent::default();
        recent.fetched(1, 5);
        assert!(!recent.is_stored(1, 5), "a fetch does not make it stored");
        recent.stored(1, 10);
        recent.fetched(1, 20);
        assert_eq!(recent.last(1), Some(20));
        assert!(recent.is_stored(1, 10 + BEHIND_MAX - 1));
        assert!(!recent.is_stored(1, 10 + BEHIND_MAX));
        assert!(!recent.is_stored(2, 10));
    }

    #[test]
    fn rows_wait_until_what_they_say_is_stored() {
        let late = Late::default();
        let fetches = |last| Fetches { first: 1, last, role: "r".to_owned() };
        late.note(b"ab".to_vec(), 1, fetches(1));
        let batch = late.batch();
        late.note(b"ab".to_vec(), 1, fetches(2));
        late.stored(&batch);
        assert_eq!(late.of_row(b"ab"), Some((1, fetches(2))), "it says something newer");
        assert_eq!(late.below(b"a").len(), 1);
        assert!(late.below(b"b").is_empty());
        late.stored(&late.batch());
        assert_eq!(late.of_row(b"ab"), None);
        assert!(!late.is_full());
    }
}
