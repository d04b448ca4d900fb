use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::transfer::{TransferRequest, check_fits};
use super::upload::{cache_control, overwrite, user_metadata};
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::config::Limits;
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, ObjectMetadata};
use crate::error::Error;
use crate::routes::extract::JsonBody;
use crate::uploads::{Intent, Source, Uploads};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CopyObjectRequest {
    #[serde(flatten)]
    transfer: TransferRequest,
    copy_metadata: Option<bool>,
    #[serde(default)]
    metadata: NewMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewMetadata {
    cache_control: Option<String>,
    mimetype: Option<String>,
}

/// Makes a copy that belongs to the caller.
pub(crate) async fn copy(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(uploads): State<Uploads>,
    State(limits): State<Limits>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<CopyObjectRequest>,
) -> Result<Json<Value>, Error> {
    let transfer = request.transfer.parse()?;
    let (bucket, key) = &transfer.from;
    let source = authoriser.visible(&caller, bucket, key).await?;
    let destination = authoriser.limits_of(&transfer.to.0).await?;
    check_fits(&source, &destination, limits)?;
    let (version, mut metadata) = source.stored().ok_or(Error::NoSuchKey)?;
    let mut kept = source.user_metadata;
    if request.copy_metadata == Some(false) {
        kept = user_metadata(&headers)?;
        request.metadata.apply(&mut metadata)?;
    }
    let full_path = transfer.destination();
    let intent = Intent {
        object: NewObject {
            id: uploads.new_id(),
            bucket: transfer.to.0,
            key: transfer.to.1,
            owner_id: caller.subject().map(str::to_owned),
            mime: MimeType::parse(&metadata.mimetype)?,
            cache_control: metadata.cache_control.clone(),
            user_metadata: kept,
        },
        caller,
        overwrite: overwrite(&headers),
        announced_size: Some(metadata.size),
        expected_etag: None,
    };
    let source = Source {
        version,
        metadata,
        sha256: source.sha256,
    };
    let id = uploads.copy(&intent, source).await?;
    Ok(Json(json!({ "Id": id, "Key": full_path })))
}

impl NewMetadata {
    fn apply(self, metadata: &mut ObjectMetadata) -> Result<(), Error> {
        if let Some(text) = self.mimetype {
            MimeType::parse(&text)?
                .as_str()
                .clone_into(&mut metadata.mimetype);
        }
        if let Some(text) = self.cache_control {
            metadata.cache_control = cache_control(&text)?;
        }
        Ok(())
    }
}
