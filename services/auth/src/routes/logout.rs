//! `POST /logout?scope=…`.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use crate::actions::caller::Caller;
use crate::actions::sign_out::{Scope, sign_out};
use crate::app::App;
use crate::domain::session::Client;
use crate::error::{Error, Result};

#[derive(Deserialize)]
pub(super) struct LogOutQuery {
    scope: Option<String>,
}

/// Signs the caller out: everywhere unless `scope` says `local` or `others`.
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    Query(query): Query<LogOutQuery>,
    caller: Caller,
    client: Client,
) -> Result<StatusCode> {
    let scope = match query.scope.as_deref() {
        None | Some("" | "global") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        Some(other) => {
            return Err(Error::validation(format!(
                "Unsupported logout scope {other:?}"
            )));
        }
    };
    sign_out(&app, &client, &caller, scope).await?;
    Ok(StatusCode::NO_CONTENT)
}
