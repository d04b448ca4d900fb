//! Buckets and files in SelfDB's own dialect, as thin translations onto the same store and the same
//! policies.

mod buckets;
mod caller;
mod files;
mod urls;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post, put};
use serde::Deserialize;

use crate::app::App;
use crate::error::in_selfdb_dialect;

/// What is under `/api/v1`.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/buckets", get(buckets::list).post(buckets::create))
        .route("/buckets/public", get(buckets::list_public))
        .route(
            "/buckets/{bucket}",
            get(buckets::get)
                .put(buckets::update)
                .delete(buckets::delete),
        )
        .route("/buckets/{bucket}/files", get(files::list_in_bucket))
        .route("/files", get(files::list))
        .route("/files/initiate-upload", post(files::initiate_upload))
        .route("/files/{id}", put(files::update).delete(files::delete))
        .route("/files/{id}/download-info", get(files::download_info))
        .route("/files/{id}/view-info", get(files::view_info))
        .route(
            "/files/public/{id}/download-info",
            get(files::public_download_info),
        )
        .route("/files/public/{id}/view-info", get(files::public_view_info))
        .layer(map_response(in_selfdb_dialect))
}

/// How many entries a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// The most entries a page has.
const MAX_LIMIT: u32 = 1000;

/// Which page of a list.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    skip: u32,
    limit: Option<u32>,
}

impl Page {
    /// The limit and the offset of the query.
    fn bounds(&self) -> (i64, i64) {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        (limit.into(), self.skip.into())
    }
}
