//! What the server asks for all the time, in memory: the latest version of each key, and the bytes of versions.
//!
//! Readers take no lock and never wait: everything is in chains that only grow, and what changes is atomic. Who adds
//! must hold a lock of the caller's, so that nothing is added twice. It must never know where keys come from.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use claviger_kmip::codec::Secret;

/// Chains that key identifiers are spread over; a few keys in each at most.
const BUCKETS: usize = 4096;
/// How many key identifiers are remembered; those beyond are not had at all.
pub(crate) const KEYS_MAX: usize = 65_536;
/// No version: the server's word for "not encrypted", which no key has.
const NONE: u32 = 0;

/// A list that only grows.
struct Chain<T> {
    first: OnceLock<Box<Link<T>>>,
}

struct Link<T> {
    value: T,
    next: OnceLock<Box<Self>>,
}

impl<T> Chain<T> {
    const fn new() -> Self {
        Self { first: OnceLock::new() }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        let first = self.first.get();
        std::iter::successors(first, |link| link.next.get()).map(|link| &link.value)
    }

    fn push(&self, value: T) {
        let mut link = Box::new(Link { value, next: OnceLock::new() });
        let mut slot = &self.first;
        while let Err(refused) = slot.set(link) {
            link = refused;
            match slot.get() {
                Some(taken) => slot = &taken.next,
                // A slot that refuses is taken.
                None => return,
            }
        }
    }
}

impl<T> Drop for Chain<T> {
    /// Link by link: a long chain would need as much stack.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

/// A key: its latest version, and those whose bytes are known.
pub(crate) struct Key {
    pub(crate) id: u32,
    latest: AtomicU32,
    versions: Chain<Version>,
}

struct Version {
    number: u32,
    bytes: Secret,
    is_withdrawn: AtomicBool,
}

/// Why bytes are not kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotKept {
    /// The version had other bytes before; it may not be used any more.
    Differs,
    /// There are [`KEYS_MAX`] keys already.
    Full,
}

/// All keys.
pub(crate) struct Cache {
    buckets: Box<[Chain<Key>]>,
    count: AtomicU32,
}

impl Cache {
    pub(crate) fn new() -> Self {
        let buckets = std::iter::repeat_with(Chain::new).take(BUCKETS).collect();
        Self { buckets, count: AtomicU32::new(0) }
    }

    /// The latest version of a key, if it is known and may be used.
    pub(crate) fn latest(&self, id: u32) -> Option<u32> {
        let latest = self.key(id)?.latest.load(Ordering::Acquire);
        (latest != NONE).then_some(latest)
    }

    /// The bytes of a version, if they are known and may be used.
    pub(crate) fn bytes(&self, id: u32, version: u32) -> Option<&Secret> {
        let version = self.key(id)?.version(version)?;
        (!version.is_withdrawn.load(Ordering::Acquire)).then_some(&version.bytes)
    }

    fn bucket(&self, id: u32) -> Option<&Chain<Key>> {
        self.buckets.get(usize::try_from(id).ok()? % BUCKETS)
    }

    fn key(&self, id: u32) -> Option<&Key> {
        self.bucket(id)?.iter().find(|key| key.id == id)
    }

    /// Every key that was ever asked for and found.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.buckets.iter().flat_map(Chain::iter)
    }

    /// Notes the latest version of a key; its bytes are to be known by then.
    pub(crate) fn set_latest(&self, id: u32, latest: Option<u32>) {
        if let Some(key) = self.key_or_new(id) {
            key.latest.store(latest.unwrap_or(NONE), Ordering::Release);
        }
    }

    /// Notes the bytes of a version, which never change.
    pub(crate) fn keep(&self, id: u32, number: u32, bytes: Secret) -> Result<(), NotKept> {
        let key = self.key_or_new(id).ok_or(NotKept::Full)?;
        match key.version(number) {
            Some(known) if known.bytes.expose() == bytes.expose() => {
                known.is_withdrawn.store(false, Ordering::Release);
            }
            Some(known) => {
                known.is_withdrawn.store(true, Ordering::Release);
                return Err(NotKept::Differs);
            }
            None => {
                let is_withdrawn = AtomicBool::new(false);
                key.versions.push(Version { number, bytes, is_withdrawn });
            }
        }
        Ok(())
    }

    /// The bytes of a version may not be used until they are kept again.
    pub(crate) fn withdraw(&self, id: u32, number: u32) {
        if let Some(version) = self.key(id).and_then(|key| key.version(number)) {
            version.is_withdrawn.store(true, Ordering::Release);
        }
    }

    fn key_or_new(&self, id: u32) -> Option<&Key> {
        if let Some(key) = self.key(id) {
            return Some(key);
        }
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if usize::try_from(count).is_ok_and(|count| count >= KEYS_MAX) {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let latest = AtomicU32::new(NONE);
        self.bucket(id)?.push(Key { id, latest, versions: Chain::new() });
        self.key(id)
    }
}

impl Key {
    fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The versions whose bytes are known, withdrawn or not.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u32> {
        self.versions.iter().map(|version| version.number)
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use super::*;

    fn bytes(fill: u8) -> Secret {
        Secret::copy_of(&[fill; 32])
    }

    #[test]
    fn what_is_withdrawn_is_not_served_and_bytes_never_change() {
        let cache = Cache::new();
        assert!(cache.latest(1).is_none() && cache.bytes(1, 1).is_none());
        cache.keep(1, 1, bytes(7)).unwrap();
        cache.set_latest(1, Some(1));
        assert_eq!(cache.latest(1), Some(1));
        assert_eq!(cache.bytes(1, 1).unwrap().expose(), &[7; 32]);
        cache.withdraw(1, 1);
        assert!(cache.bytes(1, 1).is_none());
        assert!(cache.keep(1, 1, bytes(7)).is_ok() && cache.bytes(1, 1).is_some());
        assert_eq!(cache.keep(1, 1, bytes(8)), Err(NotKept::Differs));
        assert!(cache.bytes(1, 1).is_none(), "neither the old bytes nor the new ones");
        cache.set_latest(1, None);
        assert!(cache.latest(1).is_none());
    }

    #[test]
    fn keys_of_one_bucket_do_not_mix() {
        let cache = Cache::new();
        let step = u32::try_from(BUCKETS).unwrap();
        let ids = [1, 1 + step, 1 + 2 * step, u32::MAX];
        for id in ids {
            cache.set_latest(id, Some(id));
            cache.keep(id, 1, bytes(u8::try_from(id % 251).unwrap())).unwrap();
        }
        for id in ids {
            assert_eq!(cache.latest(id), Some(id));
            assert_eq!(cache.bytes(id, 1).unwrap().expose()[0], u8::try_from(id % 251).unwrap());
        }
        assert_eq!(cache.keys().count(), 4);
    }

    #[test]
    fn a_long_chain_ends_on_a_short_stack() {
        let mut chain = Chain::new();
        for value in 0..100_000 {
            let next = std::mem::replace(&mut chain, Chain::new()).first.take();
            let next = next.map(OnceLock::from).unwrap_or_default();
            chain.first = Box::new(Link { value, next }).into();
        }
        let ends = std::thread::Builder::new().stack_size(64 << 10).spawn(move || drop(chain));
        ends.unwrap().join().unwrap();
    }

    #[test]
    fn more_keys_than_there_is_room_for_are_not_had_in_part() {
        let cache = Cache::new();
        let most = u32::try_from(KEYS_MAX).unwrap();
        (1..=most).for_each(|id| cache.keep(id, 1, bytes(1)).unwrap());
        assert_eq!(cache.keep(most + 1, 1, bytes(1)), Err(NotKept::Full));
        cache.set_latest(most + 1, Some(1));
        assert!(cache.latest(most + 1).is_none());
        cache.keep(most, 2, bytes(2)).unwrap();
    }

    #[test]
    fn readers_meet_a_writer_without_waiting() {
        let cache = Cache::new();
        cache.keep(1, 1, bytes(1)).unwrap();
        cache.set_latest(1, Some(1));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for version in 2..200_u32 {
                    cache.keep(1, version, bytes(u8::try_from(version).unwrap())).unwrap();
                    cache.set_latest(1, Some(version));
                }
            });
            let mut before = 0;
            while before < 199 {
                let latest = cache.latest(1).unwrap();
                assert!(latest >= before);
                let found = cache.bytes(1, latest).unwrap();
                assert_eq!(u32::from(found.expose()[0]), latest);
                before = latest;
            }
        });
    }

    #[test]
    fn a_read_is_far_from_a_request() {
        let cache = Cache::new();
        for id in 1..=10_000 {
            cache.keep(id, 1, bytes(1)).unwrap();
            cache.set_latest(id, Some(1));
        }
        let fastest = |read: &dyn Fn(u32) -> bool| {
            let once = |_| {
                let began = Instant::now();
                (1..1000).for_each(|id| assert!(black_box(read(black_box(id)))));
                began.elapsed() / 1000
            };
            (0..50).map(once).min().unwrap()
        };
        for read in [&(|id| cache.latest(id).is_some()) as &dyn Fn(u32) -> bool, &|id| {
            cache.bytes(id, 1).is_some()
        }] {
            let fastest = fastest(read);
            assert!(fastest.as_nanos() < 200, "{fastest:?}");
        }
    }
}
