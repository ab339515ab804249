//! Another S3 store: MinIO, Ceph, Amazon's, whatever speaks the protocol.
//!
//! An object is one object there, under its own key, with the stored bytes of its parts one behind the other; a header of its
//! metadata names its *record*, which says all else (`records`). Records, what is kept of buckets and of uploads are
//! objects too, behind a prefix that nobody sees. What has no record is served as it is. Layout: `docs/formats.md` §14.
//!
//! A write sends its bytes as they come and holds the last ones back until all that is said of the object is known and its
//! record is there: then they go, and the store itself puts the new object in the place of the old one. Whoever reads has
//! found a record, and asks for the bytes that belong to it and for no others.

mod buckets;
mod calls;
mod endpoint;
mod found;
mod http;
mod listing;
mod objects;
mod outgoing;
mod reading;
mod records;
mod sign;
mod uploads;
mod versions;
mod writing;
mod xml;

pub use endpoint::{Endpoint, EndpointError};
pub use sign::Credentials;

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{MutexGuard as Alone, RwLock};
use tokio::task::JoinSet;

use super::StoreError;
use buckets::Cached;
use http::Client;
use listing::Known;
use reading::Coming;
use writing::Writing;

/// What begins so is the store's own. Sorts before letters and digits.
const RESERVED: &str = ".claviger/";
/// Behind every key that begins so.
const BEHIND_RESERVED: &str = ".claviger/\u{10FFFF}";
/// Changes of objects that go on at once are of this many kinds of keys: those of one kind wait for each other.
const KINDS: usize = 64;
/// How many requests one call makes at once.
const AT_ONCE: usize = 32;
/// How often what others changed in between is tried anew.
const ATTEMPTS_MAX: usize = 10;

/// A store at an endpoint of S3.
pub struct Upstream {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    /// Bytes that have been written and belong to no object yet, by their name.
    written: Mutex<HashMap<String, Writing>>,
    buckets: Mutex<HashMap<String, Cached>>,
    /// The buckets that keys were made for, as far as they are known.
    owners: Mutex<HashMap<String, String>>,
    /// Keys whose buckets are deleted.
    doomed: Mutex<BTreeSet<String>>,
    /// Whether they have been looked for.
    looked: tokio::sync::OnceCell<()>,
    /// Objects that have been replaced between two looks at them, and when.
    contended: Mutex<HashMap<(String, String), Instant>>,
    /// Bytes that wait to be read; none while they are.
    pinned: Mutex<HashMap<String, Option<Coming>>>,
    /// What listings have found.
    known: Mutex<Known>,
    /// Held to change what is in a bucket; held alone to delete a bucket, which must be empty, or to change it.
    gate: RwLock<()>,
    /// Held while an object is replaced, by the kind of its key.
    kinds: [tokio::sync::Mutex<()>; KINDS],
}

impl Upstream {
    /// A store at an endpoint. Nothing is asked there yet.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        let inner = Inner {
            client: Client::new(endpoint)?,
            written: Mutex::default(),
            buckets: Mutex::default(),
            owners: Mutex::default(),
            doomed: Mutex::default(),
            looked: tokio::sync::OnceCell::default(),
            contended: Mutex::default(),
            pinned: Mutex::default(),
            known: Mutex::default(),
            gate: RwLock::default(),
            kinds: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    /// Waits until nobody else in this process changes the object.
    async fn alone(&self, bucket: &str, key: &str) -> Alone<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (bucket, key).hash(&mut hasher);
        let kind = usize::try_from(hasher.finish() % KINDS as u64).unwrap_or_default();
        let [first, ..] = &self.kinds;
        self.kinds.get(kind).unwrap_or(first).lock().await
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reserved(key: &str) -> bool {
    key.starts_with(RESERVED)
}

/// 16 random bytes in hexadecimal.
fn random_name() -> Result<String, StoreError> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| StoreError::Failed("there is no randomness".to_owned()))?;
    Ok(sign::hex(&random))
}

/// What becomes of each, in their order; a few at once.
async fn each<I: Send + 'static, T: Send + 'static, F>(
    items: Vec<I>,
    work: impl Fn(I) -> F,
) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let mut found: Vec<(usize, T)> = Vec::with_capacity(items.len());
    let mut tasks: JoinSet<Result<(usize, T), StoreError>> = JoinSet::new();
    for (at, item) in items.into_iter().enumerate() {
        if tasks.len() >= AT_ONCE
            && let Some(ended) = tasks.join_next().await
        {
            found.push(ended.map_err(|error| StoreError::Failed(error.to_string()))??);
        }
        let work = work(item);
        tasks.spawn(async move { Ok((at, work.await?)) });
    }
    while let Some(ended) = tasks.join_next().await {
        found.push(ended.map_err(|error| StoreError::Failed(error.to_string()))??);
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, found)| found).collect())
}
