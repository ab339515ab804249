//! Who holds an object: the certificates that have fetched it, and when.
//!
//! The first fetch by a certificate is noted at once and stored within a second: making it durable
//! before the answer would turn a read into a write. A crash may forget the last second; the audit
//! does not. Where more rows wait than may, a fetch waits for the store. Later fetches are remembered
//! beside the object in memory; what is stored follows within [`BEHIND_MAX`] seconds, so that a hot
//! key does not become a hot row.

use std::collections::HashMap;
use std::num::NonZeroU64;
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
/// Written first in a row of a certificate that this server issued; also in those of imported
/// authorities that tell no issuer, from programs that did not note it.
const FORMAT: u8 = 1;
/// Written first in a row that tells the issuer. Another one means a newer program.
const FORMAT_WITH_ISSUER: u8 = 2;

/// A client certificate.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The imported authority that vouched for it; zeros for those that this server issues.
    pub authority: layout::Id,
    /// Its serial number, big-endian.
    pub serial: [u8; 20],
    /// Stands for who issued it, under an imported authority; zeros for our own, or where it is not known.
    pub issuer: layout::Id,
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
    /// Who issued it, under an imported authority; empty for our own, or where it is not known.
    pub issuer: String,
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
    pub(super) fn suffix(&self) -> impl Iterator<Item = u8> {
        let issuer = (self.issuer != [0; 16]).then_some(self.issuer);
        self.authority.into_iter().chain(self.serial).chain(issuer.into_iter().flatten())
    }

    /// From what the key of a row ends in.
    pub(super) fn of_suffix(suffix: &[u8]) -> Option<Self> {
        let (authority, rest) = suffix.split_first_chunk()?;
        let (serial, issuer) = rest.split_first_chunk()?;
        let issuer = if issuer.is_empty() { [0; 16] } else { issuer.try_into().ok()? };
        Some(Self { authority: *authority, serial: *serial, issuer })
    }
}

impl Fetches {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = vec![if self.issuer.is_empty() { FORMAT } else { FORMAT_WITH_ISSUER }];
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.last.to_be_bytes());
        bytes.extend_from_slice(self.role.as_bytes());
        if !self.issuer.is_empty() {
            // The name of a role has no control characters.
            bytes.push(0);
            bytes.extend_from_slice(self.issuer.as_bytes());
        }
        Zeroizing::new(bytes)
    }

    /// # Errors
    /// A newer program wrote it, or it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let damaged = || SealError::Damaged { kind: Some(char::from(layout::HELD)) };
        let (format, rest) = bytes.split_first().ok_or_else(damaged)?;
        if ![FORMAT, FORMAT_WITH_ISSUER].contains(format) {
            return Err(SealError::Format { what: "the record of a holder", found: *format });
        }
        let (first, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (last, texts) = rest.split_first_chunk().ok_or_else(damaged)?;
        let text = std::str::from_utf8(texts).map_err(|_| damaged())?;
        let (role, issuer) = match *format {
            FORMAT => (text, ""),
            _ => text.split_once('\0').ok_or_else(damaged)?,
        };
        let (first, last) = (i64::from_be_bytes(*first), i64::from_be_bytes(*last));
        Ok(Self { first, last, role: role.to_owned(), issuer: issuer.to_owned() })
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
    /// Not zero: then the certificate that there may be takes no room for whether there is one.
    tag: NonZeroU64,
    /// The last time that the store has, or will have within a second.
    stored: u32,
    last: u32,
}

impl Seen {
    fn tag(hash: u64) -> NonZeroU64 {
        NonZeroU64::new(hash).unwrap_or(NonZeroU64::MIN)
    }
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
        let seen = Seen { tag: Seen::tag(tag), stored: short(now), last: short(now) };
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
        let tag = Seen::tag(tag);
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

    /// The same, unless something newer waits.
    pub(super) fn note_first(&self, key: Key, version: u64, fetches: Fetches) {
        self.lock().entry(key).or_insert((version, fetches));
    }

    /// Takes out the rows that wait below that beginning of a key.
    pub(super) fn take(&self, beginning: &[u8]) -> Vec<(Key, u64, Fetches)> {
        let mut waiting = self.lock();
        let rows = waiting.extract_if(|key, _| key.starts_with(beginning));
        rows.map(|(key, (version, fetches))| (key, version, fetches)).collect()
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
        Holder { authority: [number % 2; 16], serial: [number; 20], issuer: [number / 2; 16] }
    }

    #[test]
    fn rows_read_back() {
        for issuer in ["", "CN=Edge"] {
            let (role, issuer) = ("rôle".to_owned(), issuer.to_owned());
            let fetches = Fetches { first: -1, last: i64::MAX, role, issuer };
            assert_eq!(Fetches::decode(&fetches.encode()).unwrap(), fetches);
            let encoded = fetches.encode();
            for length in 0..17 {
                assert!(Fetches::decode(&encoded[..length]).is_err());
            }
            let mut newer = encoded.to_vec();
            newer[0] = 3;
            assert!(matches!(Fetches::decode(&newer), Err(SealError::Format { found: 3, .. })));
        }
        for (number, length) in [(1, 36), (3, 52)] {
            let suffix: Vec<u8> = holder(number).suffix().collect();
            assert_eq!(
                suffix.len(),
                length,
                "without an issuer it is as it was before there were any"
            );
            assert_eq!(Holder::of_suffix(&suffix), Some(holder(number)));
            assert_eq!(Holder::of_suffix(&suffix[1..]), None);
        }
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
        let fetches =
            |last| Fetches { first: 1, last, role: "r".to_owned(), issuer: String::new() };
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
