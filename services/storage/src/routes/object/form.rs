//! Uploads as forms: one file, in a field with an empty name or any field with a file name, and
//! fields about it before or after.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures_util::StreamExt as _;
use multer::{Field, Multipart};
use serde_json::{Map, Value};

use super::upload::{NO_CACHE, Particulars, Target, cache_control};
use crate::body::{BodyError, Limited, SharedBody};
use crate::domain::mime::MimeType;
use crate::domain::object::ObjectId;
use crate::domain::user_metadata;
use crate::error::Error;
use crate::uploads::{Intent, Uploads};

/// How many fields a form may have.
const MAX_FIELDS: usize = 16;
/// The longest field beside the file, in bytes: user metadata's limit, and room to say that it is
/// passed.
const MAX_FIELD_BYTES: usize = user_metadata::MAX_BYTES + 1024;

/// The boundary of a form; `None` where the body is no form.
pub(super) fn boundary(headers: &HeaderMap) -> Option<Result<String, Error>> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let is_form = text
        .get(..19)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data"));
    is_form.then(|| multer::parse_boundary(text).map_err(|error| body_error(error).into()))
}

/// Takes the file of a form.
pub(super) async fn take(
    uploads: &Uploads,
    target: Target,
    boundary: String,
    body: SharedBody,
) -> Result<ObjectId, Error> {
    let announced_size = body.announced_size();
    let mut form = Form::new(boundary, body);
    let mut fields = Fields::default();
    let file = form
        .read_to_file(&mut fields)
        .await?
        .ok_or(Error::NoContent)?;
    let mut intent = target.intent(fields.particulars(&file, announced_size)?);
    let limit = uploads.admit(&intent).await?;
    let bytes = file.map(|chunk| chunk.map_err(body_error));
    let received = uploads
        .receive(Box::pin(Limited::new(bytes, limit)))
        .await?;
    match form.read_rest(&mut intent).await {
        Ok(()) => uploads.commit(&intent, received).await,
        Err(error) => {
            uploads.abandon(received).await;
            Err(error)
        }
    }
}

/// A form being read.
struct Form {
    form: Multipart<'static>,
    fields_left: usize,
}

impl Form {
    fn new(boundary: String, body: SharedBody) -> Self {
        Self {
            form: Multipart::new(body.paced(), boundary),
            fields_left: MAX_FIELDS,
        }
    }

    /// Reads up to the file, which it answers.
    async fn read_to_file(&mut self, fields: &mut Fields) -> Result<Option<Field<'static>>, Error> {
        while let Some(field) = self.form.next_field().await.map_err(body_error)? {
            self.fields_left = self
                .fields_left
                .checked_sub(1)
                .ok_or_else(|| invalid("the form has too many fields"))?;
            if is_file(&field) {
                return Ok(Some(field));
            }
            fields.read(field).await?;
        }
        Ok(None)
    }

    /// Reads what comes after the file, for `intent`.
    async fn read_rest(&mut self, intent: &mut Intent) -> Result<(), Error> {
        let mut fields = Fields::default();
        if self.read_to_file(&mut fields).await?.is_some() {
            return Err(invalid("a form uploads one file"));
        }
        if let Some(text) = &fields.cache_control {
            intent.object.cache_control = max_age(text)?;
        }
        if let Some(metadata) = fields.user_metadata {
            let kept = intent.object.user_metadata.get_or_insert_default();
            // What the platform put there stays.
            for (key, value) in metadata {
                kept.entry(key).or_insert(value);
            }
        }
        Ok(())
    }
}

/// Fields about the file.
#[derive(Debug, Default)]
struct Fields {
    cache_control: Option<String>,
    content_type: Option<String>,
    user_metadata: Option<Map<String, Value>>,
}

impl Fields {
    /// Reads a field that is not the file; ones that are not known are skipped.
    async fn read(&mut self, field: Field<'static>) -> Result<(), Error> {
        match field.name() {
            Some("cacheControl") => self.cache_control = Some(text(field).await?),
            Some("contentType") => self.content_type = Some(text(field).await?),
            Some("metadata" | "userMetadata") => {
                self.user_metadata = Some(user_metadata::from_json(&text(field).await?)?);
            }
            Some(_) | None => drop(text(field).await?),
        }
        Ok(())
    }

    fn particulars(
        self,
        file: &Field<'static>,
        announced_size: Option<u64>,
    ) -> Result<Particulars, Error> {
        let of_part = file.headers().get(CONTENT_TYPE);
        let of_part = of_part.and_then(|value| value.to_str().ok());
        let mime = self.content_type.as_deref().or(of_part);
        Ok(Particulars {
            mime: MimeType::parse(mime.unwrap_or_default())?,
            cache_control: match self.cache_control {
                Some(text) => max_age(&text)?,
                None => NO_CACHE.to_owned(),
            },
            user_metadata: self.user_metadata,
            announced_size,
        })
    }
}

/// The field `cacheControl` holds seconds.
fn max_age(text: &str) -> Result<String, Error> {
    cache_control(&format!("max-age={}", text.trim()))
}

fn is_file(field: &Field<'_>) -> bool {
    field.file_name().is_some() || matches!(field.name(), None | Some("" | "file"))
}

async fn text(mut field: Field<'static>) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.next().await {
        bytes.extend_from_slice(&chunk.map_err(body_error)?);
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(invalid("a field of the form is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid("a field of the form is not UTF-8"))
}

fn body_error(error: multer::Error) -> BodyError {
    let multer::Error::StreamReadFailed(cause) = error else {
        return BodyError::Malformed(Box::new(error));
    };
    match cause.downcast::<BodyError>() {
        Ok(error) => *error,
        Err(cause) => BodyError::Incomplete(cause),
    }
}

fn invalid(problem: &str) -> Error {
    Error::InvalidRequest(problem.to_owned())
}
