//! `POST /api/v1/sql/query`: statements of an administrator.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::StatusCode;
use pg::roles;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::tables;
use crate::access::Caller;
use crate::app::App;
use crate::console::{self, Script, ScriptError, StatementResult, Writes};
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
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    caller.require_admin()?;
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
    match ran {
        Ok(done) => {
            let total = done.results.iter().map(|result| result.rows_affected);
            Ok(Json(SqlResponse {
                success: true,
                is_read_only: done.is_read_only,
                total_execution_time: took.as_secs_f64(),
                total_rows_affected: total.sum(),
                results: done.results,
            })
            .into_response())
        }
        Err(error) => refused(error),
    }
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
