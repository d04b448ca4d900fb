//! `/api/v1/functions`: what there is of functions, for administrators.

mod checks;
mod environment;
mod executions;
mod functions;
mod logs;
mod metrics;
mod tail;
mod templates;
mod triggers;
mod versions;
mod webhooks;

pub(super) use environment::{PutRequest, put_of_project};
pub(super) use functions::delete::delete_function;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

use super::AppState;
use crate::domain::code::MAX_BYTES;
use crate::error::ApiError;

/// The routes under `/api/v1`.
#[rustfmt::skip]
pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/functions", get(functions::list::list_functions).post(functions::create::create_function))
        .route("/functions/lint", post(checks::lint))
        .route("/functions/validate", post(checks::validate))
        .route("/functions/templates", get(templates::list_templates))
        .route("/functions/templates/{template}", get(templates::show_template))
        .route("/functions/{id}", get(functions::show::show_function)
            .put(functions::update::update_function).patch(functions::update::update_function)
            .delete(delete_function))
        .route("/functions/{id}/versions", get(versions::list::list_versions))
        .route("/functions/{id}/versions/{version}", get(versions::show::show_version))
        .route("/functions/{id}/versions/{version}/diff", get(versions::diff::diff_version))
        .route("/functions/{id}/rollback", post(versions::roll_back::roll_back))
        .route("/functions/env", get(environment::list_of_project)
            .post(put_of_project).put(put_of_project))
        .route("/functions/env/{key}", delete(environment::delete_of_project))
        .route("/functions/{id}/env", get(environment::list_of_function)
            .post(environment::put_of_function).put(environment::put_of_function))
        .route("/functions/{id}/env/{key}", delete(environment::delete_of_function))
        .route("/functions/{id}/triggers", get(triggers::list_triggers))
        .route("/functions/{id}/dead-letters", get(triggers::list_dead_letters))
        .route("/functions/{id}/dead-letters/retry", post(triggers::retry_all))
        .route("/functions/{id}/dead-letters/{event}", delete(triggers::delete_one))
        .route("/functions/{id}/dead-letters/{event}/retry", post(triggers::retry_one))
        .route("/webhooks", get(webhooks::list_webhooks).post(webhooks::create_webhook))
        .route("/webhooks/{id}", get(webhooks::show_webhook).put(webhooks::update_webhook)
            .delete(webhooks::delete_webhook))
        .route("/webhooks/{id}/deliveries", get(webhooks::list_deliveries))
        .route("/webhooks/ingest/{function}", post(webhooks::ingest::ingest))
        .route("/functions/{id}/logs", get(logs::list_logs))
        .route("/functions/{id}/logs/stream", get(tail::tail_logs))
        .route("/functions/{id}/executions", get(executions::list_executions))
        .route("/functions/{id}/executions/{execution}", get(executions::show_execution))
        .route("/functions/{id}/metrics", get(metrics::show_metrics))
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(usize::try_from(MAX_BYTES).unwrap_or(usize::MAX)))
}

async fn no_route() -> ApiError {
    ApiError::NotFound("route")
}
