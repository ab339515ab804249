//! Deleting objects and versions of them.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error,
};
use s3s::{S3Result, s3_error};

use super::{Gateway, conditions, failure};
use crate::store::{Condition, Object, Versioning};

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
        let condition = conditions::write(input.if_match.as_ref(), None);
        let version = input.version_id.as_deref();
        let deleted = self.store.delete(&input.bucket, &input.key, version, &condition).await;
        let deleted = deleted.map_err(failure::store)?;
        Ok(DeleteObjectOutput {
            delete_marker: deleted.delete_marker.then_some(true),
            version_id: deleted.version,
            ..Default::default()
        })
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
            let outcome =
                self.store.delete(&input.bucket, &object.key, version.as_deref(), &condition).await;
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
                    let error = failure::store(error);
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
