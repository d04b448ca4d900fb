//! Who asks: a key's bearer or a user. Administrators are not bound by row-level security here.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use jwt::{Identity, Verifier};

use crate::caller::{Caller, identity};
use crate::error::Error;

/// Anybody with a key or a user's token.
pub(super) struct KeyHolder(pub(super) Caller);

/// A signed-in user, or the service role.
pub(super) struct User(pub(super) Caller);

impl<S> FromRequestParts<S> for KeyHolder
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let identity = bearer(parts, state)?;
        Ok(Self(Caller::bearer_or_admin(&identity, parts)))
    }
}

impl<S> FromRequestParts<S> for User
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let identity = bearer(parts, state)?;
        if identity.is_anon() {
            return Err(Error::AccessDenied("this is for signed-in users"));
        }
        Ok(Self(Caller::bearer_or_admin(&identity, parts)))
    }
}

fn bearer<S>(parts: &Parts, state: &S) -> Result<Arc<Identity>, Error>
where
    Arc<Verifier>: FromRef<S>,
{
    let verifier = Arc::<Verifier>::from_ref(state);
    identity(&verifier, &parts.headers)?.ok_or(Error::MissingToken)
}
