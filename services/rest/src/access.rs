//! Who asks: the bearer token becomes a role and claims, which Postgres enforces.

use std::sync::Arc;

use http::HeaderMap;
use jwt::{BearerError, postgrest};
use pg::{RoleRules, roles};
use serde_json::json;

use crate::app::App;
use crate::error::{Error, TokenFailure};

/// Who says whether a token is believed.
#[derive(Debug)]
pub(crate) enum Authority {
    /// The platform, which administration is open in.
    Platform(jwt::Verifier),
    /// The operator of a database of their own.
    Operator(postgrest::Verifier),
    /// Nobody: there is no key.
    None,
}

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
    /// Whose the roles are.
    pub rules: RoleRules,
}

impl Caller {
    /// Reads and verifies the bearer token.
    pub(crate) fn of(app: &App, headers: &HeaderMap) -> Result<Self, TokenFailure> {
        let anon = app.config.anon_role.as_deref();
        let Some(token) = bearer(app.config.rules, headers)? else {
            let role = anon.ok_or(TokenFailure::Required)?;
            return Ok(Self {
                role: role.to_owned(),
                claims: json!({ "role": role }).to_string().into(),
                authenticated: false,
                admin: false,
                rules: app.config.rules,
            });
        };
        let (identity, admin) = match &app.authority {
            Authority::Platform(verifier) => {
                let identity = verifier.verify(token)?;
                let admin = identity.is_admin();
                (identity, admin)
            }
            Authority::Operator(verifier) => (verifier.verify(token)?, false),
            Authority::None => return Err(TokenFailure::NoSecret),
        };
        Ok(Self {
            authenticated: anon != Some(identity.role.as_str()),
            role: identity.role.clone(),
            claims: Arc::clone(&identity.claims_json),
            admin,
            rules: app.config.rules,
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

    /// Who it is, where the token says so.
    pub(crate) fn subject(&self) -> Option<String> {
        let claims: serde_json::Value = serde_json::from_str(&self.claims).ok()?;
        Some(claims.get("sub")?.as_str()?.to_owned())
    }

    /// The same caller with the rights of administration; `None` where they are not open to it.
    pub(crate) fn as_service(&self) -> Option<Self> {
        self.admin.then(|| Self {
            role: roles::SERVICE_ROLE.to_owned(),
            ..self.clone()
        })
    }
}

/// The token. What another scheme carries is somebody else's business where the operator decides:
/// a proxy in front may ask for `Basic`.
fn bearer(rules: RoleRules, headers: &HeaderMap) -> Result<Option<&str>, BearerError> {
    match (rules, jwt::bearer(headers)) {
        (RoleRules::Operator, Err(BearerError::OtherScheme)) => Ok(None),
        (_, read) => read,
    }
}
