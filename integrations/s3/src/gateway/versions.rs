//! Deleting objects and versions of them.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error,
};
use s3s::{S3Error, S3Result, s3_error};

use super::{Gateway, conditions, failure};
use crate::store::{Condition, Deleted, Object, StoreError, Versioning};

/// Most keys of one DeleteObjects.
const DELETE_MAX: usize = 1000;

impl Gateway {
    /// The version of an object, where its bucket has such.
    pub(super) async fn version_shown(
        &self,
        bucket: &str,
        object: &Object,
    ) -> S3Result<Option<String>> {
        let bucket = self.store.bucket(bucket).await.map_err(failure::store)?;
        Ok((bucket.versioning != Versioning::Off).then(|| object.version()))
    }

    pub(super) async fn remove_object(
        &self,
        input: DeleteObjectInput,
    ) -> S3Result<DeleteObjectOutput> {
        if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
            return Err(other_condition());
        }
        let condition = conditions::write(input.if_match.as_ref(), None);
        let version = input.version_id.as_deref();
        let deleted = self.delete(&input.bucket, &input.key, version, &condition).await?;
        Ok(DeleteObjectOutput {
            delete_marker: deleted.delete_marker.then_some(true),
            version_id: deleted.version,
            ..Default::default()
        })
    }

    /// What is not there is deleted, whatever it should have been.
    async fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> S3Result<Deleted> {
        match self.store.delete(bucket, key, version, condition).await {
            Err(StoreError::NoSuchKey { .. }) => Ok(Deleted::default()),
            deleted => deleted.map_err(failure::store),
        }
    }

    pub(super) async fn remove_objects(
        &self,
        input: DeleteObjectsInput,
    ) -> S3Result<DeleteObjectsOutput> {
        let quiet = input.delete.quiet.unwrap_or(false);
        if input.delete.objects.is_empty() || input.delete.objects.len() > DELETE_MAX {
            return Err(s3_error!(
                MalformedXML,
                "The XML you provided was not well-formed or did not validate against our published schema"
            ));
        }
        self.store.bucket(&input.bucket).await.map_err(failure::store)?;
        let mut output = DeleteObjectsOutput::default();
        for object in input.delete.objects {
            let condition = object.e_tag.as_ref().map(|etag| {
                let wanted = s3s::dto::ETagCondition::ETag(etag.clone());
                conditions::write(Some(&wanted), None)
            });
            let condition = condition.unwrap_or_else(Condition::default);
            let version = object.version_id.clone();
            let outcome = if object.size.is_some() || object.last_modified_time.is_some() {
                Err(other_condition())
            } else {
                self.delete(&input.bucket, &object.key, version.as_deref(), &condition).await
            };
            match outcome {
                Ok(deleted) if !quiet => {
                    let marker = deleted.version.filter(|_| deleted.delete_marker);
                    output.deleted.get_or_insert_default().push(DeletedObject {
                        delete_marker: deleted.delete_marker.then_some(true),
                        delete_marker_version_id: marker,
                        key: Some(object.key),
                        version_id: version,
                    });
                }
                Ok(_) => {}
                Err(error) => {
                    output.errors.get_or_insert_default().push(Error {
                        code: Some(error.code().as_str().to_owned()),
                        key: Some(object.key),
                        message: error.message().map(str::to_owned),
                        version_id: version,
                    });
                }
            }
        }
        Ok(output)
    }
}

/// Conditions of directory buckets. To delete without minding them would be worse than not to delete.
fn other_condition() -> S3Error {
    s3_error!(NotImplemented, "Only If-Match is implemented as the condition of a deletion")
}
