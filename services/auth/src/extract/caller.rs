//! Who asks, by the bearer token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::actions::caller::{self, Admin, Caller};
use crate::app::App;
use crate::error::Error;

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let identity = caller::identity(app, &parts.headers)?;
        caller::caller(app, &identity).await
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let identity = caller::identity(app, &parts.headers)?;
        caller::admin(app, &identity).await
    }
}
