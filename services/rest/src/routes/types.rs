//! `GET /types.ts`: the exposed schemas as TypeScript.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use pg::pipeline::Statement;

use crate::access::Caller;
use crate::app::App;
use crate::config::DescriptionMode;
use crate::error::{ApiError, Error};
use crate::execute::snapshot::execute_in_snapshot;
use crate::response::typescript::{self, Described};
use crate::schema_cache::own_keys;
use crate::sql::array_literal;

/// What a role may use, or all there is, with its types.
const DESCRIBED: &str = include_str!("../schema_cache/queries/described.sql");
const FOREIGN_KEYS: &str = include_str!("../schema_cache/queries/foreign_keys.sql");
const VIEW_COLUMNS: &str = include_str!("../schema_cache/queries/view_columns.sql");

/// The types of what the description at the root has.
pub(crate) async fn get_types(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    let schemas = &app.config.schemas;
    let all = match app.config.description.mode {
        DescriptionMode::Disabled => return Err(ApiError::DescriptionDisabled.into()),
        DescriptionMode::FollowPrivileges => "false",
        DescriptionMode::IgnorePrivileges => "true",
    };
    let listed = array_literal(schemas);
    let statements = [
        Statement::new(DESCRIBED).bind(listed.as_str()).bind(all),
        Statement::new(FOREIGN_KEYS).bind_null(),
        Statement::new(VIEW_COLUMNS)
            .bind(listed.as_str())
            .bind_null(),
    ];
    let answers = execute_in_snapshot(&app, (&caller, &parts), statements).await?;
    let [Some(described), Some(keys), Some(columns)] = answers else {
        return Err(Error::Shape("nothing described"));
    };
    let unread = |_| Error::Shape("what is described");
    let described: Described = serde_json::from_slice(&described).map_err(unread)?;
    let keys = own_keys(&keys, &columns).map_err(unread)?;
    let document = typescript::document(&described, &keys, schemas);
    let headers = [
        (CONTENT_TYPE, "application/typescript; charset=utf-8"),
        (
            CONTENT_DISPOSITION,
            "inline; filename=\"database.types.ts\"",
        ),
    ];
    Ok((headers, document).into_response())
}
