//! `POST /functions/lint` and `/functions/validate`: what is wrong with code that is not deployed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};

use super::functions::Files;
use crate::checks::Looks;
use crate::domain::FunctionName;
use crate::domain::diagnostic::Diagnostic;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;

#[derive(Deserialize)]
pub(super) struct CheckRequest {
    name: Option<String>,
    #[serde(flatten)]
    files: Files,
}

#[derive(Serialize)]
pub(super) struct CheckResponse {
    /// Whether it can be deployed.
    valid: bool,
    diagnostics: Vec<Diagnostic>,
}

type Request = Result<Json<CheckRequest>, JsonRejection>;

/// Parses and lints; checks that every import can be found.
pub(super) async fn lint(
    _: Admin,
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Json<CheckResponse>, ApiError> {
    let looks = Looks {
        lint: true,
        types: false,
    };
    check(&state, request, looks).await
}

/// The same, with the types.
pub(super) async fn validate(
    _: Admin,
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Json<CheckResponse>, ApiError> {
    let looks = Looks {
        lint: true,
        types: true,
    };
    check(&state, request, looks).await
}

async fn check(
    state: &AppState,
    request: Request,
    looks: Looks,
) -> Result<Json<CheckResponse>, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let name = request.name.as_deref().unwrap_or("function");
    let name = FunctionName::parse(name);
    let name = name.ok_or_else(|| ApiError::Invalid("the name is no function's".to_owned()))?;
    let code = request.files.into_code(&name, None)?;
    let diagnostics = state.deployer.look(&code, looks).await?;
    Ok(Json(CheckResponse {
        valid: !diagnostics.iter().any(Diagnostic::is_error),
        diagnostics,
    }))
}
