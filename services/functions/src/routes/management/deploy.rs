//! `POST /v1/projects/{ref}/functions/deploy?slug=…`: a form with the JSON `metadata` and each file
//! under its path. Also with `bundleOnly`: what is deployed serves at once here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{Query, State};
use http::StatusCode;
use serde::Deserialize;

use super::error::ManagementError;
use super::response::FunctionResponse;
use crate::checks::Looks;
use crate::deployer::Deployment;
use crate::domain::FunctionName;
use crate::domain::code::{self, Code};
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::functions::FunctionChange;

#[derive(Deserialize)]
pub(super) struct Parameters {
    slug: Option<String>,
}

/// The part `metadata`; what else the command line says in it is of no use here.
#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
    entrypoint_path: String,
    /// Empty where there is none.
    import_map_path: Option<String>,
    verify_jwt: Option<bool>,
}

pub(super) async fn deploy(
    admin: Admin,
    State(state): State<Arc<AppState>>,
    Query(parameters): Query<Parameters>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<FunctionResponse>), ManagementError> {
    let form = form.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let (metadata, code) = read(form).await?;
    let slug = parameters.slug.or(metadata.name).unwrap_or_default();
    let name = FunctionName::parse(&slug)
        .ok_or_else(|| ApiError::Invalid(format!("{slug:?} is no function's name")))?;
    let deployment = Deployment {
        name: &name,
        code: &code,
        created_by: &admin.name,
        change: FunctionChange {
            is_active: Some(true),
            verify_jwt: metadata.verify_jwt,
            ..FunctionChange::default()
        },
        looks: Looks {
            lint: false,
            types: false,
        },
    };
    let (id, _) = Box::pin(state.deployer.deploy(deployment)).await?;
    let row = state.function(&id.to_string()).await?;
    let response = FunctionResponse::new(&state, row);
    Ok((StatusCode::CREATED, Json(response)))
}

async fn read(mut form: Multipart) -> Result<(Metadata, Code), ApiError> {
    let unreadable = |error: axum::extract::multipart::MultipartError| {
        ApiError::Invalid(format!("the form cannot be read: {}", error.body_text()))
    };
    let mut metadata: Option<Metadata> = None;
    let mut files = BTreeMap::new();
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        match (field.name(), field.file_name().map(str::to_owned)) {
            (Some("metadata"), _) => {
                let text = field.bytes().await.map_err(unreadable)?;
                let read = serde_json::from_slice(&text);
                let refused = |error| ApiError::Invalid(format!("metadata: {error}"));
                metadata = Some(read.map_err(refused)?);
            }
            (Some("file"), Some(path)) => {
                let path = code::path(&path)?;
                files.insert(path, field.bytes().await.map_err(unreadable)?);
            }
            _ => {}
        }
    }
    let metadata = metadata.ok_or_else(|| ApiError::Invalid("there is no metadata".to_owned()))?;
    let entry = code::path(&metadata.entrypoint_path)?;
    let mut code = Code {
        entry,
        import_map: None,
        files,
    };
    let import_map = metadata.import_map_path.as_deref().unwrap_or_default();
    if !import_map.is_empty() {
        code = code.with_import_map(code::path(import_map)?);
    }
    code.check()?;
    Ok((metadata, code))
}
