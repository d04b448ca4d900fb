//! The routes. Tables, views and functions are not known here: everything that is no route of the
//! platform's own names one of them.

mod resource;
mod root;
mod tables;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use pg::RoleRules;

use crate::live::Live;

/// All routes, without the gateway's prefix. Those of the platform are not on an operator's own
/// database.
pub(crate) fn router(live: Live, rules: RoleRules) -> Router {
    let own = match rules {
        RoleRules::Platform => platform(),
        RoleRules::Operator => Router::new(),
    };
    own.fallback(resource::handle)
        .layer(DefaultBodyLimit::disable())
        .with_state(live)
}

fn platform() -> Router<Live> {
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
}
