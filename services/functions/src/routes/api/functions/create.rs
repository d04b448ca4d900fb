//! `POST /functions {name, description?, code, files?, entry?, is_active?, verify_jwt?}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use http::StatusCode;
use serde::Deserialize;

use super::response::FunctionResponse;
use super::{Files, show};
use crate::checks::Looks;
use crate::deployer::Deployment;
use crate::domain::FunctionName;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::functions::{self, FunctionChange};

#[derive(Deserialize)]
pub(in crate::routes::api) struct CreateFunctionRequest {
    name: String,
    description: Option<String>,
    is_active: Option<bool>,
    verify_jwt: Option<bool>,
    /// Whether types are checked as well.
    #[serde(default)]
    check_types: bool,
    #[serde(flatten)]
    files: Files,
}

pub(in crate::routes::api) async fn create_function(
    admin: Admin,
    State(state): State<Arc<AppState>>,
    request: Result<Json<CreateFunctionRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<FunctionResponse>), ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let name = FunctionName::parse(&request.name).ok_or_else(|| {
        ApiError::Invalid(
            "a function's name has letters, digits, - and _, begins with a letter, and is none of the platform's own".to_owned(),
        )
    })?;
    if functions::find(&state.pool, name.as_str()).await?.is_some() {
        return Err(ApiError::Conflict(format!(
            "there is a function {name} already"
        )));
    }
    let code = request.files.into_code(&name, None)?;
    let deployment = Deployment {
        name: &name,
        code: &code,
        created_by: &admin.name,
        change: FunctionChange {
            description: request.description,
            is_active: request.is_active,
            verify_jwt: request.verify_jwt,
        },
        looks: Looks {
            lint: true,
            types: request.check_types,
        },
    };
    let (id, diagnostics) = Box::pin(state.deployer.deploy(deployment)).await?;
    let mut response = show::read(&state, &id.to_string()).await?;
    response.diagnostics = diagnostics;
    Ok((StatusCode::CREATED, Json(response)))
}
