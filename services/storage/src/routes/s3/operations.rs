//! The operations of S3 that are served, by name; the others are answered `NotImplemented`.

use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput,
    DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput,
    PutObjectOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio::sync::Notify;

use crate::authoriser::Authoriser;
use crate::caller::Caller;
use crate::config::Limits;
use crate::domain::key::{BucketId, ObjectKey};
use crate::integrity::Reads;
use crate::uploads::Uploads;
use crate::uploads::pending::PendingUploads;

use super::errors::s3;

/// What the operations work with.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) authoriser: Authoriser,
    pub(crate) uploads: Uploads,
    pub(crate) pending: PendingUploads,
    pub(crate) reads: Reads,
    pub(crate) limits: Limits,
    pub(crate) discarded: Arc<Notify>,
}

/// Whom a request acts for: who signed it.
pub(super) fn caller<T>(request: &S3Request<T>) -> S3Result<Caller> {
    let caller = request.extensions.get::<Caller>();
    caller.cloned().ok_or_else(|| s3_error!(AccessDenied))
}

/// The bucket and object of a request, where they can be names.
pub(super) fn names(bucket: &str, key: &str) -> S3Result<(BucketId, ObjectKey)> {
    Ok((bucket_name(bucket)?, ObjectKey::parse(key).map_err(s3)?))
}

/// The bucket of a request, where it can be a name.
pub(super) fn bucket_name(bucket: &str) -> S3Result<BucketId> {
    BucketId::parse(bucket).map_err(s3)
}

macro_rules! operations {
    ($($operation:ident: $input:ident -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(async fn $operation(
                &self,
                request: S3Request<$input>,
            ) -> S3Result<S3Response<$output>> {
                let answer = Box::pin(self.$operation(request)).await?;
                Ok(S3Response::new(answer))
            })*
        }
    };
}

// The methods of the same name stand in `buckets`, `objects`, `listing` and `multipart`.
operations! {
    list_buckets: ListBucketsInput -> ListBucketsOutput;
    create_bucket: CreateBucketInput -> CreateBucketOutput;
    head_bucket: HeadBucketInput -> HeadBucketOutput;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput;
    get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput;
    list_objects: ListObjectsInput -> ListObjectsOutput;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output;
    get_object: GetObjectInput -> GetObjectOutput;
    head_object: HeadObjectInput -> HeadObjectOutput;
    put_object: PutObjectInput -> PutObjectOutput;
    copy_object: CopyObjectInput -> CopyObjectOutput;
    delete_object: DeleteObjectInput -> DeleteObjectOutput;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput;
    upload_part: UploadPartInput -> UploadPartOutput;
    upload_part_copy: UploadPartCopyInput -> UploadPartCopyOutput;
    complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput;
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput;
    list_parts: ListPartsInput -> ListPartsOutput;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput;
}
