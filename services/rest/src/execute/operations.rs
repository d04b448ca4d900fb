//! Several operations, one after the other in one transaction: `POST /tx`.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use pg::pipeline::{Access, Batch, OpenTransaction, Statement};

use super::once::{Failure, is_stale};
use super::{IMMEDIATE, Prepared, context};
use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, DatabaseError, Error, TransactionError};
use crate::idempotency::KeptAnswer;
use crate::plan::{Limits, Plan};
use crate::request::operation::{Operation, Results};
use crate::request::preferences::TransactionEnd;
use crate::request::{Action, ApiRequest, Rules};
use crate::response::respond;
use crate::schema_cache::SchemaCache;

/// What is to be done, all or nothing.
pub(crate) struct Operations<'a> {
    pub list: &'a [Operation],
    /// The request that carries them.
    pub parts: &'a Parts,
    pub schema: &'a SchemaCache,
    /// Whether it lasts.
    pub end: TransactionEnd,
}

impl Operations<'_> {
    /// Does one after the other, up to the first that fails.
    pub(super) async fn run(
        &self,
        app: &App,
        caller: &Caller,
        transaction: &mut OpenTransaction,
    ) -> Result<Response, Failure> {
        let mut results = Results::new(app.config.max_body_bytes);
        for (index, operation) in self.list.iter().enumerate() {
            let done = self.perform(app, caller, transaction, (operation, &results));
            let kept = done.await.and_then(|answer| Ok(results.add(&answer)?));
            match kept {
                Ok(()) => {}
                Err(Failure::Database(error)) if is_stale(&error) => {
                    return Err(Failure::Database(error));
                }
                Err(Failure::Database(error)) => {
                    let error = DatabaseError::of_pipeline(error, caller.authenticated);
                    return Err(Failure::Ours(error.at(index)));
                }
                Err(Failure::Ours(error)) => return Err(Failure::Ours(error.at(index))),
            }
        }
        if self.end == TransactionEnd::Rollback {
            let checks = Batch::read_write().then(Statement::new(IMMEDIATE));
            transaction
                .run(&context(caller, self.parts), &checks)
                .await?;
        }
        let mut response = Response::new(Body::from(results.into_text()));
        *response.status_mut() = StatusCode::OK;
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Ok(response)
    }

    fn parse(&self, app: &App, parts: &Parts, body: &Bytes) -> Result<ApiRequest, ApiError> {
        let rules = Rules {
            schemas: &app.config.schemas,
            transaction: app.config.transaction.choice,
            is_timezone: &|zone| self.schema.timezones.contains(zone),
        };
        ApiRequest::parse(parts, body, &rules)
    }

    async fn perform(
        &self,
        app: &App,
        caller: &Caller,
        transaction: &mut OpenTransaction,
        (operation, results): (&Operation, &Results),
    ) -> Result<KeptAnswer, Failure> {
        let body = operation.body(results)?;
        let parts = operation.parts(self.parts)?;
        let request = self.parse(app, &parts, &body)?;
        if matches!(request.action, Action::Info | Action::Inspect(_)) {
            return Err(TransactionError::Operation("it names no table and no function").into());
        }
        let limits = Limits {
            end: TransactionEnd::Commit,
            ..app.limits()
        };
        let plan = Plan::new(&request, self.schema, limits)?;
        if request.preferences.transaction.is_some() {
            let reason = "Prefer: tx=… is for the whole transaction";
            return Err(TransactionError::Operation(reason).into());
        }
        let mut prepared = Prepared::new(app, self.schema, (caller, &parts), &request, &plan);
        // A transaction that was made read-only remains so.
        prepared.batch.access = Access::ReadWrite;
        let ran = transaction.run(&prepared.context, &prepared.batch).await?;
        let outcome = prepared.outcome(&plan, &ran)?;
        let response = respond(&request, &plan, outcome, app.config.max_rows)?;
        Ok(KeptAnswer::of(response).await?)
    }
}

impl Error {
    /// This error as that of the operation `index`.
    fn at(self, index: usize) -> Self {
        Self::Operation {
            index,
            error: Box::new(self),
        }
    }
}
