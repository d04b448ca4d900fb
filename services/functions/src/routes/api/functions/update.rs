//! `PUT /functions/{id} {description?, code?, files?, entry?, is_active?, verify_jwt?}`: what is left
//! out stays. Other code is another version.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::response::FunctionResponse;
use super::{Files, show};
use crate::checks::Looks;
use crate::deployer::Deployment;
use crate::domain::FunctionName;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::functions::FunctionChange;

#[derive(Deserialize)]
pub(in crate::routes::api) struct UpdateFunctionRequest {
    description: Option<String>,
    is_active: Option<bool>,
    verify_jwt: Option<bool>,
    #[serde(default)]
    check_types: bool,
    #[serde(flatten)]
    files: Files,
}

pub(in crate::routes::api) async fn update_function(
    admin: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Result<Json<UpdateFunctionRequest>, JsonRejection>,
) -> Result<Json<FunctionResponse>, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let row = state.function(&id).await?;
    let change = FunctionChange {
        description: request.description,
        is_active: request.is_active,
        verify_jwt: request.verify_jwt,
    };
    let mut diagnostics = Vec::new();
    if request.files.is_empty() {
        state
            .deployer
            .registry
            .change(row.id, None, &change)
            .await?;
        state.catalog.refresh().await;
    } else {
        let name = FunctionName::parse(&row.name).ok_or(ApiError::NotFound("function"))?;
        let before = state.deployer.registry.code(row.id, row.version).await?;
        let code = request.files.into_code(&name, before)?;
        let deployment = Deployment {
            name: &name,
            code: &code,
            created_by: &admin.name,
            change,
            looks: Looks {
                lint: true,
                types: request.check_types,
            },
        };
        (_, diagnostics) = Box::pin(state.deployer.deploy(deployment)).await?;
    }
    let mut response = show::read(&state, &row.id.to_string()).await?;
    response.diagnostics = diagnostics;
    Ok(Json(response))
}
