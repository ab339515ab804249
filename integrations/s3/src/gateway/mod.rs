//! The S3 service: what each operation does with the store and with data keys.
//!
//! s3s reads requests, checks their signatures and writes answers; `service` is its list of operations, each of which is in
//! the module of what it is about. Nothing here touches a socket or a file.

mod answers;
mod attributes;
mod buckets;
mod checksums;
mod chunks;
mod conditions;
mod copies;
mod credentials;
mod dates;
mod encryption;
mod failure;
mod headers;
mod keys;
mod listing;
mod objects;
mod parts;
mod promised;
mod ranges;
mod read;
mod reader;
mod rotate;
mod serve;
mod service;
mod steady;
mod tags;
mod tls;
mod unread;
mod uploads;
mod versions;
mod wanted;
mod write;

pub use credentials::{Credentials, CredentialsError};
pub use keys::CacheLimits;
pub use serve::{Limits, serve};
pub use tls::{TlsError, acceptor};

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};

use crate::driver::Driver;
use crate::rotation::Writes;
use crate::store::{Format, Store};
use keys::Keys;

/// How often what the gateway keeps is looked through.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Which objects are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encrypt {
    /// All of them.
    #[default]
    All,
    /// Those whose bucket or whose own headers say so.
    Asked,
}

/// What a gateway is told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which objects are encrypted.
    pub encrypt: Encrypt,
    /// How new objects are encrypted.
    pub format: Format,
    /// How many data keys are remembered.
    pub cache: CacheLimits,
}

/// The service.
pub struct Gateway {
    store: Arc<dyn Store>,
    keys: Keys,
    options: Options,
    /// Held while a bucket's key is made or destroyed, so that it is so once.
    making: tokio::sync::Mutex<()>,
    writes: Writes,
}

impl Gateway {
    /// A gateway in front of a store. Without a driver it stores what is not encrypted.
    pub fn new(store: Arc<dyn Store>, driver: Option<Arc<Driver>>, options: Options) -> Self {
        let keys = Keys::new(driver, options.cache);
        Self {
            store,
            keys,
            options,
            making: tokio::sync::Mutex::default(),
            writes: Writes::default(),
        }
    }

    /// Forgets old data keys, and destroys the keys of deleted buckets. Never ends.
    pub async fn upkeep(&self) {
        loop {
            self.keys.expire();
            if self.keys.available() {
                self.destroy_keys().await;
            }
            tokio::time::sleep(UPKEEP_EVERY).await;
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn timestamp(ms: u64) -> Timestamp {
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH);
    Timestamp::from(time)
}

fn http_date(time: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// 16 random bytes in hexadecimal.
fn random_id() -> S3Result<String> {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id)
        .map_err(|_| s3_error!(InternalError, "There is no randomness"))?;
    Ok(checksums::hex(&id))
}

/// A number that the protocol has as signed.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
