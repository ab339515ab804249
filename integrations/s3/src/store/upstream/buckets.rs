//! What is kept of buckets: how they encrypt, which keys they have. Their versioning is the store's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::body::Bytes;
use s3s::dto::{Timestamp, TimestampFormat};
use serde::{Deserialize, Serialize};

use super::http::Ask;
use super::records::Expected;
use super::xml::escaped;
use super::{ATTEMPTS_MAX, Inner, RESERVED, each, locked};
use crate::store::{Bucket, StoreError, Versioning};

/// How long what was found of a bucket is believed. Other gateways may change it.
const BELIEVED: Duration = Duration::from_secs(1);

/// What is kept of a bucket.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    bucket: Bucket,
    /// It was there before the gateway: objects without a record are served. Elsewhere somebody has put them in the place of
    /// what was written.
    #[serde(default)]
    adopted: bool,
    /// Keys that nothing needs any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    doomed: Vec<String>,
}

/// What was found of a bucket, and when.
pub(super) struct Cached {
    bucket: Bucket,
    adopted: bool,
    found: Instant,
}

fn kept_key() -> String {
    format!("{RESERVED}bucket")
}

/// Milliseconds since 1970; 0 if it is no time.
pub(super) fn time_ms(text: &str, format: TimestampFormat) -> u64 {
    let mut seconds = Vec::new();
    let found = Timestamp::parse(format, text).ok();
    if found.and_then(|it| it.format(TimestampFormat::EpochSeconds, &mut seconds).ok()).is_none() {
        return 0;
    }
    let seconds = String::from_utf8_lossy(&seconds);
    let (whole, fraction) = seconds.split_once('.').unwrap_or((&seconds, ""));
    let milliseconds = format!("{whole}{fraction:0<3.3}");
    milliseconds.parse().unwrap_or_default()
}

impl Inner {
    pub(super) async fn all_buckets(&self) -> Result<Vec<(String, Bucket)>, StoreError> {
        let mut buckets = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut ask = Ask::bucket(Method::GET, "");
            if let Some(token) = next.take() {
                ask = ask.query("continuation-token", token);
            }
            let answer = self.client.ask(ask, Bytes::new()).await?.xml()?;
            let listed = answer.all("Buckets").flat_map(|buckets| buckets.all("Bucket"));
            for bucket in listed {
                let created = bucket.text("CreationDate").unwrap_or_default();
                let created_ms = time_ms(created, TimestampFormat::DateTime);
                let found = Bucket { created_ms, ..Bucket::default() };
                buckets.push((bucket.must("Name")?.to_owned(), found));
            }
            match answer.text("ContinuationToken").filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token.to_owned()),
                None => break,
            }
        }
        buckets.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(buckets)
    }

    pub(super) async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        Ok(self.bucket_known(name).await?.0)
    }

    /// Whether objects without a record are served.
    pub(super) async fn is_adopted(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.bucket_known(name).await?.1)
    }

    async fn bucket_known(&self, name: &str) -> Result<(Bucket, bool), StoreError> {
        if let Some(cached) = locked(&self.buckets).get(name)
            && cached.found.elapsed() < BELIEVED
        {
            return Ok((cached.bucket.clone(), cached.adopted));
        }
        let found = Instant::now();
        let (Kept { bucket, adopted, .. }, _) = self.kept(name).await?;
        let cached = Cached { bucket: bucket.clone(), adopted, found };
        locked(&self.buckets).insert(name.to_owned(), cached);
        Ok((bucket, adopted))
    }

    /// What is kept of a bucket, and its entity tag if it is kept at all.
    async fn kept(&self, name: &str) -> Result<(Kept, Option<String>), StoreError> {
        let key = kept_key();
        let found = self.fetch::<Kept>(name, &key);
        let (found, versioning) = tokio::try_join!(found, self.versioning(name))?;
        let (mut kept, etag) = match found {
            Some((kept, etag)) => (kept, Some(etag)),
            None => (Kept { adopted: true, ..Kept::default() }, None),
        };
        kept.bucket.versioning = versioning;
        Ok((kept, etag))
    }

    async fn versioning(&self, name: &str) -> Result<Versioning, StoreError> {
        let ask = Ask::bucket(Method::GET, name).query("versioning", "");
        let answer = match self.client.ask(ask, Bytes::new()).await {
            Err(StoreError::Refused { status: 501, .. }) => return Ok(Versioning::Off),
            answer => answer?,
        };
        Ok(match answer.xml()?.text("Status") {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            _ => Versioning::Off,
        })
    }

    pub(super) async fn create(&self, name: &str, bucket: &Bucket) -> Result<(), StoreError> {
        let _alone = self.gate.write().await;
        let body = match self.client.region() {
            "us-east-1" => String::new(),
            region => format!(
                "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
                escaped(region)
            ),
        };
        self.client.ask(Ask::bucket(Method::PUT, name), Bytes::from(body)).await?;
        let kept = Kept { bucket: bucket.clone(), ..Kept::default() };
        match self.store(name, &kept_key(), &kept, Expected::Nothing).await {
            // Another gateway was faster, and the store says of what exists that it was made.
            Err(StoreError::Precondition) => return Err(StoreError::BucketExists),
            stored => stored?,
        }
        self.learn(name, bucket);
        Ok(())
    }

    fn learn(&self, name: &str, bucket: &Bucket) {
        if let Some(key_id) = &bucket.key_id {
            locked(&self.owners).insert(key_id.clone(), name.to_owned());
        }
        locked(&self.buckets).remove(name);
    }

    pub(super) async fn change(
        &self,
        name: &str,
        change: impl Fn(&mut Kept) + Send + Sync,
    ) -> Result<Bucket, StoreError> {
        let _alone = self.gate.write().await;
        for _ in 0..ATTEMPTS_MAX {
            let (mut kept, etag) = self.kept(name).await?;
            let before = kept.bucket.versioning;
            change(&mut kept);
            if kept.bucket.versioning != before {
                self.set_versioning(name, kept.bucket.versioning).await?;
            }
            let expected = etag.as_deref().map_or(Expected::Nothing, Expected::ETag);
            match self.store(name, &kept_key(), &kept, expected).await {
                Err(StoreError::Precondition | StoreError::Busy) => {}
                stored => {
                    stored?;
                    self.learn(name, &kept.bucket);
                    return Ok(kept.bucket);
                }
            }
        }
        Err(StoreError::Busy)
    }

    async fn set_versioning(&self, name: &str, versioning: Versioning) -> Result<(), StoreError> {
        let status = match versioning {
            Versioning::Enabled => "Enabled",
            Versioning::Off | Versioning::Suspended => "Suspended",
        };
        let body = format!(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status></VersioningConfiguration>"
        );
        let ask = Ask::bucket(Method::PUT, name).query("versioning", "");
        self.client.ask(ask, Bytes::from(body)).await?;
        Ok(())
    }

    pub(super) async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let _alone = self.gate.write().await;
        let (kept, etag) = self.kept(name).await?;
        let mut own = Vec::new();
        self.walk_versions(name, "", |found| {
            let is_own = super::reserved(&found.key);
            if is_own {
                own.push((found.key, found.version));
            }
            is_own
        })
        .await?
        .then_some(())
        .ok_or(StoreError::BucketNotEmpty)?;
        self.abort_all(name).await?;
        let versioned = kept.bucket.versioning != Versioning::Off;
        for (key, version) in own {
            let ask = Ask::object(Method::DELETE, name, &key);
            let ask = ask.version(versioned.then_some(version.as_str()));
            self.client.ask(ask, Bytes::new()).await?;
        }
        let deleted = self.client.ask(Ask::bucket(Method::DELETE, name), Bytes::new()).await;
        locked(&self.buckets).remove(name);
        if let Err(error) = deleted {
            // Somebody has put something into it meanwhile: it shall have its keys.
            if etag.is_some() {
                self.store(name, &kept_key(), &kept, Expected::Anything).await?;
            }
            return Err(error);
        }
        let keys: Vec<String> =
            kept.bucket.key_id.into_iter().chain(kept.bucket.old_key_ids).collect();
        locked(&self.owners).retain(|key_id, _| !keys.contains(key_id));
        locked(&self.doomed).extend(keys.into_iter().chain(kept.doomed));
        Ok(())
    }

    pub(super) async fn owner(
        self: &Arc<Self>,
        key_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let known = locked(&self.owners).get(key_id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        self.look_through().await?;
        Ok(locked(&self.owners).get(key_id).cloned())
    }

    /// Finds the keys that earlier processes have not destroyed any more.
    pub(super) async fn doomed_before(self: &Arc<Self>) -> Result<(), StoreError> {
        self.looked.get_or_try_init(|| self.look_through()).await.copied()
    }

    /// Looks which keys buckets have.
    async fn look_through(self: &Arc<Self>) -> Result<(), StoreError> {
        let names = self.all_buckets().await?.into_iter().map(|(name, _)| name).collect();
        let inner = Arc::clone(self);
        let found = each(names, move |name: String| {
            let inner = Arc::clone(&inner);
            async move {
                match inner.kept(&name).await {
                    // What the gateway may not look into has no key of the gateway's.
                    Err(StoreError::NoSuchBucket | StoreError::Refused { .. }) => Ok(None),
                    kept => Ok(Some((name, kept?.0))),
                }
            }
        });
        for (name, kept) in found.await?.into_iter().flatten() {
            locked(&self.doomed).extend(kept.doomed.iter().cloned());
            let mut owners = locked(&self.owners);
            let keys = kept.bucket.key_id.iter().chain(&kept.bucket.old_key_ids);
            for key in keys.chain(&kept.doomed) {
                owners.insert(key.clone(), name.clone());
            }
        }
        Ok(())
    }

    /// An old key of a bucket is none of the bucket's any more.
    pub(super) async fn retire(&self, bucket: &str, key_id: &str) -> Result<(), StoreError> {
        let retired = key_id.to_owned();
        self.change(bucket, move |kept| {
            let before = kept.bucket.old_key_ids.len();
            kept.bucket.old_key_ids.retain(|old| *old != retired);
            if kept.bucket.old_key_ids.len() != before {
                kept.doomed.push(retired.clone());
            }
        })
        .await?;
        locked(&self.owners).insert(key_id.to_owned(), bucket.to_owned());
        locked(&self.doomed).insert(key_id.to_owned());
        Ok(())
    }

    /// A key is destroyed.
    pub(super) async fn forget(&self, key_id: &str) -> Result<(), StoreError> {
        let owner = locked(&self.owners).get(key_id).cloned();
        if let Some(owner) = owner {
            let gone = key_id.to_owned();
            let forgotten = self.change(&owner, move |kept| kept.doomed.retain(|key| *key != gone));
            match forgotten.await {
                Ok(_) | Err(StoreError::NoSuchBucket) => {}
                Err(error) => return Err(error),
            }
            locked(&self.owners).remove(key_id);
        }
        locked(&self.doomed).remove(key_id);
        Ok(())
    }
}

impl Kept {
    pub(super) fn bucket_mut(&mut self) -> &mut Bucket {
        &mut self.bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(time_ms("1970-01-02T00:00:00.250Z", TimestampFormat::DateTime), 86_400_250);
        assert_eq!(time_ms("1970-01-02T00:00:01Z", TimestampFormat::DateTime), 86_401_000);
        assert_eq!(time_ms("Fri, 02 Jan 1970 00:00:00 GMT", TimestampFormat::HttpDate), 86_400_000);
        assert_eq!(time_ms("yesterday", TimestampFormat::HttpDate), 0);
    }
}
