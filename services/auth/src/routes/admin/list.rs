//! `GET /admin/users?page=…&per_page=…&filter=…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::pages::{Page, PageQuery};
use crate::actions::caller::Admin;
use crate::app::App;
use crate::error::Result;
use crate::routes::requests::given;
use crate::store;
use crate::store::users::UserPage;
use crate::wire::UserResponse;

#[derive(Deserialize)]
pub(crate) struct ListUsersQuery {
    page: Option<String>,
    per_page: Option<String>,
    filter: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct ListUsersResponse {
    users: Vec<UserResponse>,
    aud: String,
}

/// A page of users, the newest first; `Link` and `X-Total-Count` tell of the others.
pub(crate) async fn list_users(
    State(app): State<Arc<App>>,
    _: Admin,
    Query(query): Query<ListUsersQuery>,
) -> Result<(HeaderMap, Json<ListUsersResponse>)> {
    let page = Page::read(PageQuery {
        page: query.page,
        per_page: query.per_page,
    })?;
    let selected = UserPage {
        offset: page.offset(),
        limit: page.limit,
        filter: given(query.filter).filter(|filter| !filter.contains('\0')),
    };
    let mut connection = app.pool.acquire().await?;
    let users = store::users::list(&mut connection, &selected).await?;
    let count = store::users::count(&mut connection, selected.filter.as_deref()).await?;
    let headers = page.headers("/admin/users", count)?;
    let response = ListUsersResponse {
        users: users.into_iter().map(UserResponse::from).collect(),
        aud: app.rules.audience.clone(),
    };
    Ok((headers, Json(response)))
}
