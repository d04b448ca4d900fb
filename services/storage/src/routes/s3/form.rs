//! Uploads by a browser's form, under a signed policy.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use futures_util::{StreamExt as _, TryStreamExt as _};
use multer::{Field, Multipart};
use s3s::{HttpResponse, S3Result, s3_error};
use serde_json::Value;

use super::errors::s3;
use super::policy::{Credential, Policy, PolicyError};
use super::{Protocol, identity};
use crate::body::{BodyError, Limited, SharedBody};
use crate::caller::Caller;
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, Overwrite};
use crate::uploads::Intent;

/// How many fields a form may have.
const MAX_FIELDS: usize = 64;
/// The longest field beside the file, in bytes.
const MAX_FIELD_BYTES: usize = 64 * 1024;

/// The fields before the file, with lower-case names.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &'static str) -> S3Result<&str> {
        self.get(name)
            .ok_or_else(|| s3_error!(AccessDenied, "the field {} is missing", name))
    }
}

/// Takes the file of a form.
pub(super) async fn post(
    protocol: &Protocol,
    uri: &Uri,
    parts: &Parts,
    body: Body,
) -> S3Result<HttpResponse> {
    let bucket = uri.path().trim_matches('/');
    let bucket = BucketId::parse(bucket).map_err(s3)?;
    let kind = parts.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let malformed = || s3_error!(MalformedPOSTRequest);
    let boundary = multer::parse_boundary(kind).map_err(|_| malformed())?;
    let mut form = Multipart::new(SharedBody::new(body).paced(), boundary);
    let (mut fields, file) = read(&mut form).await?;
    fields.0.push(("bucket".to_owned(), bucket.to_string()));
    let file_name = file.file_name().unwrap_or_default().to_owned();
    let (caller, policy) = signed(protocol, &fields, parts)?;
    let key = fields.required("key")?.replace("${filename}", &file_name);
    let intent = intent(protocol, &fields, caller, bucket, &key)?;
    let (least, most) = policy.sizes().unwrap_or((0, u64::MAX));
    let limit = protocol.operations.uploads.admit(&intent).await?.min(most);
    let bytes = file.map_err(|error| BodyError::Incomplete(Box::new(error)));
    let bytes = Limited::new(bytes, limit);
    let uploads = &protocol.operations.uploads;
    let received = uploads.receive(Box::pin(bytes)).await?;
    if received.stored().size < least {
        uploads.abandon(received).await;
        return Err(s3_error!(EntityTooSmall));
    }
    let etag = received.stored().etag();
    uploads.commit(&intent, received).await?;
    Ok(answer(&fields, &intent, &etag))
}

async fn read(form: &mut Multipart<'static>) -> S3Result<(Fields, Field<'static>)> {
    let malformed = |_| s3_error!(MalformedPOSTRequest);
    let mut fields = Fields(Vec::new());
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        let name = field.name().unwrap_or_default().to_ascii_lowercase();
        if name == "file" {
            return Ok((fields, field));
        }
        if fields.0.len() >= MAX_FIELDS {
            return Err(s3_error!(MalformedPOSTRequest, "too many fields"));
        }
        fields.0.push((name, text(field).await?));
    }
    Err(s3_error!(IncorrectNumberOfFilesInPostRequest))
}

async fn text(mut field: Field<'static>) -> S3Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.next().await {
        bytes.extend_from_slice(&chunk.map_err(|_| s3_error!(MalformedPOSTRequest))?);
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(s3_error!(MaxPostPreDataLengthExceededError));
        }
    }
    String::from_utf8(bytes).map_err(|_| s3_error!(MalformedPOSTRequest))
}

/// Who signed the form's policy, where the form is as it says.
fn signed(protocol: &Protocol, fields: &Fields, parts: &Parts) -> S3Result<(Caller, Policy)> {
    let field = fields.required("policy")?;
    let credential = fields.required("x-amz-credential")?;
    let credential =
        Credential::read(credential).ok_or_else(|| s3_error!(InvalidRequest, "credential"))?;
    if fields.get("x-amz-algorithm") != Some("AWS4-HMAC-SHA256") {
        return Err(s3_error!(
            InvalidRequest,
            "only Signature Version 4 is spoken"
        ));
    }
    let keys = protocol.identities.keys();
    let secret = identity::secret(&keys, credential.access_key)
        .as_str()
        .into();
    let policy = Policy::read(field).and_then(|policy| {
        credential.check(
            &secret,
            field,
            fields.get("x-amz-signature").unwrap_or_default(),
        )?;
        policy.check(&fields.0, protocol.operations.uploads.now())?;
        Ok(policy)
    });
    let policy = policy.map_err(|error| match error {
        PolicyError::Malformed => s3_error!(InvalidPolicyDocument),
        PolicyError::Expired => s3_error!(AccessDenied, "the policy has expired"),
        PolicyError::Unmet => s3_error!(AccessDenied, "the form is not as its policy says"),
        PolicyError::Signature => s3_error!(SignatureDoesNotMatch),
    })?;
    let token = fields.get("x-amz-security-token");
    let target = (&Method::POST, parts.uri.path());
    let caller = protocol
        .identities
        .caller(credential.access_key, token, target)?;
    Ok((caller, policy))
}

fn intent(
    protocol: &Protocol,
    fields: &Fields,
    caller: Caller,
    bucket: BucketId,
    key: &str,
) -> S3Result<Intent> {
    let kept = fields.0.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), Value::from(value.clone())))
    });
    let mime = fields.get("content-type").unwrap_or_default();
    let cache_control = fields.get("cache-control").unwrap_or("no-cache");
    HeaderValue::from_str(cache_control).map_err(|_| s3_error!(InvalidRequest))?;
    Ok(Intent {
        object: NewObject {
            id: protocol.operations.uploads.new_id(),
            bucket,
            key: ObjectKey::parse(key).map_err(s3)?,
            owner_id: caller.subject().map(str::to_owned),
            mime: MimeType::parse(mime).map_err(s3)?,
            cache_control: cache_control.to_owned(),
            user_metadata: Some(kept.collect()),
        },
        caller,
        overwrite: Overwrite::Replace,
        announced_size: None,
        expected_etag: None,
    })
}

fn answer(fields: &Fields, intent: &Intent, etag: &str) -> HttpResponse {
    let (bucket, key) = (&intent.object.bucket, &intent.object.key);
    let location = format!("/{bucket}/{key}");
    let created = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><PostResponse><Location>{location}</Location>\
         <Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>{etag}</ETag></PostResponse>"
    )
    // A key has no angle brackets; of what XML takes for itself it can hold these.
    .replace('&', "&amp;");
    let (status, body) = match fields.get("success_action_status") {
        Some("200") => (StatusCode::OK, s3s::Body::empty()),
        Some("201") => (StatusCode::CREATED, s3s::Body::from(created)),
        _ => (StatusCode::NO_CONTENT, s3s::Body::empty()),
    };
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, value);
    }
    if status == StatusCode::CREATED {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    }
    let redirect = fields.get("success_action_redirect");
    if let Some(Ok(value)) = redirect.map(HeaderValue::from_str) {
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, value);
    } else if let Ok(value) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}
