//! Answering with an object: whole or a part, or that the client has it already; in a way that a
//! browser never runs what somebody uploaded.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::authoriser::Readable;
use crate::domain::conditions::{self, Validators, Verdict};
use crate::domain::disposition::attachment;
use crate::domain::mime::MimeType;
use crate::domain::object::{Object, ObjectMetadata, Version};
use crate::domain::range::Selection;
use crate::error::Error;
use crate::integrity::{Reads, Wanted};

/// No script, no plug-in, no request: what is uploaded has no origin of its own to act in.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Whether the answer has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// GET.
    HeadAndBody,
    /// HEAD.
    Head,
}

/// How to answer with an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery<'a> {
    /// The request's headers.
    pub(crate) headers: &'a HeaderMap,
    /// The query parameter `download`: save it, under that name where it is not empty.
    pub(crate) download: Option<&'a str>,
    /// With or without the bytes.
    pub(crate) part: Part,
}

/// What can be said of an object without opening it.
struct Described {
    version: Version,
    metadata: ObjectMetadata,
    last_modified: SystemTime,
}

impl Described {
    fn of(object: &Object) -> Result<Self, Error> {
        let (version, metadata) = object.stored().ok_or(Error::NoSuchKey)?;
        Ok(Self {
            version,
            metadata,
            last_modified: object.updated_at.into(),
        })
    }

    fn validators(&self) -> Validators<'_> {
        Validators {
            etag: &self.metadata.etag,
            last_modified: self.last_modified,
        }
    }
}

impl Delivery<'_> {
    /// The answer with `readable`, whose bytes `reads` brings.
    pub(crate) async fn answer(
        self,
        reads: &Reads,
        readable: &Readable,
    ) -> Result<Response, Error> {
        let described = Described::of(&readable.object)?;
        let size = described.metadata.size;
        let selection = match conditions::weigh(self.headers, described.validators()) {
            Verdict::Failed => return Err(Error::PreconditionFailed),
            Verdict::NotModified => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                add_validators(response.headers_mut(), &described, readable.expires_at);
                return Ok(response);
            }
            Verdict::Proceed => {
                let range = conditions::range(self.headers, described.validators());
                Selection::of(range, size)
            }
        };
        let (first, length) = selection.bounds(size);
        let status = match selection {
            Selection::Whole => StatusCode::OK,
            Selection::Part { .. } => StatusCode::PARTIAL_CONTENT,
            Selection::Unsatisfiable => return Err(Error::InvalidRange(size)),
        };
        let body = match self.part {
            Part::Head => Body::empty(),
            Part::HeadAndBody => {
                let wanted = Wanted {
                    version: described.version,
                    sha256: readable.object.sha256,
                    size,
                    first,
                    length,
                };
                reads.read(wanted).await?.into_body()
            }
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        add_validators(headers, &described, readable.expires_at);
        self.add_content(headers, &described.metadata, selection);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        Ok(response)
    }

    fn add_content(self, headers: &mut HeaderMap, metadata: &ObjectMetadata, selection: Selection) {
        set(headers, CONTENT_TYPE, &metadata.mimetype);
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let size = metadata.size;
        if let Selection::Part { first, last } = selection {
            set(
                headers,
                CONTENT_RANGE,
                &format!("bytes {first}-{last}/{size}"),
            );
        }
        let active = MimeType::parse(&metadata.mimetype).map_or(true, |mime| mime.is_active());
        // Browsers show no PDF in a sandbox, and its scripts run in the viewer, not in our origin.
        if metadata.mimetype != "application/pdf" {
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        }
        if let Some(name) = self.download.or(active.then_some("")) {
            set(headers, CONTENT_DISPOSITION, &attachment(name));
        }
    }
}

fn add_validators(headers: &mut HeaderMap, described: &Described, expires_at: Option<i64>) {
    set(headers, ETAG, &described.metadata.etag);
    let changed = httpdate::fmt_http_date(described.last_modified);
    set(headers, LAST_MODIFIED, &changed);
    match expires_at.and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds) => {
            let ends = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            set(headers, EXPIRES, &httpdate::fmt_http_date(ends));
        }
        None => set(headers, CACHE_CONTROL, &described.metadata.cache_control),
    }
}

/// Sets a header; a value that SQL wrote and no header can have is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
