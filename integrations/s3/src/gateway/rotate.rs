//! New keys for buckets while objects are being written.
//!
//! What a write has chosen when it began may be an old key when it ends: then its data key is put under the present one before
//! the object is there. So nothing new comes under an old key once a rotation is done.

use s3s::S3Result;

use super::objects::New;
use super::{Gateway, failure};
use crate::driver::KeyId;
use crate::rotation::{self, Progress, RotationError};
use crate::store::Part;

impl Gateway {
    /// Makes a new key for a bucket; see [`rotation::rotate`].
    ///
    /// # Errors
    /// As there; [`RotationError::NoServer`].
    pub async fn rotate(&self, bucket: &str) -> Result<KeyId, RotationError> {
        let driver = self.keys.shared().ok_or(RotationError::NoServer)?;
        rotation::rotate(self.store.as_ref(), &driver, bucket, &self.writes).await
    }

    /// Puts the data keys of a bucket under its key; see [`rotation::rewrap`].
    ///
    /// # Errors
    /// As there; [`RotationError::NoServer`].
    pub async fn rewrap(
        &self,
        bucket: &str,
        destroys: bool,
        tell: &(dyn Fn(&Progress) + Send + Sync),
    ) -> Result<Progress, RotationError> {
        let driver = self.keys.shared().ok_or(RotationError::NoServer)?;
        let done = rotation::rewrap(&self.store, &driver, bucket, destroys, tell).await?;
        for key_id in &done.destroyed {
            self.keys.forget(key_id);
        }
        Ok(done)
    }

    /// Puts the data key of a write under the bucket's present key, if it has chosen an earlier one. Says which key it is
    /// under. [`Gateway::writes`] is held.
    pub(super) async fn under_present_key(
        &self,
        bucket: &str,
        new: &mut New,
        part: &mut Part,
    ) -> S3Result<Option<String>> {
        let (Some(chosen), Some(sealer)) = (&new.chosen, &mut new.sealer) else { return Ok(None) };
        let present = self.store.bucket(bucket).await.map_err(failure::store)?.key_id;
        if let Some(present) = present.filter(|key_id| chosen.own && *key_id != chosen.key_id) {
            sealer.wrapping = self.keys.wrap(&present, &sealer.data_key).await?;
            if let Some(wrapping) = &mut part.wrapping {
                wrapping.clone_from(&sealer.wrapping);
            }
        }
        Ok(Some(sealer.wrapping.key_id.clone()))
    }
}
