//! Who administers functions. Their code holds the service role's key, so that to deploy one is to
//! have it: the service role, or a user who is a superuser.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::AppState;
use crate::access::identify;
use crate::error::ApiError;

/// An administrator's request: handlers that take this refuse all others.
#[derive(Debug)]
pub(crate) struct Admin {
    /// The user's id, or the role of a key.
    pub(crate) name: String,
}

impl FromRequestParts<Arc<AppState>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        if let Some(wanted) = &state.access_token
            && let Ok(Some(token)) = jwt::bearer(&parts.headers)
            && wanted.matches(token)
        {
            let name = "access token".to_owned();
            return Ok(Self { name });
        }
        let identity = identify(&state.verifier, &parts.headers)?;
        if !identity.is_admin() {
            return Err(ApiError::Forbidden);
        }
        let name = identity.subject.clone();
        Ok(Self {
            name: name.unwrap_or_else(|| identity.role.clone()),
        })
    }
}
