//! Who a request acts for. Whatever is asked of Postgres is asked in the caller's role and with the
//! caller's claims.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jwt::{Identity, Verifier};
use pg::{RequestContext, roles};
use serde_json::json;

use crate::error::Error;

/// Whoever a request acts for: a Postgres role, claims, and a subject that owns what it makes.
#[derive(Debug, Clone)]
pub struct Caller {
    context: RequestContext,
    subject: Option<String>,
}

impl Caller {
    /// The bearer of a verified token.
    pub fn bearer(identity: &Identity, parts: &Parts) -> Self {
        Self::of(identity, parts.method.as_str(), parts.uri.path())
    }

    /// Whom a verified token proves, who asks for `method` of `path`.
    pub fn of(identity: &Identity, method: &str, path: &str) -> Self {
        Self {
            context: RequestContext::new(identity.role.clone(), Arc::clone(&identity.claims_json))
                .with_target(method, path),
            subject: identity.subject.clone(),
        }
    }

    /// As [`Caller::bearer`], but unbound by row-level security where the bearer is an
    /// administrator of the platform.
    pub fn bearer_or_admin(identity: &Identity, parts: &Parts) -> Self {
        let mut caller = Self::bearer(identity, parts);
        if identity.is_admin() {
            roles::SERVICE_ROLE.clone_into(&mut caller.context.role);
        }
        caller
    }

    /// The platform itself, for what a signed URL already grants; what it makes belongs to `owner`.
    pub fn platform(owner: Option<String>) -> Self {
        let claims = json!({ "role": roles::SERVICE_ROLE, "sub": owner }).to_string();
        Self {
            context: RequestContext::new(roles::SERVICE_ROLE, claims),
            subject: owner,
        }
    }

    /// What Postgres is told.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Whether it acts with the service's key.
    pub fn is_service(&self) -> bool {
        self.context.role == roles::SERVICE_ROLE
    }

    /// The Postgres role it acts in.
    pub fn role(&self) -> &str {
        &self.context.role
    }

    /// Whose what it makes is.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }
}

/// The identity that the one bearer token of a request proves; `None` where there is no token.
pub fn identity(verifier: &Verifier, headers: &HeaderMap) -> Result<Option<Arc<Identity>>, Error> {
    let token = jwt::bearer(headers).map_err(|error| Error::InvalidToken(error.to_string()))?;
    let verified = token.map(|token| verifier.verify(token)).transpose();
    verified.map_err(|error| Error::InvalidToken(error.to_string()))
}

/// A caller with a valid token.
#[derive(Debug, Clone)]
pub struct Authenticated(pub Caller);

impl<S> FromRequestParts<S> for Authenticated
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let identity = identity(&verifier, &parts.headers)?.ok_or(Error::MissingToken)?;
        Ok(Self(Caller::bearer(&identity, parts)))
    }
}

/// A caller with a valid token, or anybody: where public buckets are served too, a token that is
/// not valid counts as none.
#[derive(Debug, Clone)]
pub struct Anybody(pub Option<Caller>);

impl<S> FromRequestParts<S> for Anybody
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let identity = identity(&verifier, &parts.headers).ok().flatten();
        Ok(Self(
            identity.map(|identity| Caller::bearer(&identity, parts)),
        ))
    }
}
