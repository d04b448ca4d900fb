//! `GET /admin/users?page=…&per_page=…&filter=…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::actions::caller::Admin;
use crate::app::App;
use crate::error::{Error, Result};
use crate::routes::requests::given;
use crate::routes::responses::UserResponse;
use crate::store;
use crate::store::users::UserPage;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
const PER_PAGE: i64 = 50;
const MAX_PER_PAGE: i64 = 1_000;

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
    let page = number(query.page, 1, 0, i64::from(u32::MAX))?;
    let per_page = number(query.per_page, PER_PAGE, 1, i64::MAX)?.min(MAX_PER_PAGE);
    let selected = UserPage {
        offset: (page - 1).max(0) * per_page,
        limit: per_page,
        filter: given(query.filter).filter(|filter| !filter.contains('\0')),
    };
    let mut connection = app.pool.acquire().await?;
    let users = store::users::list(&mut connection, &selected).await?;
    let count = store::users::count(&mut connection, selected.filter.as_deref()).await?;
    let mut headers = HeaderMap::new();
    headers.insert(TOTAL_COUNT, HeaderValue::from(count));
    let link = HeaderValue::try_from(link(page, per_page, count)).map_err(Error::internal)?;
    headers.insert(LINK, link);
    let response = ListUsersResponse {
        users: users.into_iter().map(UserResponse::from).collect(),
        aud: app.rules.audience.clone(),
    };
    Ok((headers, Json(response)))
}

/// A number that was sent, from `min` to `max`.
fn number(text: Option<String>, default: i64, min: i64, max: i64) -> Result<i64> {
    let Some(text) = given(text) else {
        return Ok(default);
    };
    let number: Option<i64> = text.parse().ok();
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| Error::validation(format!("Bad Pagination Parameters: {text:?}")))
}

/// The `Link` header. Clients take what follows the first `=` for the page: it comes first.
fn link(page: i64, per_page: i64, count: i64) -> String {
    let last = (count + per_page - 1) / per_page;
    let to = |page: i64, relation: &str| {
        format!("</admin/users?page={page}&per_page={per_page}>; rel=\"{relation}\"")
    };
    if last > page {
        format!("{}, {}", to(page + 1, "next"), to(last, "last"))
    } else {
        to(last, "last")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_the_next_page_and_the_last() {
        assert_eq!(
            link(1, 2, 5),
            "</admin/users?page=2&per_page=2>; rel=\"next\", \
             </admin/users?page=3&per_page=2>; rel=\"last\""
        );
        assert_eq!(
            link(3, 2, 5),
            "</admin/users?page=3&per_page=2>; rel=\"last\""
        );
    }
}
