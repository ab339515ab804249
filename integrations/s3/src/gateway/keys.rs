//! Data keys: where they come from, and how long they are remembered.
//!
//! An object's data key is 32 random bytes; what is stored is that key under the bucket's key, which never leaves the KMIP
//! server. Data keys are remembered for a bounded time, so that not every reading asks the server; all of a key are forgotten
//! when the server refuses that key.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::{S3Error, S3Result, s3_error};

use super::failure;
use crate::driver::{DataKey, Driver, DriverError, KeyId};
use crate::store::Wrapping;

/// Data keys of uploads that are kept, and for how long after their last part.
const UPLOADS_MAX: usize = 10_000;
const UPLOAD_LIFETIME: Duration = Duration::from_secs(3600);

/// How many data keys are remembered, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// At most so many.
    pub keys_max: usize,
    /// From when it was made or unwrapped; zero remembers none.
    pub lifetime: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { keys_max: 10_000, lifetime: Duration::from_secs(60) }
    }
}

/// The gateway's view of the KMIP server.
pub(super) struct Keys {
    driver: Option<Arc<Driver>>,
    cache: Mutex<Cache>,
    /// Those of uploads that go on.
    uploads: Mutex<Cache>,
}

impl Keys {
    pub(super) fn new(driver: Option<Arc<Driver>>, limits: CacheLimits) -> Self {
        let of_uploads = CacheLimits { keys_max: UPLOADS_MAX, lifetime: UPLOAD_LIFETIME };
        Self {
            driver,
            cache: Mutex::new(Cache::new(limits)),
            uploads: Mutex::new(Cache::new(of_uploads)),
        }
    }

    /// There is a KMIP server to ask.
    pub(super) fn available(&self) -> bool {
        self.driver.is_some()
    }

    /// What asks the KMIP servers.
    pub(super) fn shared(&self) -> Option<Arc<Driver>> {
        self.driver.clone()
    }

    fn driver(&self) -> S3Result<&Driver> {
        self.driver.as_deref().ok_or_else(|| {
            s3_error!(
                NotImplemented,
                "This gateway has no KMIP server: it does not encrypt, nor read what is encrypted"
            )
        })
    }

    /// Makes the key of a bucket. Says its unique identifier.
    pub(super) async fn create(&self, bucket: &str) -> S3Result<String> {
        let created = self.driver()?.create_bucket_key(bucket).await;
        Ok(created.map_err(|error| failure::kmip(&error))?.to_string())
    }

    /// Destroys the key of a bucket; one that is not there is destroyed.
    pub(super) async fn destroy(&self, key_id: &str) -> S3Result<()> {
        let key = parse(key_id)?;
        self.forget(key_id);
        match self.driver()?.destroy_bucket_key(&key).await {
            Err(error) if !error.is_absent() => Err(failure::kmip(&error)),
            _ => Ok(()),
        }
    }

    /// A new data key and its wrapping. One call of the KMIP server.
    pub(super) async fn make(&self, key_id: &str) -> S3Result<(Wrapping, Arc<DataKey>)> {
        let data_key = DataKey::generate().map_err(|error| failure::kmip(&error))?;
        let data_key = Arc::new(data_key);
        let wrapping = self.wrap(key_id, &data_key).await?;
        Ok((wrapping, data_key))
    }

    /// The wrapping of a data key by a key. One call of the KMIP server.
    pub(super) async fn wrap(&self, key_id: &str, data_key: &Arc<DataKey>) -> S3Result<Wrapping> {
        let driver = self.driver()?;
        let key = parse(key_id)?;
        let wrapped = driver.cipher_data_key(&key, data_key).await;
        let wrapped = wrapped.map_err(|error| self.refused(key_id, &error))?;
        let wrapping = Wrapping { key_id: key_id.to_owned(), data_key: BASE64.encode(wrapped) };
        self.remember(&wrapping, data_key);
        Ok(wrapping)
    }

    /// The data key of a wrapping: remembered, or one call of the KMIP server.
    pub(super) async fn open(&self, wrapping: &Wrapping) -> S3Result<Arc<DataKey>> {
        if let Some(data_key) = self.cache().get(wrapping, Instant::now()) {
            return Ok(data_key);
        }
        let driver = self.driver()?;
        let key = parse(&wrapping.key_id)?;
        let wrapped = BASE64
            .decode(&wrapping.data_key)
            .map_err(|_| failure::damaged(crate::segments::Damaged))?;
        let data_key = driver.decipher_data_key(&key, &wrapped).await;
        let data_key = data_key.map_err(|error| self.refused(&wrapping.key_id, &error))?;
        let data_key = Arc::new(data_key);
        self.remember(wrapping, &data_key);
        Ok(data_key)
    }

    /// As [`Keys::open`], with a data key that is kept while its upload goes on.
    pub(super) async fn open_for_upload(&self, wrapping: &Wrapping) -> S3Result<Arc<DataKey>> {
        let kept = self.uploads().renewed(wrapping, Instant::now());
        if let Some(data_key) = kept {
            return Ok(data_key);
        }
        let data_key = self.open(wrapping).await?;
        self.keep_for_upload(wrapping, &data_key);
        Ok(data_key)
    }

    /// Keeps the data key of an upload, so that its parts ask for none.
    pub(super) fn keep_for_upload(&self, wrapping: &Wrapping, data_key: &Arc<DataKey>) {
        self.uploads().put(wrapping, data_key, Instant::now());
    }

    /// The upload of a data key is over.
    pub(super) fn end_upload(&self, wrapping: &Wrapping) {
        self.uploads().remove(wrapping);
    }

    /// Forgets what has been remembered for too long.
    pub(super) fn expire(&self) {
        self.cache().expire(Instant::now());
        self.uploads().expire(Instant::now());
    }

    fn remember(&self, wrapping: &Wrapping, data_key: &Arc<DataKey>) {
        self.cache().put(wrapping, data_key, Instant::now());
    }

    /// Forgets all data keys of a key.
    pub(super) fn forget(&self, key_id: &str) {
        self.cache().forget(key_id);
        self.uploads().forget(key_id);
    }

    /// A refusal that the server has given for the key is about all its data keys; silence is not.
    fn refused(&self, key_id: &str, error: &DriverError) -> S3Error {
        let answer = failure::kmip(error);
        if error.s3().status < 500 {
            self.forget(key_id);
        }
        answer
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uploads(&self) -> MutexGuard<'_, Cache> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(key_id: &str) -> S3Result<KeyId> {
    key_id.parse().map_err(|error: DriverError| failure::kmip(&error))
}

/// Data keys by their wrapping. All live equally long, so that the order of coming is the order of going.
struct Cache {
    limits: CacheLimits,
    keys: HashMap<Wrapping, Remembered>,
    order: VecDeque<(Instant, Wrapping)>,
}

struct Remembered {
    data_key: Arc<DataKey>,
    until: Instant,
}

impl Cache {
    fn new(limits: CacheLimits) -> Self {
        Self { limits, keys: HashMap::new(), order: VecDeque::new() }
    }

    fn get(&mut self, wrapping: &Wrapping, now: Instant) -> Option<Arc<DataKey>> {
        let remembered = self.keys.get(wrapping)?;
        (now < remembered.until).then(|| Arc::clone(&remembered.data_key))
    }

    /// As [`Cache::get`], and from then on for another lifetime if much of it is over.
    fn renewed(&mut self, wrapping: &Wrapping, now: Instant) -> Option<Arc<DataKey>> {
        let data_key = self.get(wrapping, now)?;
        let until = self.keys.get(wrapping)?.until;
        if until.saturating_duration_since(now) < self.limits.lifetime / 2 {
            self.put(wrapping, &data_key, now);
        }
        Some(data_key)
    }

    fn remove(&mut self, wrapping: &Wrapping) {
        if self.keys.remove(wrapping).is_some() {
            self.order.retain(|(_, other)| other != wrapping);
        }
    }

    fn put(&mut self, wrapping: &Wrapping, data_key: &Arc<DataKey>, now: Instant) {
        self.expire(now);
        if self.limits.lifetime.is_zero() || self.limits.keys_max == 0 {
            return;
        }
        let Some(until) = now.checked_add(self.limits.lifetime) else { return };
        while self.order.len() >= self.limits.keys_max {
            self.pop();
        }
        let remembered = Remembered { data_key: Arc::clone(data_key), until };
        self.keys.insert(wrapping.clone(), remembered);
        self.order.push_back((until, wrapping.clone()));
    }

    fn expire(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.pop();
        }
    }

    /// Removes what came first, unless it has come again since.
    fn pop(&mut self) {
        if let Some((until, wrapping)) = self.order.pop_front()
            && self.keys.get(&wrapping).is_some_and(|remembered| remembered.until == until)
        {
            self.keys.remove(&wrapping);
        }
    }

    fn forget(&mut self, key_id: &str) {
        self.keys.retain(|wrapping, _| wrapping.key_id != key_id);
        self.order.retain(|(_, wrapping)| wrapping.key_id != key_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CacheLimits = CacheLimits { keys_max: 2, lifetime: Duration::from_secs(60) };

    fn wrapping(key: &str, data: &str) -> Wrapping {
        Wrapping { key_id: key.to_owned(), data_key: data.to_owned() }
    }

    #[test]
    fn data_keys_go_by_number_by_time_and_with_their_key() {
        let data_key = Arc::new(DataKey::generate().unwrap());
        let mut cache = Cache::new(LIMITS);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        cache.put(&wrapping("a", "1"), &data_key, at(0));
        cache.put(&wrapping("b", "1"), &data_key, at(1));
        assert!(cache.get(&wrapping("a", "1"), at(59)).is_some());
        assert!(cache.get(&wrapping("a", "2"), at(1)).is_none());
        cache.put(&wrapping("b", "2"), &data_key, at(2));
        assert!(cache.get(&wrapping("a", "1"), at(2)).is_none(), "the first makes room");
        assert!(cache.get(&wrapping("b", "1"), at(61)).is_none(), "too old");
        cache.expire(at(61));
        assert_eq!((cache.keys.len(), cache.order.len()), (1, 1));
        cache.put(&wrapping("a", "1"), &data_key, at(61));
        cache.forget("b");
        assert!(cache.get(&wrapping("b", "2"), at(61)).is_none());
        assert!(cache.get(&wrapping("a", "1"), at(61)).is_some());
    }

    #[test]
    fn what_came_again_lives_on() {
        let data_key = Arc::new(DataKey::generate().unwrap());
        let mut cache = Cache::new(LIMITS);
        let start = Instant::now();
        cache.put(&wrapping("a", "1"), &data_key, start);
        let again = start + Duration::from_secs(30);
        cache.put(&wrapping("a", "1"), &data_key, again);
        let later = start + Duration::from_secs(70);
        cache.expire(later);
        assert!(cache.get(&wrapping("a", "1"), later).is_some());
        cache.expire(again + LIMITS.lifetime);
        assert!(cache.keys.is_empty() && cache.order.is_empty());
    }

    #[test]
    fn what_is_used_is_kept_and_what_is_over_goes() {
        let data_key = Arc::new(DataKey::generate().unwrap());
        let mut cache = Cache::new(LIMITS);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        cache.put(&wrapping("a", "1"), &data_key, at(0));
        for seconds in 1..=200 {
            assert!(cache.renewed(&wrapping("a", "1"), at(seconds)).is_some(), "{seconds} s");
            assert!(cache.order.len() <= LIMITS.keys_max, "{seconds} s");
        }
        assert!(cache.renewed(&wrapping("a", "1"), at(300)).is_none(), "nobody asked for a minute");
        cache.put(&wrapping("b", "1"), &data_key, at(300));
        cache.remove(&wrapping("b", "1"));
        assert!(cache.renewed(&wrapping("b", "1"), at(300)).is_none());
    }

    #[test]
    fn without_a_lifetime_nothing_is_remembered() {
        let mut cache = Cache::new(CacheLimits { keys_max: 2, lifetime: Duration::ZERO });
        let now = Instant::now();
        cache.put(&wrapping("a", "1"), &Arc::new(DataKey::generate().unwrap()), now);
        assert!(cache.get(&wrapping("a", "1"), now).is_none());
    }
}
