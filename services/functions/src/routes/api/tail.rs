//! What a function prints, as it prints it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use pg::sqlx::postgres::PgPool;
use serde::Deserialize;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::logs::{self, LogFilter};

/// How often Postgres is asked: it knows the lines of every node.
const LOOK: Duration = Duration::from_millis(300);
const MOST_AT_ONCE: i64 = 500;

#[derive(Deserialize)]
pub(super) struct Parameters {
    after: Option<i64>,
}

/// `GET /functions/{name}/logs/stream`: server-sent events named `log`, from now on, or from behind
/// the id in `after` or `Last-Event-ID`.
pub(super) async fn tail_logs(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let function = state.name_of(&name).await?;
    let resumed = headers.get("last-event-id");
    let resumed = resumed.and_then(|id| id.to_str().ok()?.parse().ok());
    let after = match parameters.after.or(resumed) {
        Some(after) => after,
        None => logs::newest(&state.pool).await?,
    };
    let filter = LogFilter {
        function,
        after: Some(after),
        limit: MOST_AT_ONCE,
        ..LogFilter::default()
    };
    let events = stream::unfold((state.pool.clone(), filter), next).flatten();
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// The lines since the last time, once there are some.
async fn next(
    (pool, mut filter): (PgPool, LogFilter),
) -> Option<(
    impl Stream<Item = Result<Event, Infallible>>,
    (PgPool, LogFilter),
)> {
    loop {
        // An outage is sat out: the client would only ask again.
        let lines = logs::list(&pool, &filter).await.unwrap_or_default();
        if let Some(last) = lines.last() {
            filter.after = Some(last.id);
            let events: Vec<_> = lines
                .iter()
                .filter_map(|line| {
                    let event = Event::default().event("log").id(line.id.to_string());
                    event.json_data(line).ok().map(Ok)
                })
                .collect();
            return Some((stream::iter(events), (pool, filter)));
        }
        tokio::time::sleep(LOOK).await;
    }
}
