//! A table, a view, a function, or the root.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::root;
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;
use crate::execute::once::execute_once;
use crate::execute::stream::stream;
use crate::execute::work::Work;
use crate::execute::{Prepared, execute};
use crate::idempotency::{Claim, IdempotencyKey};
use crate::plan::{Access, Plan, call, find_table};
use crate::request::preferences::TransactionEnd;
use crate::request::target::Target;
use crate::request::{Action, ApiRequest, Rules};
use crate::response::respond;
use crate::schema_cache::routine::Volatility;
use crate::schema_cache::table::Table;
use crate::schema_cache::{QualifiedName, SchemaCache};
use crate::sql::lines::lines;
use crate::standalone::access_log;
use crate::timing::Stages;

/// Answers any request that is no route of its own.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, request)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn answer(app: &App, request: Request) -> Result<Response, Error> {
    let mut stages = Stages::begin(app.config.server.timing);
    let (parts, body) = request.into_parts();
    let caller = Caller::of(app, &parts.headers)?;
    access_log::note_role(&caller.role);
    stages.end("jwt");
    let schema = app.schema()?;
    let body = read_body(&parts.method, body, app.config.max_body_bytes).await?;
    let mut request = parse(app, &schema, &parts, &body)?;
    if let (Action::Inspect(answer), Some(root)) = (request.action, &app.config.description.root) {
        root::call_in_its_place(&mut request, root, answer)?;
    }
    stages.end("parse");
    let mut response = match request.action {
        Action::Info => info(&schema, &request)?,
        Action::Inspect(answer) => {
            root::inspect(app, &schema, (&caller, &parts), &request, answer).await?
        }
        Action::Read(_)
        | Action::Create
        | Action::Update
        | Action::Upsert
        | Action::Delete
        | Action::Call(_) => {
            let plan = plan(app, &schema, &request)?;
            stages.end("plan");
            if plan.access == Access::ReadWrite
                && plan.end == TransactionEnd::Commit
                && let Some(key) = IdempotencyKey::of(&parts.headers)?
            {
                let claim = Claim::new(&key, &caller, (&parts, &body));
                let asked = (&caller, &parts);
                let work = Work::One {
                    prepared: Box::new(Prepared::new(app, &schema, asked, &request, &plan)),
                    request: &request,
                    plan: &plan,
                };
                return execute_once(app, asked, &work, Some(&claim)).await;
            }
            let asked = (&caller, &parts);
            if let Some(lines) = lines(&plan) {
                let (outcome, spool) =
                    stream(app, &schema, asked, (&request, &plan), lines).await?;
                stages.end("transaction");
                let head = respond(&request, &plan, outcome, app.config.max_rows)?;
                let body = spool.into_body().await?;
                head.map(|_| body)
            } else {
                let outcome = execute(app, &schema, asked, &request, &plan).await?;
                stages.end("transaction");
                respond(&request, &plan, outcome, app.config.max_rows)?
            }
        }
    };
    stages.end("response");
    stages.tell(response.headers_mut());
    Ok(response)
}

/// The first stage, by the rules of this server.
pub(super) fn parse(
    app: &App,
    schema: &SchemaCache,
    parts: &Parts,
    body: &Bytes,
) -> Result<ApiRequest, Error> {
    let rules = Rules {
        schemas: &app.config.schemas,
        transaction: app.config.transaction.choice,
        is_timezone: &|zone| schema.timezones.contains(zone),
    };
    Ok(ApiRequest::parse(parts, body, &rules)?)
}

/// The second stage, by the rules of this server.
pub(super) fn plan(app: &App, schema: &SchemaCache, request: &ApiRequest) -> Result<Plan, Error> {
    Plan::new(request, schema, app.limits())
}

/// The body of a method that has one, in memory, up to `limit` bytes.
pub(super) async fn read_body(method: &Method, body: Body, limit: usize) -> Result<Bytes, Error> {
    if !matches!(*method, Method::POST | Method::PATCH | Method::PUT) {
        return Ok(Bytes::new());
    }
    // What is announced as too long is not even begun.
    let announced = body.size_hint().lower();
    if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
        return Err(Error::BodyTooLarge(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge(limit)),
        Err(_) => Err(Error::BodyLost),
    }
}

fn info(schema: &SchemaCache, request: &ApiRequest) -> Result<Response, Error> {
    let allow = match &request.target {
        Target::Root => "OPTIONS,GET,HEAD".to_owned(),
        Target::Relation(name) => methods(find_table(schema, &request.schema, name)?),
        Target::Function(name) => {
            let name = QualifiedName::new(&request.schema, name);
            let overloads = schema.routines_named(&name);
            if overloads.is_empty() {
                return Err(call::unknown(schema, &name).into());
            }
            if overloads
                .iter()
                .any(|routine| routine.volatility != Volatility::Volatile)
            {
                "OPTIONS,GET,HEAD,POST".to_owned()
            } else {
                "OPTIONS,POST".to_owned()
            }
        }
    };
    let mut headers = HeaderMap::new();
    if let Ok(allow) = HeaderValue::try_from(allow) {
        headers.insert(http::header::ALLOW, allow);
    }
    Ok(headers.into_response())
}

fn methods(table: &Table) -> String {
    let keyed = !table.primary_key.is_empty();
    let allowed = [
        (true, "OPTIONS,GET,HEAD"),
        (table.writable.insert, "POST"),
        (
            table.writable.insert && table.writable.update && keyed,
            "PUT",
        ),
        (table.writable.update, "PATCH"),
        (table.writable.delete, "DELETE"),
    ];
    let allowed: Vec<&str> = allowed
        .into_iter()
        .filter_map(|(may, method)| may.then_some(method))
        .collect();
    allowed.join(",")
}
