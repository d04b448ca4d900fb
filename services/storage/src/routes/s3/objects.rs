use axum::http::HeaderMap;
use axum::http::header::RANGE;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag,
    ETagCondition, Error as DeleteError, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, Metadata, MetadataDirective, PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, TrailingHeaders, s3_error};
use serde_json::{Map, Value};

use super::checksums::Checks;
use super::errors::s3;
use super::operations::{Operations, bucket_name, caller, names};
use crate::body::Limited;
use crate::caller::Caller;
use crate::domain::conditions::{self, Validators, Verdict};
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, Object, ObjectMetadata, Overwrite, Version};
use crate::domain::range::Selection;
use crate::error::Error;
use crate::integrity::Wanted;
use crate::store;
use crate::uploads::{Intent, Source};

/// What the copy and the original share, and what `Cache-Control` an upload gets without its own.
const NO_CACHE: &str = "no-cache";
/// The most objects one request deletes.
const MAX_DELETED: usize = 1000;

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
            cache_control: Some(read.metadata.cache_control.clone()),
            content_length: i64::try_from(length).ok(),
            content_range: content_range(read.selection, size),
            content_type: Some(read.metadata.mimetype.clone()),
            e_tag: Some(etag(&read.metadata)),
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
            e_tag: Some(etag(&read.metadata)),
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

    pub(super) async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<PutObjectOutput> {
        let caller = caller(&request)?;
        let (bucket, key) = names(&request.input.bucket, &request.input.key)?;
        let trailers = request.extensions.remove::<TrailingHeaders>();
        let trailers = trailers.or(request.trailing_headers);
        let checks = Checks::of(&request.headers, trailers);
        let input = request.input;
        let (overwrite, expected_etag) =
            conditions_of(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let announced = input
            .content_length
            .and_then(|size| u64::try_from(size).ok());
        let intent = Intent {
            object: NewObject {
                id: self.uploads.new_id(),
                bucket,
                key,
                owner_id: caller.subject().map(str::to_owned),
                mime: MimeType::parse(input.content_type.as_deref().unwrap_or_default())
                    .map_err(s3)?,
                cache_control: input.cache_control.unwrap_or_else(|| NO_CACHE.to_owned()),
                user_metadata: user_metadata(input.metadata.as_ref()),
            },
            caller,
            overwrite,
            announced_size: announced,
            expected_etag,
        };
        let limit = self.uploads.admit(&intent).await?;
        if announced.is_some_and(|size| size > limit) {
            return Err(s3(Error::EntityTooLarge));
        }
        let bytes = Limited::new(checks.read(input.body), limit);
        let received = self.uploads.receive(Box::pin(bytes)).await?;
        let checksums = match checks.check(received.stored()) {
            Ok(checksums) => checksums,
            Err(error) => {
                self.uploads.abandon(received).await;
                return Err(s3(error));
            }
        };
        let etag = received.stored().etag();
        self.uploads.commit(&intent, received).await?;
        Ok(PutObjectOutput {
            e_tag: Some(ETag::Strong(etag.trim_matches('"').to_owned())),
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            ..PutObjectOutput::default()
        })
    }

    pub(super) async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<CopyObjectOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let (bucket, key) = names(&input.bucket, &input.key)?;
        let source = self.source(&caller, &input.copy_source).await?;
        let (version, mut metadata) = source.stored().ok_or_else(|| s3(Error::NoSuchKey))?;
        let matches = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => metadata.etag.trim_matches('"') == etag.value(),
        };
        let (wanted, unwanted) = (
            input.copy_source_if_match.as_ref(),
            input.copy_source_if_none_match.as_ref(),
        );
        if wanted.is_some_and(|one| !matches(one)) || unwanted.is_some_and(matches) {
            return Err(s3(Error::PreconditionFailed));
        }
        let mut kept = source.user_metadata.clone();
        let directive = input.metadata_directive.as_ref();
        let replaces = directive.is_some_and(|one| one.as_str() == MetadataDirective::REPLACE);
        if replaces {
            kept = user_metadata(input.metadata.as_ref());
            let mime = input.content_type.as_deref().unwrap_or_default();
            MimeType::parse(mime)
                .map_err(s3)?
                .as_str()
                .clone_into(&mut metadata.mimetype);
            metadata.cache_control = input.cache_control.unwrap_or_else(|| NO_CACHE.to_owned());
        } else if source.bucket_id == bucket.as_str() && source.name == key.as_str() {
            let message = "an object is copied to itself only with new metadata";
            return Err(s3_error!(InvalidRequest, "{}", message));
        }
        let destination = self.authoriser.limits_of(&bucket).await?;
        let mime = MimeType::parse(&metadata.mimetype).map_err(s3)?;
        destination.check_mime(&mime).map_err(s3)?;
        if metadata.size > destination.size_limit(self.limits.file_size) {
            return Err(s3(Error::EntityTooLarge));
        }
        let intent = Intent {
            object: NewObject {
                id: self.uploads.new_id(),
                bucket,
                key,
                owner_id: caller.subject().map(str::to_owned),
                mime,
                cache_control: metadata.cache_control.clone(),
                user_metadata: kept,
            },
            caller,
            overwrite: Overwrite::Replace,
            announced_size: Some(metadata.size),
            expected_etag: None,
        };
        let copied = etag(&metadata);
        let sha256 = source.sha256;
        let source = Source {
            version,
            metadata,
            sha256,
        };
        self.uploads.copy(&intent, source).await?;
        Ok(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(copied),
                last_modified: Some(self.uploads.now().into()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        })
    }

    /// The object that is copied from, where the caller sees it.
    pub(super) async fn source(&self, caller: &Caller, from: &CopySource) -> S3Result<Object> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id: None,
        } = from
        else {
            return Err(s3_error!(
                NotImplemented,
                "only bucket/key can be copied from"
            ));
        };
        let (bucket, key) = names(bucket, key)?;
        Ok(self.authoriser.visible(caller, &bucket, &key).await?)
    }

    pub(super) async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<DeleteObjectOutput> {
        let caller = caller(&request)?;
        let (bucket, key) = names(&request.input.bucket, &request.input.key)?;
        self.authoriser.limits_of(&bucket).await?;
        let keys = [key.as_str().to_owned()];
        let (_, refused) = self.delete(&caller, &bucket, &keys).await?;
        if refused.is_empty() {
            Ok(DeleteObjectOutput::default())
        } else {
            Err(s3_error!(AccessDenied))
        }
    }

    pub(super) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<DeleteObjectsOutput> {
        let caller = caller(&request)?;
        let bucket = bucket_name(&request.input.bucket)?;
        let delete = request.input.delete;
        if delete.objects.len() > MAX_DELETED {
            return Err(s3_error!(MalformedXML, "at most 1000 objects"));
        }
        self.authoriser.limits_of(&bucket).await?;
        let keys: Vec<String> = delete
            .objects
            .into_iter()
            .map(|object| object.key)
            .collect();
        let (deleted, refused) = self.delete(&caller, &bucket, &keys).await?;
        let errors = refused.into_iter().map(|key| DeleteError {
            code: Some("AccessDenied".to_owned()),
            key: Some(key),
            message: Some("Access Denied".to_owned()),
            ..DeleteError::default()
        });
        let quiet = delete.quiet.unwrap_or(false);
        let deleted = deleted.into_iter().filter(|_| !quiet);
        let deleted = deleted.map(|key| DeletedObject {
            key: Some(key),
            ..DeletedObject::default()
        });
        Ok(DeleteObjectsOutput {
            deleted: Some(deleted.collect()),
            errors: Some(errors.collect()),
            ..DeleteObjectsOutput::default()
        })
    }

    /// Deletes objects; answers the names that are gone, there or not before, and those that the
    /// caller sees and may not delete.
    async fn delete(
        &self,
        caller: &Caller,
        bucket: &BucketId,
        keys: &[String],
    ) -> S3Result<(Vec<String>, Vec<String>)> {
        let mut transaction = self.authoriser.begin(caller).await.map_err(s3)?;
        let gone = store::objects::delete(&mut transaction, bucket, keys).await;
        gone.map_err(s3)?;
        let left = store::objects::existing(&mut transaction, bucket, keys).await;
        let left = left.map_err(s3)?;
        transaction.commit().await.map_err(s3)?;
        self.discarded.notify_one();
        let is_left = |key: &String| left.contains(key);
        let (refused, gone) = keys.iter().cloned().partition(is_left);
        Ok((gone, refused))
    }
}

/// What `If-Match` and `If-None-Match` of a write come to: whether it may replace, and what.
pub(super) fn conditions_of(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<(Overwrite, Option<String>)> {
    match (if_match, if_none_match) {
        (None, None) => Ok((Overwrite::Replace, None)),
        (None, Some(ETagCondition::Any)) => Ok((Overwrite::Refuse, None)),
        (Some(ETagCondition::ETag(etag)), None) => {
            let expected = format!("\"{}\"", etag.value());
            Ok((Overwrite::Replace, Some(expected)))
        }
        _ => Err(s3_error!(
            NotImplemented,
            "a write takes If-Match with an entity tag or If-None-Match: *"
        )),
    }
}

fn etag(metadata: &ObjectMetadata) -> ETag {
    ETag::Strong(metadata.etag.trim_matches('"').to_owned())
}

fn content_range(selection: Selection, size: u64) -> Option<String> {
    match selection {
        Selection::Part { first, last } => Some(format!("bytes {first}-{last}/{size}")),
        Selection::Whole | Selection::Unsatisfiable => None,
    }
}

/// `x-amz-meta-*` as what an uploader keeps with an object.
pub(super) fn user_metadata(metadata: Option<&Metadata>) -> Option<Map<String, Value>> {
    let pairs = metadata?.iter();
    Some(
        pairs
            .map(|(name, value)| (name.clone(), Value::from(value.clone())))
            .collect(),
    )
}

/// What an uploader keeps with an object as `x-amz-meta-*`, as far as headers can hold it.
fn headers_of(object: &Object) -> Metadata {
    let kept = object.user_metadata.iter().flatten();
    kept.filter_map(|(name, value)| {
        let text = value.as_str()?;
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let is_value = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        (is_name && is_value && !name.is_empty())
            .then(|| (name.to_ascii_lowercase(), text.to_owned()))
    })
    .collect()
}
