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
use crate::config::{DescriptionMode, FunctionName};
use crate::error::{ApiError, Error};
use crate::execute::execute_one;
use crate::plan::Access;
use crate::request::media_type::MediaType;
use crate::request::query::{self, Unreserved};
use crate::request::target::Target;
use crate::request::{Action, Answer, ApiRequest, Invocation};
use crate::response::openapi;
use crate::schema_cache::SchemaCache;
use crate::sql::Sql;

/// What a role may use of a schema, or all there is.
const ACCESSIBLE: &str = include_str!("../schema_cache/queries/accessible.sql");

#[derive(Debug, Deserialize)]
struct Accessible {
    /// The comment on the schema.
    about: Option<String>,
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// Makes a request for the description one for the function that answers in its place.
pub(super) fn call_in_its_place(
    request: &mut ApiRequest,
    root: &FunctionName,
    answer: Answer,
) -> Result<(), ApiError> {
    request.query = query::parse("", Unreserved::FilterOrArgument)?;
    request.target = Target::Function(root.name.clone());
    request.action = Action::Call(Invocation::Read(answer));
    if let Some(schema) = &root.schema {
        request.schema.clone_from(schema);
    }
    for media in &mut request.accepts {
        if *media == MediaType::OpenApi {
            *media = MediaType::Json;
        }
    }
    Ok(())
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
    let description = &app.config.description;
    let all = match description.mode {
        DescriptionMode::Disabled => return Err(ApiError::DescriptionDisabled.into()),
        DescriptionMode::FollowPrivileges => "false",
        DescriptionMode::IgnorePrivileges => "true",
    };
    let mut sql = Sql::default();
    sql.bind_all(ACCESSIBLE, [request.schema.as_str(), all]);
    let value = execute_one(app, asked, Access::ReadOnly, sql).await?;
    let value = value.ok_or(Error::Shape("no list of what is accessible"))?;
    let accessible: Accessible =
        serde_json::from_slice(&value).map_err(|_| Error::Shape("what is accessible"))?;
    let shown = openapi::Shown {
        cache: schema,
        schema: &request.schema,
        about: accessible.about.as_deref(),
        tables: &accessible.tables,
        functions: &accessible.functions,
        url: &description.url,
        security: description.security,
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
