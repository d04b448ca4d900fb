//! `GET /api/v1/tables/{table}/data`: the rows page by page, for any key, under row-level
//! security. A translation onto the resource of the same name.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};
use serde::Deserialize;
use serde_json::json;

use super::super::resource::{parse, plan};
use super::view::columns;
use super::{quoted, visible};
use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, Error};
use crate::execute::{Outcome, execute};
use crate::request::query::encode;
use crate::schema_cache::table::Table;

const MAX_PAGE_SIZE: u32 = 1000;

/// Which rows.
#[derive(Debug, Deserialize)]
pub(crate) struct ListRowsQuery {
    /// From 1.
    #[serde(default = "first_page")]
    page: u32,
    #[serde(default = "page_size")]
    page_size: u32,
    /// `column`, `column:asc` or `column:desc`.
    order_by: Option<String>,
    filter_column: Option<String>,
    filter_value: Option<String>,
}

fn first_page() -> u32 {
    1
}

fn page_size() -> u32 {
    100
}

/// A page of rows and how many there are.
pub(crate) async fn list_rows(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    Query(wanted): Query<ListRowsQuery>,
    request: Request,
) -> Result<Response, Error> {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    let schema = app.schema()?;
    let table = visible(&schema, &caller, &table)?;
    translate(&mut parts, table, &wanted)?;
    let request = parse(&app, &schema, &parts, &Bytes::new())?;
    let plan = plan(&app, &schema, &request)?;
    let outcome = execute(&app, &schema, (&caller, &parts), &request, &plan).await?;
    Ok(page(table, &wanted, &outcome))
}

/// Makes `parts` the request for the rows themselves.
fn translate(parts: &mut Parts, table: &Table, wanted: &ListRowsQuery) -> Result<(), ApiError> {
    let bad = |details: &str| ApiError::Query {
        message: "The page cannot be read".to_owned(),
        details: details.to_owned(),
    };
    if wanted.page == 0 {
        return Err(bad("page counts from 1"));
    }
    if wanted.page_size == 0 || wanted.page_size > MAX_PAGE_SIZE {
        return Err(bad("page_size is from 1 to 1000"));
    }
    let offset = u64::from(wanted.page - 1) * u64::from(wanted.page_size);
    let mut query = format!("limit={}&offset={offset}", wanted.page_size);
    if let Some(order) = &wanted.order_by {
        let (column, direction) = order.split_once(':').unwrap_or((order, "asc"));
        if !matches!(direction, "asc" | "desc") {
            return Err(bad("order_by is column, column:asc or column:desc"));
        }
        let column = quoted(column);
        let _ = write!(query, "&order={}.{direction}", encode(&column));
    }
    match (&wanted.filter_column, &wanted.filter_value) {
        (Some(column), Some(value)) => {
            let column = quoted(column);
            let _ = write!(query, "&{}=eq.{}", encode(&column), encode(value));
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            return Err(bad("filter_column and filter_value go together"));
        }
    }
    let path = format!("/{}?{query}", encode(&table.name.name));
    parts.uri = Uri::try_from(path).map_err(|_| ApiError::Path)?;
    parts.headers.remove("range");
    parts.headers.remove("accept-profile");
    let prefer = HeaderValue::from_static("count=exact");
    parts.headers.insert("prefer", prefer);
    parts
        .headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(())
}

/// `{data, metadata}`. The rows are the bytes that Postgres wrote.
fn page(table: &Table, wanted: &ListRowsQuery, outcome: &Outcome) -> Response {
    let total = outcome.total.unwrap_or(outcome.rows);
    let size = i64::from(wanted.page_size);
    let metadata = json!({
        "total_count": total,
        "page": wanted.page,
        "page_size": wanted.page_size,
        "total_pages": total.saturating_add(size - 1) / size,
        "columns": columns(table),
    });
    let mut body = Vec::with_capacity(outcome.body.len() + 1024);
    body.extend_from_slice(b"{\"data\":");
    body.extend_from_slice(&outcome.body);
    body.extend_from_slice(b",\"metadata\":");
    body.extend_from_slice(metadata.to_string().as_bytes());
    body.push(b'}');
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = headers;
    response
}
