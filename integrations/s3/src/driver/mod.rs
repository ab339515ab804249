//! The keys of buckets on KMIP servers, as Zenko's driver keeps them (`docs/zenko.md`): a key is created when a
//! bucket needs one and destroyed with it; it encrypts and decrypts data keys where it is, and never leaves.
//!
//! It must never know an object, a bucket's metadata, or how clients of S3 speak.

mod addresses;
mod data_key;
mod error;
mod health;
mod key_id;
mod keys;
mod log;
pub mod options;
mod requests;

pub use data_key::DataKey;
pub use error::{DriverError, S3Failure};
pub use health::{Health, ServerHealth};
pub use key_id::KeyId;
pub use options::{Options, Problem};

use std::sync::Mutex;
use std::time::Duration;

use claviger_client::tokio::PipelinedClient;
use claviger_client::{Depth, Dialect, Endpoint, Observer, Order, Pool, Versions};
use claviger_client::{Error as ClientError, Refusal};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{Operation, ResultReason};
use claviger_kmip::payload::{DecryptRequest, EncryptRequest, Request};

use keys::Unfinished;

/// The oldest version that a server must speak: the first with Encrypt and Decrypt.
pub const VERSION_MIN: Version = Version::V1_2;
/// The newest version that is spoken.
pub const VERSION_MAX: Version = Version::V1_4;

/// The largest answer that is taken, in bytes.
const RESPONSE_SIZE_MAX: u32 = 8000;

/// For how long a connection may be idle and still be used: servers end sessions that are idle for hours.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// How long a request may wait for those before it.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// KMIP servers that keep the keys of buckets. Any number of tasks may use one.
#[derive(Debug)]
pub struct Driver {
    client: PipelinedClient,
    hosts: Vec<Endpoint>,
    compound_create: bool,
    bucket_attribute_name: Option<String>,
    provider: Option<String>,
    /// How often a step whose answer was lost is taken up again.
    attempts: usize,
    unfinished: Mutex<Unfinished>,
}

impl Driver {
    /// Reads the files for TLS; no server is asked.
    ///
    /// # Errors
    /// KMIP is not enabled, no server is named, or a file cannot be used.
    pub fn new(options: Options) -> Result<Self, DriverError> {
        if !options.enabled {
            return Err(DriverError::Disabled);
        }
        options.check().map_err(DriverError::Options)?;
        let tls = options.tls.load().map_err(DriverError::Files)?;
        let hosts = options.hosts.clone();
        let client = claviger_client::Options {
            order: Order::RoundRobin,
            dialect: Dialect {
                versions: Versions::Negotiated { oldest: VERSION_MIN, newest: VERSION_MAX },
                maximum_response_size: Some(RESPONSE_SIZE_MAX),
                ..Dialect::default()
            },
            timeouts: options.timeouts,
            pool: Pool { idle_max: IDLE_MAX, wait_max: WAIT_MAX, ..Pool::default() },
            observer: Some(Observer::new(log::event)),
            ..claviger_client::Options::new(options.hosts, tls)
        };
        Ok(Self {
            client: PipelinedClient::new(client, Depth::new(options.pipeline_depth)),
            // The others once each, and the only one again.
            attempts: hosts.len().max(2),
            hosts,
            compound_create: options.compound_create,
            bucket_attribute_name: options.bucket_attribute_name,
            provider: options.provider,
            unfinished: Mutex::default(),
        })
    }

    /// Makes the key of a bucket, ready to be used.
    ///
    /// # Errors
    /// A server refuses, or none answers. Where nobody knows whether there is a key now, the next call
    /// for the bucket finds it.
    pub async fn create_bucket_key(&self, bucket: &str) -> Result<KeyId, DriverError> {
        self.create(bucket).await
    }

    /// Revokes and destroys the key of a bucket. What it wrapped cannot be read any more.
    ///
    /// # Errors
    /// There is no such key, a server refuses, or none answers; it may be called again then.
    pub async fn destroy_bucket_key(&self, key: &KeyId) -> Result<(), DriverError> {
        self.destroy(key).await
    }

    /// Encrypts a data key under the key of a bucket.
    ///
    /// # Errors
    /// A server refuses, or none answers.
    pub async fn cipher_data_key(
        &self,
        key: &KeyId,
        plain: &DataKey,
    ) -> Result<Vec<u8>, DriverError> {
        let answer = self.call(Some(key), &requests::cipher(key, plain)).await?;
        let operation = EncryptRequest::OPERATION;
        expect_key(operation, key, &answer.unique_identifier)?;
        let ciphered = answer.data.map(|data| data.0).unwrap_or_default();
        if ciphered.len() != requests::CIPHERED_LENGTH {
            return Err(DriverError::answer(operation, Some(key), "the data has another length"));
        }
        Ok(ciphered)
    }

    /// Decrypts a data key that was encrypted under the key of a bucket.
    ///
    /// # Errors
    /// A server refuses, or none answers; or it is not what was encrypted.
    pub async fn decipher_data_key(
        &self,
        key: &KeyId,
        ciphered: &[u8],
    ) -> Result<DataKey, DriverError> {
        let answer = self.call(Some(key), &requests::decipher(key, ciphered)).await?;
        let operation = DecryptRequest::OPERATION;
        expect_key(operation, key, &answer.unique_identifier)?;
        let plain = answer.data.as_ref().and_then(|data| DataKey::read(data.expose()));
        plain.ok_or_else(|| DriverError::answer(operation, Some(key), "that is no data key"))
    }

    /// Asks for one operation.
    async fn call<R: Request + Sync>(
        &self,
        key: Option<&KeyId>,
        request: &R,
    ) -> Result<R::Response, DriverError> {
        let mut answer = self.client.call(request).await;
        if let Err(ClientError::Refused(refusal)) = &answer
            && is_end_of_session(refusal)
        {
            tracing::info!(operation = ?R::OPERATION, "the KMIP server ended our session");
            self.client.reconnect().await;
            answer = self.client.call(request).await;
        }
        answer.map_err(|error| DriverError::of(R::OPERATION, key, error))
    }
}

/// Whether a refusal means that nothing but a new connection is needed: some servers tie sessions to tokens, which
/// they take away after a day.
fn is_end_of_session(refusal: &Refusal) -> bool {
    let reasons = [ResultReason::GENERAL_FAILURE, ResultReason::AUTHENTICATION_NOT_SUCCESSFUL];
    let words = ["NCERRUnauthorizedAccess", "Token has been revoked", "Invalid token"];
    let message = refusal.message.as_deref().unwrap_or_default();
    refusal.reason.is_some_and(|reason| reasons.contains(&reason))
        && words.iter().any(|word| message.contains(word))
}

/// The answer must be about the key that was asked for.
fn expect_key(
    operation: Operation,
    key: &KeyId,
    answered: &UniqueIdentifier,
) -> Result<(), DriverError> {
    if *answered == key.into() {
        return Ok(());
    }
    Err(DriverError::answer(operation, Some(key), "it is about another key"))
}
