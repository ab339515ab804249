//! The operations that the gateway has; s3s answers NotImplemented to all others.

use std::sync::Arc;

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::Gateway;

/// A gateway as s3s takes it.
pub(super) struct Service(pub(super) Arc<Gateway>);

/// An operation, its types, and the method that does it. Most need the input only and give the output; those behind the first
/// semicolon need the request, those behind the second one give the whole response.
macro_rules! operations {
    (
        $($operation:ident($input:ty) -> $output:ty = $method:ident,)*
        ;
        $($whole:ident($whole_input:ty) -> $whole_output:ty = $whole_method:ident,)*
        ;
        $($said:ident($said_input:ty) -> $said_output:ty = $said_method:ident,)*
    ) => {
        #[async_trait]
        impl S3 for Service {
            $(
                async fn $operation(
                    &self,
                    request: S3Request<$input>,
                ) -> S3Result<S3Response<$output>> {
                    Ok(S3Response::new(self.0.$method(request.input).await?))
                }
            )*
            $(
                async fn $whole(
                    &self,
                    request: S3Request<$whole_input>,
                ) -> S3Result<S3Response<$whole_output>> {
                    Ok(S3Response::new(self.0.$whole_method(request).await?))
                }
            )*
            $(
                async fn $said(
                    &self,
                    request: S3Request<$said_input>,
                ) -> S3Result<S3Response<$said_output>> {
                    self.0.$said_method(request.input).await
                }
            )*
        }
    };
}

operations! {
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = abort,
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = finish,
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy_steadily,
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = begin,
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = remove_bucket,
    delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = unset_bucket_encryption,
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = delete_bucket_tags,
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = remove_object,
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = delete_object_tags,
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = remove_objects,
    get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = bucket_encryption,
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket_location,
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = get_bucket_tags,
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = bucket_versioning,
    get_object(GetObjectInput) -> GetObjectOutput = get_steadily,
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes,
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = get_object_tags,
    head_bucket(HeadBucketInput) -> HeadBucketOutput = look_at_bucket,
    list_buckets(ListBucketsInput) -> ListBucketsOutput = list_all_buckets,
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = list_uploads,
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_versions,
    list_objects(ListObjectsInput) -> ListObjectsOutput = list,
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list_v2,
    list_parts(ListPartsInput) -> ListPartsOutput = list_parts,
    put_bucket_encryption(PutBucketEncryptionInput) -> PutBucketEncryptionOutput = set_bucket_encryption,
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = put_bucket_tags,
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = set_bucket_versioning,
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = put_object_tags,
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy_part_steadily,
    ;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = make_bucket,
    put_object(PutObjectInput) -> PutObjectOutput = put,
    upload_part(UploadPartInput) -> UploadPartOutput = put_part,
    ;
    head_object(HeadObjectInput) -> HeadObjectOutput = head,
}
