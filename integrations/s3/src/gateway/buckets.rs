//! Buckets: making and deleting them, what they say of encryption and of versions.

use s3s::dto::{
    Bucket as ListedBucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput,
    CreateBucketOutput, DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput,
    DeleteBucketInput, DeleteBucketOutput, GetBucketEncryptionInput, GetBucketEncryptionOutput,
    GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, Owner, PutBucketEncryptionInput, PutBucketEncryptionOutput,
    PutBucketVersioningInput, PutBucketVersioningOutput, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Request, S3Result, s3_error};

use super::{Encrypt, Gateway, encryption, failure, now_ms, timestamp};
use crate::store::{Algorithm, Bucket, BucketEncryption, StoreError, Versioning};

/// Zenko's header of CreateBucket.
const SCALITY_ENCRYPTION: &str = "x-amz-scal-server-side-encryption";
/// The region of everything.
const REGION: &str = "us-east-1";

/// Who owns everything.
pub(super) fn owner() -> Owner {
    Owner { display_name: Some("claviger".to_owned()), id: Some("claviger".to_owned()) }
}

impl Gateway {
    pub(super) async fn make_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<CreateBucketOutput> {
        let input = request.input;
        if input.object_lock_enabled_for_bucket == Some(true) {
            return Err(s3_error!(NotImplemented, "Object lock is not implemented"));
        }
        let asked = request.headers.get(SCALITY_ENCRYPTION);
        let asked = asked.map(|value| encryption::algorithm(value.to_str().unwrap_or_default()));
        let asked = asked.transpose()?;
        let location = format!("/{}", input.bucket);
        match self.store.bucket(&input.bucket).await {
            Err(StoreError::NoSuchBucket) => {}
            Err(error) => return Err(failure::store(error)),
            // As in us-east-1: who makes a bucket again has it.
            Ok(_) if asked.is_none() => return Ok(CreateBucketOutput { location: Some(location) }),
            Ok(_) => return Err(failure::store(StoreError::BucketExists)),
        }
        let encrypted = asked.is_some() || self.options.encrypt == Encrypt::All;
        let key_id = match encrypted && self.keys.available() {
            true => Some(self.keys.create(&input.bucket).await?),
            false if asked.is_some() => return Err(no_server()),
            false => None,
        };
        let encryption = asked.map(|algorithm| BucketEncryption {
            algorithm,
            key_id: None,
            bucket_key_enabled: false,
        });
        let bucket = Bucket {
            created_ms: now_ms(),
            encryption,
            key_id: key_id.clone(),
            ..Bucket::default()
        };
        if let Err(error) = self.store.create_bucket(&input.bucket, &bucket).await {
            if let Some(key_id) = key_id
                && let Err(error) = self.keys.destroy(&key_id).await
            {
                tracing::warn!(key_id, ?error, "a key that no bucket has is left behind");
            }
            return Err(failure::store(error));
        }
        Ok(CreateBucketOutput { location: Some(location) })
    }

    pub(super) async fn remove_bucket(
        &self,
        input: DeleteBucketInput,
    ) -> S3Result<DeleteBucketOutput> {
        self.store.delete_bucket(&input.bucket).await.map_err(failure::store)?;
        self.destroy_keys().await;
        Ok(DeleteBucketOutput::default())
    }

    /// Destroys the keys of buckets that are deleted. What fails is tried again by [`Gateway::upkeep`].
    pub(super) async fn destroy_keys(&self) {
        if !self.keys.available() {
            return;
        }
        // Each is destroyed once.
        let _alone = self.making.lock().await;
        let waiting = match self.store.keys_to_destroy().await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "the store failed"),
        };
        for key_id in waiting {
            if let Err(error) = self.keys.destroy(&key_id).await {
                tracing::warn!(key_id, code = error.code().as_str(), "a key is not destroyed yet");
            } else if let Err(error) = self.store.forget_key(&key_id).await {
                tracing::error!(%error, "the store failed");
            }
        }
    }

    pub(super) async fn list_all_buckets(
        &self,
        input: ListBucketsInput,
    ) -> S3Result<ListBucketsOutput> {
        let prefix = input.prefix.clone().unwrap_or_default();
        let found = self.store.buckets().await.map_err(failure::store)?;
        let after = input.continuation_token;
        let limit = input.max_buckets.map_or(10_000, |max| usize::try_from(max).unwrap_or(0));
        let mut listed: Vec<ListedBucket> = found
            .into_iter()
            .filter(|(name, _)| name.starts_with(&prefix))
            .filter(|(name, _)| after.as_ref().is_none_or(|after| name > after))
            .map(|(name, bucket)| ListedBucket {
                creation_date: Some(timestamp(bucket.created_ms)),
                name: Some(name),
                ..Default::default()
            })
            .collect();
        let more = listed.len() > limit;
        listed.truncate(limit);
        let last = listed.last().and_then(|bucket| bucket.name.clone());
        Ok(ListBucketsOutput {
            buckets: Some(listed),
            continuation_token: last.filter(|_| more),
            owner: Some(owner()),
            prefix: input.prefix,
        })
    }

    pub(super) async fn look_at_bucket(
        &self,
        input: HeadBucketInput,
    ) -> S3Result<HeadBucketOutput> {
        self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        Ok(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..Default::default() })
    }

    pub(super) async fn bucket_location(
        &self,
        input: GetBucketLocationInput,
    ) -> S3Result<GetBucketLocationOutput> {
        self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        // S3's name of us-east-1.
        let location_constraint = Some(BucketLocationConstraint::from(String::new()));
        Ok(GetBucketLocationOutput { location_constraint })
    }

    pub(super) async fn change_bucket(
        &self,
        name: &str,
        change: impl Fn(&mut Bucket) + Send + Sync,
    ) -> S3Result<Bucket> {
        self.store.change_bucket(name, &change).await.map_err(failure::store)
    }

    pub(super) async fn set_bucket_encryption(
        &self,
        input: PutBucketEncryptionInput,
    ) -> S3Result<PutBucketEncryptionOutput> {
        let malformed = || s3_error!(MalformedXML, "The XML you provided was not well-formed");
        let rules = &input.server_side_encryption_configuration.rules;
        let [rule] = rules.as_slice() else { return Err(malformed()) };
        let default = rule.apply_server_side_encryption_by_default.as_ref();
        let default = default.ok_or_else(malformed)?;
        let algorithm = encryption::algorithm(default.sse_algorithm.as_str())?;
        let key_id = default.kms_master_key_id.clone().filter(|key_id| !key_id.is_empty());
        if algorithm == Algorithm::Aes256 && key_id.is_some() {
            return Err(s3_error!(
                InvalidArgument,
                "KMSMasterKeyID is only for the algorithm aws:kms"
            ));
        }
        self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        if !self.keys.available() {
            return Err(no_server());
        }
        match &key_id {
            Some(key_id) => {
                self.may_use(&input.bucket, key_id).await?;
            }
            None => drop(self.make_key(&input.bucket).await?),
        }
        let encryption = BucketEncryption {
            algorithm,
            key_id,
            bucket_key_enabled: rule.bucket_key_enabled.unwrap_or(false),
        };
        self.change_bucket(&input.bucket, move |bucket| {
            bucket.encryption = Some(encryption.clone())
        })
        .await?;
        Ok(PutBucketEncryptionOutput::default())
    }

    pub(super) async fn bucket_encryption(
        &self,
        input: GetBucketEncryptionInput,
    ) -> S3Result<GetBucketEncryptionOutput> {
        let bucket = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        let found = self.default_encryption(&bucket).ok_or_else(|| {
            s3_error!(
                ServerSideEncryptionConfigurationNotFoundError,
                "The server side encryption configuration was not found"
            )
        })?;
        let algorithm = ServerSideEncryption::from(found.algorithm.as_str().to_owned());
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                kms_master_key_id: found.key_id,
                sse_algorithm: algorithm,
            }),
            bucket_key_enabled: Some(found.bucket_key_enabled),
        };
        let configuration = ServerSideEncryptionConfiguration { rules: vec![rule] };
        Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
    }

    /// The key stays: objects are encrypted with it.
    pub(super) async fn unset_bucket_encryption(
        &self,
        input: DeleteBucketEncryptionInput,
    ) -> S3Result<DeleteBucketEncryptionOutput> {
        self.change_bucket(&input.bucket, |bucket| bucket.encryption = None).await?;
        Ok(DeleteBucketEncryptionOutput::default())
    }

    pub(super) async fn set_bucket_versioning(
        &self,
        input: PutBucketVersioningInput,
    ) -> S3Result<PutBucketVersioningOutput> {
        let configuration = &input.versioning_configuration;
        if configuration.mfa_delete.as_ref().is_some_and(|mfa| mfa.as_str() == "Enabled") {
            return Err(s3_error!(NotImplemented, "MFA delete is not implemented"));
        }
        let status = configuration.status.as_ref().map(BucketVersioningStatus::as_str);
        let versioning = match status {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            _ => {
                return Err(failure::custom(
                    "IllegalVersioningConfigurationException",
                    hyper::StatusCode::BAD_REQUEST,
                    "The versioning element must be specified",
                ));
            }
        };
        self.change_bucket(&input.bucket, move |bucket| bucket.versioning = versioning).await?;
        Ok(PutBucketVersioningOutput::default())
    }

    pub(super) async fn bucket_versioning(
        &self,
        input: GetBucketVersioningInput,
    ) -> S3Result<GetBucketVersioningOutput> {
        let bucket = self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        let status = match bucket.versioning {
            Versioning::Off => None,
            Versioning::Enabled => Some("Enabled"),
            Versioning::Suspended => Some("Suspended"),
        };
        let status = status.map(|status| BucketVersioningStatus::from(status.to_owned()));
        Ok(GetBucketVersioningOutput { status, ..Default::default() })
    }
}

fn no_server() -> s3s::S3Error {
    s3_error!(NotImplemented, "This gateway has no KMIP server: it does not encrypt")
}
