//! S3's uploads in parts.

use md5::{Digest as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part as ListedPart, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result, TrailingHeaders, s3_error};

use super::checksums::Checks;
use super::errors::s3;
use super::metadata::{NO_CACHE, conditions_of, etag, user_metadata};
use super::operations::{Operations, bucket_name, caller, names};
use crate::body::BodyError;
use crate::caller::Caller;
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, Overwrite};
use crate::domain::pending::{Part, PendingUpload, Protocol, UploadId};
use crate::domain::range::Selection;
use crate::error::Error;
use crate::integrity::Wanted;
use crate::uploads::pending::NewUpload;
use futures_util::TryStreamExt as _;

/// The least a part has that is not the last, in bytes.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
/// The largest part, in bytes.
const MAX_PART_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// The highest number a part has.
const MAX_PART: i32 = 10_000;
/// The most entries a page has.
const MAX_LISTED: i32 = 1000;

impl Operations {
    pub(super) async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let (bucket, key) = names(&input.bucket, &input.key)?;
        let mime = input.content_type.as_deref().unwrap_or_default();
        let new = NewUpload {
            protocol: Protocol::S3,
            object: NewObject {
                id: self.uploads.new_id(),
                bucket,
                key,
                owner_id: caller.subject().map(str::to_owned),
                mime: MimeType::parse(mime).map_err(s3)?,
                cache_control: input.cache_control.unwrap_or_else(|| NO_CACHE.to_owned()),
                user_metadata: user_metadata(input.metadata.as_ref()),
            },
            caller,
            overwrite: Overwrite::Replace,
            size: None,
            upload_metadata: None,
        };
        let pending = self.pending.begin(new).await?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(pending.id.to_string()),
            ..CreateMultipartUploadOutput::default()
        })
    }

    /// The upload of a request, where it is the caller's and goes to that name.
    async fn upload(
        &self,
        caller: &Caller,
        (bucket, key): (&str, &str),
        id: &str,
    ) -> S3Result<PendingUpload> {
        let (bucket, key) = names(bucket, key)?;
        let missing = || s3(Error::NoSuchUpload);
        let id: UploadId = id.parse().map_err(|_| missing())?;
        let pending = self.pending.find(id, Protocol::S3).await?;
        let is_it = pending.bucket == bucket
            && pending.key == key
            && pending.is_of(caller.role(), caller.subject());
        is_it.then_some(pending).ok_or_else(missing)
    }

    pub(super) async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<UploadPartOutput> {
        let caller = caller(&request)?;
        let trailers = request.extensions.remove::<TrailingHeaders>();
        let trailers = trailers.or(request.trailing_headers);
        let checks = Checks::of(&request.headers, trailers);
        let input = request.input;
        let number = part_number(input.part_number)?;
        let names = (input.bucket.as_str(), input.key.as_str());
        let pending = self.upload(&caller, names, &input.upload_id).await?;
        let limit = self.pending.admit(&pending, caller).await?;
        let limit = limit.min(MAX_PART_BYTES);
        let (received, checksums) = self.receive_checked(checks, input.body, limit).await?;
        let part = self.pending.put_part(&pending, number, received).await?;
        Ok(UploadPartOutput {
            e_tag: Some(etag(&part.stored.etag())),
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            ..UploadPartOutput::default()
        })
    }

    pub(super) async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<UploadPartCopyOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let number = part_number(input.part_number)?;
        let names = (input.bucket.as_str(), input.key.as_str());
        let pending = self.upload(&caller, names, &input.upload_id).await?;
        let source = self.source(&caller, &input.copy_source).await?;
        let (version, metadata) = source.stored().ok_or_else(|| s3(Error::NoSuchKey))?;
        let limit = self.pending.admit(&pending, caller).await?;
        let selection = Selection::of(input.copy_source_range.as_deref(), metadata.size);
        if selection == Selection::Unsatisfiable {
            return Err(s3(Error::InvalidRange(metadata.size)));
        }
        let (first, length) = selection.bounds(metadata.size);
        if length > limit.min(MAX_PART_BYTES) {
            return Err(s3(Error::EntityTooLarge));
        }
        let wanted = Wanted {
            version,
            sha256: source.sha256,
            size: metadata.size,
            first,
            length,
        };
        let bytes = self.reads.read(wanted).await.map_err(s3)?;
        let bytes = bytes.map_err(|error| BodyError::Unreadable(Box::new(error)));
        let received = self.uploads.receive(Box::pin(bytes)).await?;
        let part = self.pending.put_part(&pending, number, received).await?;
        Ok(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(etag(&part.stored.etag())),
                last_modified: Some(part.created_at.into()),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        })
    }

    pub(super) async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let names = (input.bucket.as_str(), input.key.as_str());
        let pending = self.upload(&caller, names, &input.upload_id).await?;
        let (overwrite, expected_etag) =
            conditions_of(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let wanted = input.multipart_upload.and_then(|upload| upload.parts);
        let there = self.pending.parts(&pending).await?;
        let parts = chosen(&wanted.unwrap_or_default(), &there)?;
        let size = parts.iter().map(|part| part.stored.size).sum::<u64>();
        let mut intent = self.pending.intent(&pending, caller);
        intent.overwrite = overwrite;
        intent.expected_etag = expected_etag;
        intent.announced_size = Some(size);
        if size > self.uploads.admit(&intent).await? {
            return Err(s3(Error::EntityTooLarge));
        }
        let etag = combined(&parts);
        let quoted = Some(format!("\"{etag}\""));
        self.pending
            .complete(&pending, intent, &parts, quoted)
            .await?;
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(etag)),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    pub(super) async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<AbortMultipartUploadOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let names = (input.bucket.as_str(), input.key.as_str());
        let pending = self.upload(&caller, names, &input.upload_id).await?;
        self.pending.admit(&pending, caller).await?;
        self.pending.abort(&pending).await?;
        Ok(AbortMultipartUploadOutput::default())
    }

    pub(super) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<ListPartsOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let names = (input.bucket.as_str(), input.key.as_str());
        let pending = self.upload(&caller, names, &input.upload_id).await?;
        let after = u64::try_from(input.part_number_marker.unwrap_or(0)).unwrap_or_default();
        let limit = input.max_parts.unwrap_or(MAX_LISTED).clamp(0, MAX_LISTED);
        let mut parts = self.pending.parts(&pending).await?;
        parts.retain(|part| part.number > after);
        let wanted = usize::try_from(limit).unwrap_or_default();
        let more = parts.len() > wanted;
        parts.truncate(wanted);
        let number = |part: &Part| i32::try_from(part.number).ok();
        let next = parts.last().filter(|_| more).and_then(number);
        let parts = parts.iter().map(|part| ListedPart {
            e_tag: Some(etag(&part.stored.etag())),
            last_modified: Some(part.created_at.into()),
            part_number: number(part),
            size: i64::try_from(part.stored.size).ok(),
            ..ListedPart::default()
        });
        Ok(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(more),
            max_parts: Some(limit),
            part_number_marker: input.part_number_marker,
            next_part_number_marker: next,
            parts: Some(parts.collect()),
            ..ListPartsOutput::default()
        })
    }

    pub(super) async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<ListMultipartUploadsOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let bucket = bucket_name(&input.bucket)?;
        self.authoriser.limits_of(&bucket).await?;
        let limit = input.max_uploads.unwrap_or(MAX_LISTED).clamp(1, MAX_LISTED);
        let marker = input.key_marker.as_deref().unwrap_or_default();
        let id = input.upload_id_marker.as_deref();
        let after = (marker, id.and_then(|id| id.parse().ok()));
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let listed = self
            .pending
            .list(&bucket, prefix, after, &caller, limit + 1);
        let mut uploads = listed.await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let more = uploads.len() > wanted;
        uploads.truncate(wanted);
        let next = uploads.last().filter(|_| more);
        let (next_key, next_id) = (
            next.map(|upload| upload.key.as_str().to_owned()),
            next.map(|upload| upload.id.to_string()),
        );
        let uploads = uploads.into_iter().map(|upload| MultipartUpload {
            initiated: Some(upload.created_at.into()),
            key: Some(upload.key.as_str().to_owned()),
            upload_id: Some(upload.id.to_string()),
            ..MultipartUpload::default()
        });
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            is_truncated: Some(more),
            key_marker: input.key_marker,
            max_uploads: Some(limit),
            next_key_marker: next_key,
            next_upload_id_marker: next_id,
            prefix: input.prefix,
            uploads: Some(uploads.collect()),
            ..ListMultipartUploadsOutput::default()
        })
    }
}

fn part_number(number: i32) -> S3Result<u64> {
    if !(1..=MAX_PART).contains(&number) {
        return Err(s3_error!(InvalidArgument, "part numbers are 1 to 10000"));
    }
    Ok(u64::try_from(number).unwrap_or_default())
}

/// The parts that a client lists, in order, as they are there.
fn chosen(wanted: &[CompletedPart], there: &[Part]) -> S3Result<Vec<Part>> {
    if wanted.is_empty() {
        return Err(s3_error!(MalformedXML, "no parts are listed"));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(wanted.len());
    for one in wanted {
        let number = part_number(one.part_number.unwrap_or_default())?;
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let part = there.iter().find(|part| part.number == number);
        let part = part.ok_or_else(|| s3_error!(InvalidPart))?;
        let said = one.e_tag.as_ref().map(ETag::value);
        if said.is_some_and(|said| said != etag(&part.stored.etag()).value()) {
            return Err(s3_error!(InvalidPart));
        }
        parts.push(part.clone());
    }
    let before_last = parts.len() - 1;
    let small = |part: &Part| part.stored.size < MIN_PART_BYTES;
    if parts.iter().take(before_last).any(small) {
        return Err(s3_error!(EntityTooSmall));
    }
    Ok(parts)
}

/// The entity tag of an object in parts: the MD5 of their MD5s, and how many there are.
fn combined(parts: &[Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part.stored.md5);
    }
    let digest: [u8; 16] = md5.finalize().into();
    format!("{:032x}-{}", u128::from_be_bytes(digest), parts.len())
}
