//! The routes. Tables, views and functions are not known here: everything that is no route of the
//! platform's own names one of them.

mod page;
mod resource;
mod root;
mod schema;
mod sql;
mod tables;
mod transaction;
mod types;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use pg::RoleRules;

use crate::live::Live;

/// All routes, without the gateway's prefix. Those of the platform are not on an operator's own
/// database.
pub(crate) fn router(live: Live, rules: RoleRules) -> Router {
    let mut own = match rules {
        RoleRules::Platform => platform(),
        RoleRules::Operator => Router::new(),
    };
    if live.app().config.operations.enabled {
        // Other methods mean a table of that name.
        let run = post(transaction::run_transaction).fallback(resource::handle);
        own = own.route("/tx", run);
    }
    own.fallback(resource::handle)
        .layer(DefaultBodyLimit::disable())
        .with_state(live)
}

fn platform() -> Router<Live> {
    Router::new()
        .route("/types.ts", get(types::get_types))
        .route("/-/", get(page::get_page))
        .route("/-/page.js", get(page::get_script))
        .route("/-/page.css", get(page::get_style))
        .route("/api/v1/sql/query", post(sql::run_sql))
        .route("/api/v1/sql/history", get(sql::list_history))
        .route(
            "/api/v1/sql/snippets",
            get(sql::list_snippets).post(sql::create_snippet),
        )
        .route(
            "/api/v1/sql/snippets/{id}",
            put(sql::update_snippet).delete(sql::delete_snippet),
        )
        .route("/api/v1/schema", get(schema::get_schema))
        .route(
            "/api/v1/schema/visualization",
            get(schema::get_schema_graph),
        )
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
        .route("/api/v1/tables/{table}/sql", get(tables::get_table_sql))
        .route(
            "/api/v1/tables/{table}/columns",
            post(tables::create_column),
        )
        .route(
            "/api/v1/tables/{table}/columns/{column}",
            put(tables::update_column).delete(tables::delete_column),
        )
        .route(
            "/api/v1/tables/{table}/data",
            get(tables::list_rows).post(tables::create_rows),
        )
        .route(
            "/api/v1/tables/{table}/data/{id}",
            put(tables::update_row).delete(tables::delete_row),
        )
}
