//! The routes. Tables, views and functions are not known here: everything that is no route of the
//! platform's own names one of them.

mod resource;
mod root;
mod tables;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use crate::app::App;

/// All routes, without the gateway's prefix.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(
            "/api/v1/tables",
            get(tables::list_tables).post(tables::create_table),
        )
        .route(
            "/api/v1/tables/{table}",
            get(tables::get_table)
                .put(tables::update_table)
                .delete(tables::delete_table),
        )
        .route("/api/v1/tables/{table}/data", get(tables::list_rows))
        .fallback(resource::handle)
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}
