//! The root: what the API offers to the role that asks, as OpenAPI.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use crate::access::Caller;
use crate::app::App;
use crate::error::{ApiError, Error};
use crate::execute::execute_one;
use crate::plan::Access;
use crate::request::media_type::MediaType;
use crate::request::{Answer, ApiRequest};
use crate::response::openapi;
use crate::schema_cache::SchemaCache;
use crate::sql::Sql;

/// What a role may use of a schema.
const ACCESSIBLE: &str = include_str!("../schema_cache/queries/accessible.sql");

#[derive(Debug, Deserialize)]
struct Accessible {
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// `GET /`.
pub(super) async fn inspect(
    app: &App,
    schema: &SchemaCache,
    asked: (&Caller, &Parts),
    request: &ApiRequest,
    answer: Answer,
) -> Result<Response, Error> {
    let offered = [MediaType::OpenApi, MediaType::Json, MediaType::Any];
    if !request.accepts.iter().any(|media| offered.contains(media)) {
        let names: Vec<String> = request.accepts.iter().map(ToString::to_string).collect();
        return Err(ApiError::MediaType(names.join(", ")).into());
    }
    let mut sql = Sql::default();
    sql.bind_all(ACCESSIBLE, [request.schema.as_str()]);
    let value = execute_one(app, asked, Access::ReadOnly, sql).await?;
    let value = value.ok_or(Error::Shape("no list of what is accessible"))?;
    let accessible: Accessible =
        serde_json::from_slice(&value).map_err(|_| Error::Shape("what is accessible"))?;
    let shown = openapi::Shown {
        cache: schema,
        schema: &request.schema,
        tables: &accessible.tables,
        functions: &accessible.functions,
        url: &app.config.public_url,
    };
    let body = match answer {
        Answer::Body => Body::from(shown.document().to_string()),
        Answer::HeadersOnly => Body::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let content = HeaderValue::from_static("application/openapi+json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content);
    Ok(response)
}
