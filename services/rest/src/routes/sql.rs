//! `/api/v1/sql`: statements of an administrator, run, kept under a name, and remembered.

mod history;
mod snippets;

pub(super) use history::list_history;
pub(super) use snippets::{create_snippet, delete_snippet, list_snippets, update_snippet};

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use history::Entry;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use pg::roles;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::tables::{self, Administration};
use crate::app::App;
use crate::console::{self, Done, Script, ScriptError, StatementResult, Writes};
use crate::error::{ApiError, DatabaseError, Error};

/// What is to be run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunSqlRequest {
    query: String,
    /// Whether Postgres shall refuse every write.
    #[serde(default)]
    read_only: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct SqlResponse {
    success: bool,
    /// Whether nothing was written.
    is_read_only: bool,
    results: Vec<StatementResult>,
    /// In seconds.
    total_execution_time: f64,
    total_rows_affected: u64,
}

/// Runs the statements in one transaction, for administration. Who ran what is logged, the
/// statements by their digest: they may hold secrets.
pub(crate) async fn run_sql(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(Arc::clone(&app), request)?;
    let caller = &administration.caller;
    let wanted: RunSqlRequest = tables::json(&app, body).await?;
    let writes = if wanted.read_only {
        Writes::Refused
    } else {
        Writes::Allowed
    };
    let script = Script {
        text: &wanted.query,
        role: roles::SERVICE_ROLE,
        claims: &caller.claims,
        writes,
        max_bytes: app.config.max_body_bytes,
    };
    let began = Instant::now();
    let ran = console::run(&app.config.service.connect_options(), &script).await;
    let took = began.elapsed();
    let digest = Sha256::digest(&wanted.query);
    tracing::info!(
        target: "rest::audit",
        subject = caller.subject(),
        statements_sha256 = format!("{:x}", Bytes::copy_from_slice(&digest)),
        read_only = wanted.read_only,
        success = ran.is_ok(),
        duration_ms = took.as_millis(),
        "statements were run"
    );
    let entry = Entry {
        query: &wanted.query,
        success: ran.is_ok(),
        is_read_only: ran
            .as_ref()
            .map_or(wanted.read_only, |done| done.is_read_only),
        execution_time: took.as_secs_f64(),
        row_count: ran.as_ref().map_or(0, Done::rows_affected),
        error: ran.as_ref().err().map(ScriptError::public_message),
        user_id: caller.subject(),
    };
    // The statements were run, whether that is remembered or not.
    if let Err(error) = history::keep(&administration, &entry).await {
        let chain = common::error::chain(&error);
        tracing::warn!(error = %chain, "the history of SQL could not be written");
    }
    match ran {
        Ok(done) => Ok(Json(SqlResponse {
            success: true,
            is_read_only: done.is_read_only,
            total_execution_time: took.as_secs_f64(),
            total_rows_affected: done.rows_affected(),
            results: done.results,
        })
        .into_response()),
        Err(error) => refused(error),
    }
}

/// JSON that Postgres wrote.
fn answer(status: StatusCode, json: Bytes) -> Response {
    let content_type = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], json).into_response()
}

/// What Postgres says, with where in the text it says it.
fn refused(error: ScriptError) -> Result<Response, Error> {
    let (error, position) = match error {
        ScriptError::Refused { refusal, position } => {
            let error = Error::from(DatabaseError::Refused(refusal));
            (error, position)
        }
        ScriptError::TooLong => return Err(DatabaseError::too_slow(true)),
        ScriptError::Unsupported(_) => {
            let reason = "The statements cannot be run here: COPY needs a connection of its own";
            return Err(ApiError::Body(reason.to_owned()).into());
        }
        ScriptError::Away(error) => return Err(error.into()),
    };
    let status = error.status();
    let mut body = error.body();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("success".to_owned(), json!(false));
        fields.insert("position".to_owned(), json!(position));
    }
    // A fault of a statement is not one of ours.
    let status = if status.is_server_error() {
        StatusCode::BAD_REQUEST
    } else {
        status
    };
    Ok((status, Json(body)).into_response())
}
