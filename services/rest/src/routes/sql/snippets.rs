//! `/api/v1/sql/snippets`: statements that administrators keep under a name.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::tables::Administration;
use super::super::tables::json;
use super::answer;
use crate::app::App;
use crate::error::{ApiError, Error};
use crate::plan::Access;
use crate::sql::Sql;

const NAME_CHARS: usize = 100;
const CODE_CHARS: usize = 100_000;

const LIST: &str = "
    select coalesce(jsonb_agg(to_jsonb(s) order by s.name, s.id), '[]')::text
      from selfdb.sql_snippets s
     where s.is_shared or s.created_by is not distinct from nullif($1, '')";

const CREATE: &str = "
    insert into selfdb.sql_snippets as s (created_by, name, sql_code, description, is_shared)
    select nullif($1, ''), w.name, w.sql_code, w.description, coalesce(w.is_shared, false)
      from jsonb_to_record($2::jsonb)
           as w(name text, sql_code text, description text, is_shared boolean)
    returning to_jsonb(s)::text";

const UPDATE: &str = "
    update selfdb.sql_snippets s
       set name = coalesce(w.name, s.name), sql_code = coalesce(w.sql_code, s.sql_code),
           description = coalesce(w.description, s.description),
           is_shared = coalesce(w.is_shared, s.is_shared), updated_at = now()
      from jsonb_to_record($2::jsonb)
           as w(name text, sql_code text, description text, is_shared boolean)
     where s.created_by is not distinct from nullif($1, '') and s.id::text = lower($3)
    returning to_jsonb(s)::text";

const DELETE: &str = "
    delete from selfdb.sql_snippets s
     where s.created_by is not distinct from nullif($1, '') and s.id::text = lower($2)
    returning s.id::text";

/// A snippet to keep, or what is to change of one: what is not given stays.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SnippetRequest {
    name: Option<String>,
    sql_code: Option<String>,
    description: Option<String>,
    is_shared: Option<bool>,
}

impl SnippetRequest {
    /// Reads what `body` says and finds its lengths right.
    async fn read(app: &App, body: Body) -> Result<Self, Error> {
        let wanted: Self = json(app, body).await?;
        let lengths = [
            ("name", &wanted.name, NAME_CHARS),
            ("sql_code", &wanted.sql_code, CODE_CHARS),
        ];
        for (field, value, most) in lengths {
            let chars = value.as_ref().map(|value| value.chars().count());
            if chars.is_some_and(|chars| chars == 0 || chars > most) {
                let reason = format!("{field} has from 1 to {most} characters");
                return Err(ApiError::Body(reason).into());
            }
        }
        Ok(wanted)
    }

    fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error::Shape("a snippet"))
    }
}

/// The caller's own snippets and those that are shared.
pub(crate) async fn list_snippets(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, _) = Administration::of(app, request)?;
    let mut sql = Sql::default();
    sql.bind_all(LIST, [administration.subject().as_str()]);
    let snippets = administration.ask(Access::ReadOnly, sql).await?;
    let snippets = snippets.ok_or(Error::Shape("snippets"))?;
    Ok(answer(StatusCode::OK, snippets))
}

/// Keeps a snippet, which is the caller's.
pub(crate) async fn create_snippet(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(app, request)?;
    let wanted = SnippetRequest::read(&administration.app, body).await?;
    if wanted.name.is_none() || wanted.sql_code.is_none() {
        return Err(ApiError::Body("A snippet needs name and sql_code".to_owned()).into());
    }
    let values = [administration.subject(), wanted.to_json()?];
    let mut sql = Sql::default();
    sql.bind_all(CREATE, values.iter().map(String::as_str));
    let kept = administration.ask(Access::ReadWrite, sql).await?;
    let kept = kept.ok_or(Error::Shape("a snippet"))?;
    Ok(answer(StatusCode::CREATED, kept))
}

/// Changes a snippet of the caller's own.
pub(crate) async fn update_snippet(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(app, request)?;
    let wanted = SnippetRequest::read(&administration.app, body).await?;
    let values = [administration.subject(), wanted.to_json()?, id.clone()];
    let mut sql = Sql::default();
    sql.bind_all(UPDATE, values.iter().map(String::as_str));
    let changed = administration.ask(Access::ReadWrite, sql).await?;
    let changed = changed.ok_or(Error::NoRow(id))?;
    Ok(answer(StatusCode::OK, changed))
}

/// Drops a snippet of the caller's own.
pub(crate) async fn delete_snippet(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (administration, _) = Administration::of(app, request)?;
    let values = [administration.subject(), id.clone()];
    let mut sql = Sql::default();
    sql.bind_all(DELETE, values.iter().map(String::as_str));
    let dropped = administration.ask(Access::ReadWrite, sql).await?;
    dropped.ok_or(Error::NoRow(id))?;
    Ok(StatusCode::NO_CONTENT)
}
