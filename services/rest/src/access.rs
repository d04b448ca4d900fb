//! Who asks: the bearer token becomes a role and claims, which Postgres enforces.

use std::sync::Arc;

use http::HeaderMap;
use pg::roles;
use serde_json::json;

use crate::app::App;
use crate::error::{Error, TokenFailure};

/// The one who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub role: String,
    /// `request.jwt.claims`.
    pub claims: Arc<str>,
    /// Whether this is more than the anonymous role.
    pub authenticated: bool,
    /// Whether administration is open: the service role, or a superuser of the platform.
    pub admin: bool,
}

impl Caller {
    /// Reads and verifies the bearer token.
    pub(crate) fn of(app: &App, headers: &HeaderMap) -> Result<Self, TokenFailure> {
        let anon = app.config.anon_role.as_deref();
        let Some(token) = jwt::bearer(headers)? else {
            let role = anon.ok_or(TokenFailure::Required)?;
            return Ok(Self {
                role: role.to_owned(),
                claims: json!({ "role": role }).to_string().into(),
                authenticated: false,
                admin: false,
            });
        };
        let identity = app.verifier.verify(token)?;
        Ok(Self {
            authenticated: anon != Some(identity.role.as_str()),
            role: identity.role.clone(),
            claims: Arc::clone(&identity.claims_json),
            admin: identity.is_admin(),
        })
    }

    /// Refuses whoever administration is not open to.
    pub(crate) fn require_admin(&self) -> Result<(), Error> {
        if self.admin {
            return Ok(());
        }
        Err(Error::AdminOnly {
            authenticated: self.authenticated,
        })
    }

    /// The same caller with the rights of administration; `None` where they are not open to it.
    pub(crate) fn as_service(&self) -> Option<Self> {
        self.admin.then(|| Self {
            role: roles::SERVICE_ROLE.to_owned(),
            ..self.clone()
        })
    }
}
