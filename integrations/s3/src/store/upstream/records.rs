//! Records: what is said of an object beside its bytes, in JSON. One belongs to one content, and goes with it.

use hyper::Method;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::http::Ask;
use super::{ATTEMPTS_MAX, Inner, RESERVED};
use crate::store::{Object, Part, StoreError, Versioning};

/// The version of the layout.
const FORMAT: u32 = 1;
/// The header of an object that names its record.
pub(super) const RECORD_HEADER: &str = "x-amz-meta-claviger-record";

/// A record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    format: u32,
    /// For whoever looks for what belongs to what.
    key: String,
    pub(super) object: Object,
    /// Without the names of their bytes, which lie one behind the other.
    pub(super) parts: Vec<Part>,
}

impl Record {
    pub(super) fn new(key: &str, object: Object, parts: Vec<Part>) -> Self {
        let unnamed = |part: Part| Part { blob: String::new(), ..part };
        let parts = parts.into_iter().map(unnamed).collect();
        Self { format: FORMAT, key: key.to_owned(), object, parts }
    }
}

pub(super) fn record_key(id: &str) -> String {
    format!("{RESERVED}objects/{id}")
}

impl Inner {
    /// Something of the store's own, and its entity tag; nothing if it is not there.
    pub(super) async fn fetch<T: DeserializeOwned>(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<Option<(T, String)>, StoreError> {
        let answer = self.client.ask(Ask::object(Method::GET, bucket, key), Bytes::new()).await;
        let answer = match answer {
            Err(StoreError::NoSuchKey { .. }) => return Ok(None),
            answer => answer?,
        };
        let found = serde_json::from_slice(&answer.body).map_err(|_| StoreError::Damaged)?;
        Ok(Some((found, answer.etag()?)))
    }

    /// Stores something of the store's own.
    pub(super) async fn store(
        &self,
        bucket: &str,
        key: &str,
        what: &(impl Serialize + Sync),
        expected: Expected<'_>,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_vec(what);
        let text = text.map_err(|error| StoreError::Failed(error.to_string()))?;
        let ask = Ask::object(Method::PUT, bucket, key).header("content-type", "application/json");
        let ask = match expected {
            Expected::Anything => ask,
            Expected::Nothing => ask.header("if-none-match", "*"),
            Expected::ETag(etag) => ask.header("if-match", format!("\"{etag}\"")),
        };
        self.client.ask(ask, Bytes::from(text)).await?;
        Ok(())
    }

    pub(super) async fn record(
        &self,
        bucket: &str,
        id: &str,
    ) -> Result<Option<(Record, String)>, StoreError> {
        // It is a name of ours, or somebody has put another in its place.
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(StoreError::Damaged);
        }
        let found: Option<(Record, String)> = self.fetch(bucket, &record_key(id)).await?;
        match found {
            Some((record, _)) if record.format != FORMAT => Err(StoreError::Damaged),
            found => Ok(found),
        }
    }

    /// Changes a record, which must be there.
    pub(super) async fn change_record(
        &self,
        bucket: &str,
        id: &str,
        change: impl Fn(&mut Record) + Send + Sync,
    ) -> Result<Record, StoreError> {
        for _ in 0..ATTEMPTS_MAX {
            let found = self.record(bucket, id).await?;
            // Its object has been replaced.
            let (mut record, etag) = found.ok_or(StoreError::Busy)?;
            change(&mut record);
            let key = record_key(id);
            match self.store(bucket, &key, &record, Expected::ETag(&etag)).await {
                Err(StoreError::Precondition | StoreError::Busy) => {}
                Err(StoreError::NoSuchKey { .. }) => return Err(StoreError::Busy),
                Err(error) => return Err(error),
                Ok(()) => return Ok(record),
            }
        }
        Err(StoreError::Busy)
    }

    /// Removes something of the store's own, all versions of it. What fails is left behind, and harms nobody.
    pub(super) async fn discard(&self, bucket: &str, key: &str, versioning: Versioning) {
        if let Err(error) = self.remove(bucket, key, versioning).await {
            tracing::warn!(bucket, key, %error, "something that nothing needs is left behind");
        }
    }

    async fn remove(
        &self,
        bucket: &str,
        key: &str,
        versioning: Versioning,
    ) -> Result<(), StoreError> {
        if versioning == Versioning::Off {
            let ask = Ask::object(Method::DELETE, bucket, key);
            self.client.ask(ask, Bytes::new()).await?;
            return Ok(());
        }
        for (key, version) in self.own_versions(bucket, key).await? {
            let ask = Ask::object(Method::DELETE, bucket, &key).version(Some(&version));
            self.client.ask(ask, Bytes::new()).await?;
        }
        Ok(())
    }
}

/// What must be there when something is stored.
pub(super) enum Expected<'a> {
    Anything,
    Nothing,
    ETag(&'a str),
}
