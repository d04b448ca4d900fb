//! Reading objects by S3's protocol.

use axum::http::HeaderMap;
use axum::http::header::RANGE;
use s3s::dto::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::errors::s3;
use super::metadata::{etag, headers_of};
use super::operations::{Operations, caller, names};
use crate::caller::Caller;
use crate::domain::conditions::{self, Validators, Verdict};
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::object::{Object, ObjectMetadata, Version};
use crate::domain::range::Selection;
use crate::error::Error;
use crate::integrity::Wanted;

/// An object that may be read, and what of it is wanted.
struct Read {
    object: Object,
    version: Version,
    metadata: ObjectMetadata,
    selection: Selection,
}

impl Operations {
    pub(super) async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<GetObjectOutput> {
        let caller = caller(&request)?;
        let (bucket, key) = names(&request.input.bucket, &request.input.key)?;
        let read = self.look(&caller, &bucket, &key, &request.headers).await?;
        let input = request.input;
        let size = read.metadata.size;
        let (first, length) = read.selection.bounds(size);
        let wanted = Wanted {
            version: read.version,
            sha256: read.object.sha256,
            size,
            first,
            length,
        };
        let bytes = self.reads.read(wanted).await.map_err(s3)?;
        let body = axum::body::Body::from_stream(bytes);
        Ok(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::from(s3s::Body::http_body_unsync(body))),
            // What a presigned URL may say instead of the object.
            cache_control: input
                .response_cache_control
                .or(Some(read.metadata.cache_control)),
            content_disposition: input.response_content_disposition,
            content_encoding: input.response_content_encoding,
            content_language: input.response_content_language,
            content_length: i64::try_from(length).ok(),
            content_range: content_range(read.selection, size),
            content_type: input.response_content_type.or(Some(read.metadata.mimetype)),
            e_tag: Some(etag(&read.metadata.etag)),
            last_modified: Some(read.object.updated_at.into()),
            metadata: Some(headers_of(&read.object)),
            ..GetObjectOutput::default()
        })
    }

    pub(super) async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<HeadObjectOutput> {
        let caller = caller(&request)?;
        let (bucket, key) = names(&request.input.bucket, &request.input.key)?;
        let read = self.look(&caller, &bucket, &key, &request.headers).await?;
        let size = read.metadata.size;
        let (_, length) = read.selection.bounds(size);
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: Some(read.metadata.cache_control.clone()),
            content_length: i64::try_from(length).ok(),
            content_range: content_range(read.selection, size),
            content_type: Some(read.metadata.mimetype.clone()),
            e_tag: Some(etag(&read.metadata.etag)),
            last_modified: Some(read.object.updated_at.into()),
            metadata: Some(headers_of(&read.object)),
            ..HeadObjectOutput::default()
        })
    }

    async fn look(
        &self,
        caller: &Caller,
        bucket: &BucketId,
        key: &ObjectKey,
        headers: &HeaderMap,
    ) -> S3Result<Read> {
        let object = self.authoriser.visible(caller, bucket, key).await;
        let object = match object {
            // Which of the two is missing S3's clients want to know.
            Err(Error::NoSuchKey) => {
                self.authoriser.limits_of(bucket).await?;
                return Err(s3(Error::NoSuchKey));
            }
            found => found?,
        };
        let (version, metadata) = object.stored().ok_or_else(|| s3(Error::NoSuchKey))?;
        let validators = Validators {
            etag: &metadata.etag,
            last_modified: object.updated_at.into(),
        };
        let selection = match conditions::weigh(headers, validators) {
            Verdict::Failed => return Err(s3(Error::PreconditionFailed)),
            Verdict::NotModified => return Err(S3Error::new(S3ErrorCode::NotModified)),
            Verdict::Proceed => {
                let range = headers.get(RANGE).and_then(|value| value.to_str().ok());
                Selection::of(range, metadata.size)
            }
        };
        if selection == Selection::Unsatisfiable {
            return Err(s3(Error::InvalidRange(metadata.size)));
        }
        Ok(Read {
            object,
            version,
            metadata,
            selection,
        })
    }
}

fn content_range(selection: Selection, size: u64) -> Option<String> {
    match selection {
        Selection::Part { first, last } => Some(format!("bytes {first}-{last}/{size}")),
        Selection::Whole | Selection::Unsatisfiable => None,
    }
}
