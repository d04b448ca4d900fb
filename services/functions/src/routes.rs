//! The routes of the service.

mod admin;
mod api;
mod health;
mod invocation;
mod management;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};
use common::Secret;
use jwt::Verifier;
use pg::sqlx::postgres::PgPool;
use tokio::sync::Notify;

use crate::catalog::Catalog;
use crate::deployer::Deployer;
use crate::domain::{FunctionName, Limits};
use crate::error::ApiError;
use crate::invoker::Invoker;
use crate::store::functions::{self, FunctionRow};
use crate::vault::Vault;

/// What handlers work with.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) invoker: Invoker,
    pub(crate) deployer: Deployer,
    pub(crate) pool: PgPool,
    /// `None` where no key is set.
    pub(crate) vault: Option<Vault>,
    /// Has the queue looked at.
    pub(crate) wake: Arc<Notify>,
    pub(crate) verifier: Verifier,
    /// What the command line of Supabase shows in the place of a token, where it may.
    pub(crate) access_token: Option<Secret>,
    /// Of every function that says nothing else.
    pub(crate) limits: Limits,
}

impl AppState {
    /// The name of the function that a path names by its name or id. It need not exist any more:
    /// its past is still asked for.
    async fn name_of(&self, text: &str) -> Result<String, ApiError> {
        match FunctionName::parse(text) {
            Some(name) => Ok(name.as_str().to_owned()),
            None => Ok(self.function(text).await?.name),
        }
    }

    /// What secrets are sealed with.
    fn vault(&self) -> Result<&Vault, ApiError> {
        self.vault.as_ref().ok_or(ApiError::NoKey)
    }

    /// The function that a path names by its name or id.
    async fn function(&self, text: &str) -> Result<FunctionRow, ApiError> {
        let found = functions::find(&self.pool, text).await?;
        found.ok_or(ApiError::NotFound("function"))
    }
}

/// Functions by name, and the platform's own routes beside them. No function's name is one of
/// those (`FunctionName`).
pub(crate) fn router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/health", get(health::show_health))
        .nest("/api/v1", api::router())
        .nest("/v1/projects", management::router())
        .route("/{name}", any(invocation::invoke::invoke_function))
        .route("/{name}/", any(invocation::invoke::invoke_function))
        .route("/{name}/{*path}", any(invocation::invoke::invoke_function))
        .fallback(invocation::invoke::no_function)
        .with_state(state)
}
