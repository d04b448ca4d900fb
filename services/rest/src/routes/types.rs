//! `GET /types.ts`: the exposed schemas as TypeScript.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::access::Caller;
use crate::app::App;
use crate::config::DescriptionMode;
use crate::error::{ApiError, Error};
use crate::execute::execute_one;
use crate::plan::Access;
use crate::response::typescript::{self, Described};
use crate::sql::{Sql, array_literal};

/// What a role may use, or all there is, with its types.
const DESCRIBED: &str = include_str!("../schema_cache/queries/described.sql");

/// The types of what the description at the root has.
pub(crate) async fn get_types(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    let schema = app.schema()?;
    let schemas = &app.config.schemas;
    let all = match app.config.description.mode {
        DescriptionMode::Disabled => return Err(ApiError::DescriptionDisabled.into()),
        DescriptionMode::FollowPrivileges => "false",
        DescriptionMode::IgnorePrivileges => "true",
    };
    let mut sql = Sql::default();
    sql.bind_all(DESCRIBED, [array_literal(schemas).as_str(), all]);
    let value = execute_one(&app, (&caller, &parts), Access::ReadOnly, sql).await?;
    let value = value.ok_or(Error::Shape("nothing described"))?;
    let described: Described =
        serde_json::from_slice(&value).map_err(|_| Error::Shape("what is described"))?;
    let document = typescript::document(&described, &schema, schemas);
    let headers = [
        (CONTENT_TYPE, "application/typescript; charset=utf-8"),
        (
            CONTENT_DISPOSITION,
            "inline; filename=\"database.types.ts\"",
        ),
    ];
    Ok((headers, document).into_response())
}
