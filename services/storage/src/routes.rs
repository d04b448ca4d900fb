//! What is served. The gateway strips `/storage/v1`; `/api/v1` stays.

mod bucket;
mod cdn;
mod extract;
mod object;
mod render;
pub(crate) mod s3;
mod tus;
mod v1;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::app::App;

/// The service's routes.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/bucket", get(bucket::list).post(bucket::create))
        .route(
            "/bucket/{bucket}",
            get(bucket::get).put(bucket::update).delete(bucket::delete),
        )
        .route("/bucket/{bucket}/empty", post(bucket::empty))
        .merge(objects())
        .merge(render::router())
        .merge(tus::router())
        .merge(s3::router())
        .route("/cdn", delete(cdn::purge_all))
        .route("/cdn/", delete(cdn::purge_all))
        .route("/cdn/{bucket}", delete(cdn::purge_bucket))
        .route("/cdn/{bucket}/{*key}", delete(cdn::purge_object))
        .nest("/api/v1", v1::router())
        .route("/status", get(|| async { StatusCode::OK }))
        .route("/version", get(|| async { env!("CARGO_PKG_VERSION") }))
        .fallback(unknown_route)
        // Bodies are read by handlers, each against a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// GET routes of objects serve HEAD too.
fn objects() -> Router<App> {
    Router::new()
        .route("/object/copy", post(object::copy))
        .route("/object/move", post(object::rename))
        .route("/object/list/{bucket}", post(object::list))
        .route("/object/list-v2/{bucket}", post(object::list_v2))
        .route("/object/sign/{bucket}", post(object::sign_many))
        .route(
            "/object/sign/{bucket}/{*key}",
            get(object::get_signed).post(object::sign),
        )
        .route(
            "/object/upload/sign/{bucket}/{*key}",
            post(object::sign_upload).put(object::upload_signed),
        )
        .route("/object/public/{bucket}/{*key}", get(object::get_public))
        .route(
            "/object/authenticated/{bucket}/{*key}",
            get(object::get_authenticated),
        )
        .route("/object/info/{bucket}/{*key}", get(object::info))
        .route(
            "/object/info/public/{bucket}/{*key}",
            get(object::info_public),
        )
        .route(
            "/object/info/authenticated/{bucket}/{*key}",
            get(object::info_authenticated),
        )
        .route("/object/{bucket}", delete(object::delete_many))
        .route(
            "/object/{bucket}/{*key}",
            get(object::get)
                .post(object::create)
                .put(object::update)
                .delete(object::delete),
        )
}

async fn unknown_route() -> Response {
    let body = json!({
        "statusCode": "404",
        "error": "Not Found",
        "message": "there is no such route",
        "code": "NotFound",
    });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
