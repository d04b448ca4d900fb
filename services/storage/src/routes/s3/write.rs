//! Writing and copying objects by S3's protocol.

use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETagCondition,
    MetadataDirective, PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{S3Request, S3Result, TrailingHeaders, s3_error};

use super::checksums::Checks;
use super::errors::s3;
use super::metadata::{NO_CACHE, conditions_of, etag, user_metadata};
use super::operations::{Operations, caller, names};
use crate::body::Limited;
use crate::caller::Caller;
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, Object, Overwrite};
use crate::error::Error;
use crate::uploads::{Intent, Received, Source};

impl Operations {
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
        let (received, checksums) = self.receive_checked(checks, input.body, limit).await?;
        let e_tag = etag(&received.stored().etag());
        self.uploads.commit(&intent, received).await?;
        Ok(PutObjectOutput {
            e_tag: Some(e_tag),
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            ..PutObjectOutput::default()
        })
    }

    /// Keeps a body of at most `limit` bytes, where it is what its checksums say.
    pub(super) async fn receive_checked(
        &self,
        checks: Checks,
        body: Option<StreamingBlob>,
        limit: u64,
    ) -> S3Result<(Received, Checksum)> {
        let bytes = Limited::new(checks.read(body), limit);
        let received = self.uploads.receive(Box::pin(bytes)).await?;
        match checks.check(received.stored()) {
            Ok(checksums) => Ok((received, checksums)),
            Err(error) => {
                self.uploads.abandon(received).await;
                Err(s3(error))
            }
        }
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
        let copied = etag(&metadata.etag);
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
}
