//! `POST /tx`: several operations, all or nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;

use super::resource::read_body;
use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, Error, TransactionError};
use crate::execute::once::execute_once;
use crate::execute::operations::Operations;
use crate::execute::work::Work;
use crate::idempotency::{Claim, IdempotencyKey};
use crate::request::operation;
use crate::request::preferences::{Handling, Preferences, TransactionEnd};
use crate::standalone::access_log;

/// How long a whole transaction may take; its connection and locks are held meanwhile.
const LONGEST: Duration = Duration::from_mins(1);

/// Does a list of operations in one transaction, as the caller.
pub(crate) async fn run_transaction(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    access_log::note_role(&caller.role);
    let schema = app.schema()?;
    let body = read_body(&parts.method, body, app.config.max_body_bytes).await?;
    let list = operation::parse(&body, app.config.operations.max_operations)?;
    let is_timezone = |zone: &str| schema.timezones.contains(zone);
    let transaction = &app.config.transaction;
    let preferences = Preferences::from_headers(&parts.headers, transaction.choice, is_timezone);
    if preferences.handling == Some(Handling::Strict) && !preferences.invalid.is_empty() {
        return Err(ApiError::Preferences(preferences.invalid).into());
    }
    let end = preferences.transaction.unwrap_or(transaction.end);
    let key = IdempotencyKey::of(&parts.headers)?.filter(|_| end == TransactionEnd::Commit);
    let claim = key.map(|key| Claim::new(&key, &caller, (&parts, &body)));
    let work = Work::Many(Operations {
        list: &list,
        parts: &parts,
        schema: &schema,
        end,
    });
    let done = execute_once(&app, (&caller, &parts), &work, claim.as_ref());
    // Given up half-way it is undone with its connection.
    match tokio::time::timeout(LONGEST, done).await {
        Ok(done) => done,
        Err(_) => Err(TransactionError::TooLong(LONGEST.as_secs()).into()),
    }
}
