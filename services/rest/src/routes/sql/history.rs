//! `GET /api/v1/sql/history`: what administrators ran by `/api/v1/sql/query`.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::tables::Administration;
use super::answer;
use crate::app::App;
use crate::error::{ApiError, Error};
use crate::plan::Access;
use crate::sql::Sql;

const MOST: u16 = 1000;

const LIST: &str = "
    select jsonb_build_object('history', coalesce(jsonb_agg(to_jsonb(h) order by h.id desc), '[]'))::text
      from (select * from selfdb.sql_history
             where user_id is not distinct from nullif($1, '')
             order by id desc limit $2::int) h";

/// How many.
#[derive(Debug, Deserialize)]
pub(crate) struct HistoryQuery {
    #[serde(default = "limit")]
    limit: u16,
}

fn limit() -> u16 {
    100
}

/// What was run.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub query: &'a str,
    pub success: bool,
    pub is_read_only: bool,
    /// In seconds.
    pub execution_time: f64,
    pub row_count: u64,
    pub error: Option<String>,
    pub user_id: Option<String>,
}

/// What the caller ran, the latest first.
pub(crate) async fn list_history(
    State(app): State<Arc<App>>,
    Query(wanted): Query<HistoryQuery>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, _) = Administration::of(app, request)?;
    if wanted.limit == 0 || wanted.limit > MOST {
        return Err(Error::from(ApiError::Query {
            message: "The history cannot be read".to_owned(),
            details: format!("limit is from 1 to {MOST}"),
        }));
    }
    let values = [administration.subject(), wanted.limit.to_string()];
    let mut sql = Sql::default();
    sql.bind_all(LIST, values.iter().map(String::as_str));
    let history = administration.ask(Access::ReadOnly, sql).await?;
    let history = history.ok_or(Error::Shape("a history"))?;
    Ok(answer(StatusCode::OK, history))
}

/// Keeps what was run. Where that fails, the statements were run all the same.
pub(super) async fn keep(administration: &Administration, entry: &Entry<'_>) -> Result<(), Error> {
    let entry = serde_json::to_string(entry).map_err(|_| Error::Shape("an entry"))?;
    let mut sql = Sql::default();
    sql.push("select selfdb.keep_sql_history(")
        .bind(entry)
        .push("::jsonb)");
    administration.ask(Access::ReadWrite, sql).await.map(drop)
}
