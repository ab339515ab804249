//! Readings of objects that others replace meanwhile. A store that cannot keep what is being read says so before the answer
//! begins; then everything is looked up again, and it is the new object that is read.

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, GetObjectInput, GetObjectOutput, UploadPartCopyInput,
    UploadPartCopyOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Gateway;

/// How often an object may be replaced before whoever reads it is told to come again.
const ATTEMPTS_MAX: u32 = 10;

impl Gateway {
    pub(super) async fn get_steadily(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        steadily(input, |input| self.get(input)).await
    }

    pub(super) async fn copy_steadily(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        steadily(input, |input| self.copy(input)).await
    }

    pub(super) async fn copy_part_steadily(
        &self,
        input: UploadPartCopyInput,
    ) -> S3Result<UploadPartCopyOutput> {
        steadily(input, |input| self.copy_part(input)).await
    }
}

async fn steadily<I: Clone, O, F>(input: I, call: impl Fn(I) -> F) -> S3Result<O>
where
    F: Future<Output = S3Result<O>>,
{
    let mut attempt = 1;
    loop {
        let outcome = call(input.clone()).await;
        let busy = |error: &S3Error| *error.code() == S3ErrorCode::OperationAborted;
        if attempt >= ATTEMPTS_MAX || !outcome.as_ref().is_err_and(busy) {
            return outcome;
        }
        attempt += 1;
    }
}
