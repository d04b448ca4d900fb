//! `/v1/projects/{ref}/…`: as much of Supabase's management API as its command line needs to deploy
//! functions without bundling them itself, to list, download and delete them, and to set secrets.
//! There is one project here; any `ref` is its name.

mod deploy;
mod error;
mod functions;
mod response;
mod secrets;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::AppState;
use crate::domain::code::MAX_BYTES;

pub(super) fn router() -> Router<Arc<AppState>> {
    // What surrounds files in a form is small beside them.
    let most = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    Router::new()
        .route(
            "/{reference}/functions",
            get(functions::list).put(functions::confirm),
        )
        .route("/{reference}/functions/deploy", post(deploy::deploy))
        .route(
            "/{reference}/functions/{slug}",
            get(functions::show).delete(functions::delete),
        )
        .route("/{reference}/functions/{slug}/body", get(functions::body))
        .route(
            "/{reference}/secrets",
            get(secrets::list)
                .post(secrets::put)
                .delete(secrets::delete),
        )
        .layer(DefaultBodyLimit::max(most.saturating_mul(2)))
}
