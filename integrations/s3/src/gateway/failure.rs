//! What clients are told of what goes wrong: S3's codes. No address, path or key material is in a message.

use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::driver::DriverError;
use crate::segments::Damaged;
use crate::store::StoreError;

/// S3's form of a store's refusal. What it means for the operation is said by who knows it; this is what is left.
pub(super) fn store(error: StoreError) -> S3Error {
    match error {
        StoreError::NoSuchBucket => {
            s3_error!(NoSuchBucket, "The specified bucket does not exist")
        }
        StoreError::BucketExists => {
            s3_error!(BucketAlreadyOwnedByYou, "The bucket exists already")
        }
        StoreError::BucketNotEmpty => {
            s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty")
        }
        StoreError::NoSuchKey { delete_marker } => {
            let mut error = s3_error!(NoSuchKey, "The specified key does not exist");
            if let Some(version) = delete_marker {
                marked(&mut error, &version);
            }
            error
        }
        StoreError::NoSuchVersion => {
            s3_error!(NoSuchVersion, "The specified version does not exist")
        }
        StoreError::IsDeleteMarker { version } => {
            let mut error = s3_error!(
                MethodNotAllowed,
                "The specified method is not allowed against a delete marker"
            );
            marked(&mut error, &version);
            error
        }
        StoreError::NoSuchUpload => {
            s3_error!(NoSuchUpload, "The specified upload does not exist")
        }
        StoreError::InvalidPart => {
            s3_error!(InvalidPart, "A part is not there, or its entity tag is another")
        }
        StoreError::Precondition => s3_error!(
            PreconditionFailed,
            "At least one of the preconditions you specified did not hold"
        ),
        StoreError::Busy => s3_error!(
            OperationAborted,
            "A conflicting operation is in progress against this resource; try again"
        ),
        StoreError::Unavailable(reason) => {
            tracing::warn!(reason, "the store does not answer");
            s3_error!(ServiceUnavailable, "The store behind the gateway does not answer; try again")
        }
        StoreError::Refused { status, code } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            custom(&code, status, "The store behind the gateway refused the request")
        }
        StoreError::Reserved => {
            s3_error!(InvalidArgument, "Keys that start so are the gateway's own")
        }
        StoreError::Full => {
            tracing::error!("the store is full");
            custom("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE, "The store is full")
        }
        StoreError::Damaged => damaged(Damaged),
        StoreError::Failed(reason) => {
            tracing::error!(reason, "the store failed");
            s3_error!(InternalError, "The store failed; the gateway's log says why")
        }
    }
}

/// What is stored is not what was written.
pub(super) fn damaged(_: Damaged) -> S3Error {
    tracing::error!("a stored object is damaged");
    s3_error!(InternalError, "The stored object is damaged: it is not what was written")
}

/// S3's form of a refusal of the KMIP server, or of its silence.
pub(super) fn kmip(error: &DriverError) -> S3Error {
    let failure = error.s3();
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    tracing::warn!(code = %failure.code, %error, "the KMIP server did not do what it was asked");
    custom(failure.code, status, &failure.message)
}

/// An error with a code that S3's list may not have.
pub(super) fn custom(code: &str, status: StatusCode, message: &str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes())
        .unwrap_or_else(|| S3ErrorCode::Custom(code.into()));
    let mut error = S3Error::with_message(code, message.to_owned());
    error.set_status_code(status);
    error
}

fn marked(error: &mut S3Error, version: &str) {
    let mut headers = hyper::HeaderMap::new();
    headers.insert("x-amz-delete-marker", hyper::header::HeaderValue::from_static("true"));
    if let Ok(version) = version.parse() {
        headers.insert("x-amz-version-id", version);
    }
    headers.insert("content-type", hyper::header::HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
}
