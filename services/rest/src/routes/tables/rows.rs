//! Rows written by `/api/v1/tables/{table}/data`, for any key, under row-level security.
//! Translations onto the resource of the same name.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;

use super::super::resource::{parse, plan, read_body};
use super::{quoted, visible};
use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, CacheError, Error};
use crate::execute::execute;
use crate::request::query::encode;
use crate::response::respond;
use crate::schema_cache::table::Table;

const OBJECT: HeaderValue = HeaderValue::from_static("application/vnd.pgrst.object+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const WRITTEN: HeaderValue = HeaderValue::from_static("return=representation");

/// Which column says which row it is.
#[derive(Debug, Deserialize)]
pub(crate) struct RowQuery {
    /// The primary key where it is not given.
    id_column: Option<String>,
}

/// Inserts one row, an object, or several.
pub(crate) async fn create_rows(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    let body = read_body(&Method::POST, body, app.config.max_body_bytes).await?;
    let one = body.trim_ascii_start().starts_with(b"{");
    let schema = app.schema()?;
    let table = visible(&schema, &caller, &table)?;
    let path = format!("/{}", encode(&table.name.name));
    translate(&mut parts, Method::POST, &path)?;
    if !one {
        parts.headers.insert(ACCEPT, JSON);
    }
    perform(&app, (&caller, &parts), &body).await
}

/// Changes the row that `id` names.
pub(crate) async fn update_row(
    State(app): State<Arc<App>>,
    Path((table, id)): Path<(String, String)>,
    Query(wanted): Query<RowQuery>,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    let body = read_body(&Method::PUT, body, app.config.max_body_bytes).await?;
    let schema = app.schema()?;
    let table = visible(&schema, &caller, &table)?;
    let path = row_path(table, &id, &wanted)?;
    translate(&mut parts, Method::PATCH, &path)?;
    let performed = perform(&app, (&caller, &parts), &body).await;
    performed.map_err(|error| of_row(error, id))
}

/// Deletes the row that `id` names.
pub(crate) async fn delete_row(
    State(app): State<Arc<App>>,
    Path((table, id)): Path<(String, String)>,
    Query(wanted): Query<RowQuery>,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    let schema = app.schema()?;
    let table = visible(&schema, &caller, &table)?;
    let path = row_path(table, &id, &wanted)?;
    translate(&mut parts, Method::DELETE, &path)?;
    let performed = perform(&app, (&caller, &parts), &Bytes::new()).await;
    performed.map_err(|error| of_row(error, id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Makes `parts` the request for one row itself, written and shown.
fn translate(parts: &mut Parts, method: Method, path: &str) -> Result<(), ApiError> {
    parts.method = method;
    parts.uri = Uri::try_from(path).map_err(|_| ApiError::Path)?;
    parts.headers.remove("content-profile");
    parts.headers.insert(CONTENT_TYPE, JSON);
    parts.headers.insert(ACCEPT, OBJECT);
    parts.headers.insert("prefer", WRITTEN);
    Ok(())
}

/// That there is no single row is, where none was found, that there is none of this id.
fn of_row(error: Error, id: String) -> Error {
    if matches!(error, Error::Api(ApiError::NotSingular { rows: 0 })) {
        Error::NoRow(id)
    } else {
        error
    }
}

async fn perform(
    app: &App,
    (caller, parts): (&Caller, &Parts),
    body: &Bytes,
) -> Result<Response, Error> {
    let schema = app.schema()?;
    let request = parse(app, &schema, parts, body)?;
    let plan = plan(app, &schema, &request)?;
    let outcome = execute(app, &schema, (caller, parts), &request, &plan).await?;
    respond(&request, &plan, outcome, app.config.max_rows)
}

fn row_path(table: &Table, id: &str, wanted: &RowQuery) -> Result<String, Error> {
    let ids = (&wanted.id_column, table.primary_key.as_slice());
    let ((Some(column), _) | (None, [column])) = ids else {
        return Err(ApiError::Query {
            message: "The row cannot be found".to_owned(),
            details: "id_column is needed: the primary key is not one column".to_owned(),
        }
        .into());
    };
    if table.column(column).is_none() {
        return Err(CacheError::NoColumn {
            table: table.name.name.clone(),
            column: column.clone(),
        }
        .into());
    }
    let (column, name) = (quoted(column), &table.name.name);
    Ok(format!(
        "/{}?{}=eq.{}",
        encode(name),
        encode(&column),
        encode(id)
    ))
}
