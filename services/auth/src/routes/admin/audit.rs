//! `GET /admin/audit?page=…&per_page=…&query=…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::pages::{Page, PageQuery};
use crate::actions::caller::Admin;
use crate::app::App;
use crate::error::{Error, Result};
use crate::routes::requests::given;
use crate::store;
use crate::store::audit::{AuditFilter, AuditRow};

#[derive(Deserialize)]
pub(crate) struct AuditQuery {
    page: Option<String>,
    per_page: Option<String>,
    query: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AuditResponse {
    id: Uuid,
    payload: Value,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    ip_address: String,
}

impl From<AuditRow> for AuditResponse {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            payload: row.payload,
            created_at: row.created_at,
            ip_address: row.ip_address,
        }
    }
}

/// A page of what happened, the latest first. `query` is `column:text`: `author:ada`,
/// `action:login`, `type:token`.
pub(crate) async fn list_audit_entries(
    State(app): State<Arc<App>>,
    _: Admin,
    Query(query): Query<AuditQuery>,
) -> Result<(HeaderMap, Json<Vec<AuditResponse>>)> {
    let page = Page::read(PageQuery {
        page: query.page,
        per_page: query.per_page,
    })?;
    let filter = given(query.query).map(|text| filter(&text)).transpose()?;
    let mut connection = app.pool.acquire().await?;
    let rows =
        store::audit::list(&mut connection, filter.as_ref(), page.limit, page.offset()).await?;
    let count = store::audit::count(&mut connection, filter.as_ref()).await?;
    let headers = page.headers("/admin/audit", count)?;
    Ok((
        headers,
        Json(rows.into_iter().map(AuditResponse::from).collect()),
    ))
}

fn filter(text: &str) -> Result<AuditFilter> {
    let bad = || {
        Error::validation(format!(
            "bad audit query {text:?}: use author:, action: or type:"
        ))
    };
    let (column, wanted) = text.split_once(':').ok_or_else(bad)?;
    if wanted.contains('\0') {
        return Err(bad());
    }
    let wanted = wanted.to_owned();
    match column {
        "author" => Ok(AuditFilter::Author(wanted)),
        "action" => Ok(AuditFilter::Action(wanted)),
        "type" => Ok(AuditFilter::Type(wanted)),
        _ => Err(bad()),
    }
}
