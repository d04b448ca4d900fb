use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Request, S3Result, s3_error};
use serde_json::Value;

use super::errors::s3;
use super::operations::{Operations, bucket_name, caller};
use crate::caller::Caller;
use crate::domain::key::BucketId;
use crate::store::listing::{self, Entry, FileEntry, PrefixListing};

/// The most entries a page has, and how many it has unless asked otherwise.
const MAX_KEYS: i32 = 1000;
/// What `encoding-type=url` leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'*');

/// A page of a bucket.
struct Page {
    contents: Vec<Object>,
    common_prefixes: Vec<CommonPrefix>,
    /// The last entry's name, as it is passed by, where there are more.
    next: Option<(String, String)>,
}

/// How names are written.
#[derive(Clone, Copy)]
struct Spelling {
    encodes: bool,
}

impl Spelling {
    fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self { encodes: false }),
            Some("url") => Ok(Self { encodes: true }),
            Some(_) => Err(s3_error!(InvalidArgument, "encoding-type must be url")),
        }
    }

    fn write(self, name: String) -> String {
        if self.encodes {
            utf8_percent_encode(&name, ENCODED).to_string()
        } else {
            name
        }
    }
}

impl Operations {
    pub(super) async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<ListObjectsV2Output> {
        let caller = caller(&request)?;
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let invalid = || s3_error!(InvalidArgument, "the continuation token cannot be read");
        let token = input.continuation_token.as_deref().map(|token| {
            let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
            String::from_utf8(bytes).map_err(|_| invalid())
        });
        let bucket = bucket_name(&input.bucket)?;
        let limit = page_size(input.max_keys)?;
        let listing = PrefixListing {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: token.transpose()?.or_else(|| input.start_after.clone()),
            limit,
            descending: false,
        };
        let page = self.page(&caller, &bucket, listing, spelling).await?;
        let keys = page.contents.len() + page.common_prefixes.len();
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(spelling.write(input.prefix.unwrap_or_default())),
            max_keys: Some(limit),
            key_count: i32::try_from(keys).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(|(_, passed)| URL_SAFE_NO_PAD.encode(passed)),
            contents: Some(page.contents),
            common_prefixes: Some(page.common_prefixes),
            delimiter: input.delimiter.map(|text| spelling.write(text)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|text| spelling.write(text)),
            ..ListObjectsV2Output::default()
        })
    }

    pub(super) async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<ListObjectsOutput> {
        let caller = caller(&request)?;
        let input = request.input;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let bucket = bucket_name(&input.bucket)?;
        let limit = page_size(input.max_keys)?;
        let delimiter = input.delimiter.clone().unwrap_or_default();
        let marker = input.marker.clone().filter(|marker| !marker.is_empty());
        let after = marker.map(|marker| {
            // A common prefix as a marker passes all that is in it.
            if !delimiter.is_empty() && marker.ends_with(&delimiter) {
                listing::past(&marker)
            } else {
                marker
            }
        });
        let listing = PrefixListing {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter,
            after,
            limit,
            descending: false,
        };
        let page = self.page(&caller, &bucket, listing, spelling).await?;
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(spelling.write(input.prefix.unwrap_or_default())),
            marker: Some(spelling.write(input.marker.unwrap_or_default())),
            max_keys: Some(limit),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.map(|(name, _)| spelling.write(name)),
            contents: Some(page.contents),
            common_prefixes: Some(page.common_prefixes),
            delimiter: input.delimiter.map(|text| spelling.write(text)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        })
    }

    async fn page(
        &self,
        caller: &Caller,
        bucket: &BucketId,
        mut listing: PrefixListing,
        spelling: Spelling,
    ) -> S3Result<Page> {
        self.authoriser.limits_of(bucket).await?;
        let limit = usize::try_from(listing.limit).unwrap_or_default();
        if limit > 0 {
            listing.limit += 1;
        }
        let mut transaction = self.authoriser.begin(caller).await.map_err(s3)?;
        let entries = listing::under_prefix(&mut transaction, bucket, &listing).await;
        let mut entries = entries.map_err(s3)?;
        transaction.commit().await.map_err(s3)?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|entry| {
            let name = entry.name.clone();
            match entry.file {
                Some(_) => (name.clone(), name),
                None => (name.clone(), listing::past(&name)),
            }
        });
        let mut page = Page {
            contents: Vec::new(),
            common_prefixes: Vec::new(),
            next,
        };
        for Entry { name, file } in entries {
            let name = spelling.write(name);
            match file {
                Some(file) => page.contents.push(object(name, &file)),
                None => page
                    .common_prefixes
                    .push(CommonPrefix { prefix: Some(name) }),
            }
        }
        Ok(page)
    }
}

fn page_size(max_keys: Option<i32>) -> S3Result<i32> {
    match max_keys.unwrap_or(MAX_KEYS) {
        negative if negative < 0 => Err(s3_error!(InvalidArgument, "max-keys is negative")),
        keys => Ok(keys.min(MAX_KEYS)),
    }
}

fn object(name: String, file: &FileEntry) -> Object {
    let metadata = file.metadata.as_ref();
    let value = |field: &str| metadata.and_then(|metadata| metadata.get(field));
    let etag = value("eTag").and_then(Value::as_str);
    Object {
        key: Some(name),
        e_tag: etag.map(|etag| ETag::Strong(etag.trim_matches('"').to_owned())),
        last_modified: Some(file.updated_at.into()),
        size: value("size").and_then(Value::as_i64).or(Some(0)),
        storage_class: Some(ObjectStorageClass::from_static(
            ObjectStorageClass::STANDARD,
        )),
        ..Object::default()
    }
}
