//! Which key or user asks. Afterwards `Authorization` says it, and each service verifies that
//! header itself: nothing here is trusted further on.

use std::sync::Arc;

use axum::extract::Request;
use common::SystemClock;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use jwt::{ApiKey, ApiKeys, JwtConfig, Verifier, bearer};

use crate::config::KeyMode;
use crate::refusal::Refusal;
use crate::routes::Access;

const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// What all opaque keys begin with.
const OPAQUE: &str = "sb_";

/// The keys of this platform, and what their bearers are turned into.
#[derive(Debug)]
pub(crate) struct Keys {
    known: ApiKeys,
    verifier: Verifier,
    mode: KeyMode,
    anon: HeaderValue,
    service_role: HeaderValue,
}

impl Keys {
    /// Fails only where a key cannot stand in a header, which no token can't.
    pub(crate) fn new(
        api_keys: ApiKeys,
        jwt: &JwtConfig,
        mode: KeyMode,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let anon = bearer_of(api_keys.token(ApiKey::Anon))?;
        let service_role = bearer_of(api_keys.token(ApiKey::ServiceRole))?;
        Ok(Self {
            known: api_keys,
            verifier: jwt.verifier(Arc::new(SystemClock)),
            mode,
            anon,
            service_role,
        })
    }

    /// Refuses a request without the key its route needs; else makes `Authorization` carry the
    /// user's token, or the token of the key.
    pub(crate) fn settle(&self, request: &mut Request, access: Access) -> Result<(), Refusal> {
        let query = request.uri().query();
        if let Some(authorization) = self.decide(request.headers(), query, access)? {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        Ok(())
    }

    /// Refuses a request that carries the service role's key or token in neither header.
    pub(crate) fn require_service(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let key = headers.get(APIKEY).and_then(|key| key.to_str().ok());
        let candidates = [key, bearer(headers).ok().flatten()];
        let mut candidates = candidates.into_iter().flatten().peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::NoKey);
        }
        let is_service = |text| self.resolve(text) == Some(ApiKey::ServiceRole);
        candidates
            .any(is_service)
            .then_some(())
            .ok_or(Refusal::InvalidKey)
    }

    /// The `Authorization` to put in place of the client's; `None` keeps the client's.
    fn decide(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        access: Access,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let presented = presented(headers, query);
        let authorization = Authorization::of(headers);
        match access {
            Access::Key => {
                let key = match (presented, self.mode) {
                    (Presented::Missing, KeyMode::Strict) => return Err(Refusal::NoKey),
                    (Presented::Missing, KeyMode::Permissive) => authorization.opaque(),
                    (Presented::Ambiguous, _) => return Err(Refusal::InvalidKey),
                    (Presented::Key(key), _) => Some(key),
                };
                let key = key.map(|key| self.stands_for(key)).transpose()?;
                Ok(authorization.or_key(key.unwrap_or_else(|| self.anon.clone())))
            }
            Access::KeyOrUser => {
                if let Authorization::Token(token) = authorization
                    && self.verifier.verify(token).is_ok()
                {
                    return Ok(None);
                }
                match (presented, authorization) {
                    (Presented::Key(key), _) | (Presented::Missing, Authorization::Opaque(key)) => {
                        Ok(authorization.or_key(self.stands_for(key)?))
                    }
                    (Presented::Ambiguous, _) => Err(Refusal::InvalidKey),
                    (Presented::Missing, Authorization::Token(_)) => Err(Refusal::InvalidToken),
                    (Presented::Missing, Authorization::None | Authorization::Other) => {
                        Err(Refusal::NoKey)
                    }
                }
            }
            Access::Service => {
                let key = match presented {
                    Presented::Key(key) => Some(key),
                    Presented::Missing | Presented::Ambiguous => authorization.opaque(),
                };
                let bearer = key.and_then(|key| self.stands_for(key).ok());
                Ok(bearer.and_then(|bearer| authorization.or_key(bearer)))
            }
        }
    }

    /// The bearer that a key stands for.
    fn stands_for(&self, key: &str) -> Result<HeaderValue, Refusal> {
        match self.known.resolve(key) {
            Some(ApiKey::Anon) => Ok(self.anon.clone()),
            Some(ApiKey::ServiceRole) => Ok(self.service_role.clone()),
            None => match self.minted(key) {
                Some(_) => bearer_of(key).map_err(|_| Refusal::InvalidKey),
                None => Err(Refusal::InvalidKey),
            },
        }
    }

    fn resolve(&self, key: &str) -> Option<ApiKey> {
        self.known.resolve(key).or_else(|| self.minted(key))
    }

    /// A token of our secret with the role of a key and no user in it is a key too: whoever minted
    /// it had the secret.
    fn minted(&self, key: &str) -> Option<ApiKey> {
        let identity = self.verifier.verify(key).ok()?;
        let key = ApiKey::from_role(&identity.role)?;
        identity.subject.is_none().then_some(key)
    }
}

/// The API key a request presents.
#[derive(Debug, Clone, Copy)]
enum Presented<'a> {
    Missing,
    Key(&'a str),
    /// More than one, or bytes that no key has.
    Ambiguous,
}

fn presented<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Presented<'a> {
    let mut values = headers.get_all(APIKEY).iter();
    let first = values.next();
    if values.next().is_some() {
        return Presented::Ambiguous;
    }
    if let Some(value) = first {
        return match value.to_str() {
            Ok("") => Presented::Missing,
            Ok(key) => Presented::Key(key),
            Err(_) => Presented::Ambiguous,
        };
    }
    let mut parameters = query.unwrap_or("").split('&');
    let key = parameters.find_map(|parameter| parameter.strip_prefix("apikey="));
    match key {
        None | Some("") => Presented::Missing,
        Some(key) => Presented::Key(key),
    }
}

/// What the `Authorization` header holds.
#[derive(Debug, Clone, Copy)]
enum Authorization<'a> {
    None,
    /// A bearer token, maybe a user's.
    Token(&'a str),
    /// An opaque key in the place of a token.
    Opaque(&'a str),
    /// Another scheme, or more than one header: for the service to judge.
    Other,
}

impl<'a> Authorization<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        match bearer(headers) {
            Ok(None) => Self::None,
            Ok(Some(key)) if key.starts_with(OPAQUE) => Self::Opaque(key),
            Ok(Some(token)) => Self::Token(token),
            Err(_) => Self::Other,
        }
    }

    fn opaque(self) -> Option<&'a str> {
        match self {
            Self::Opaque(key) => Some(key),
            Self::None | Self::Token(_) | Self::Other => None,
        }
    }

    /// The key's bearer where there is no token of the client's own to keep.
    fn or_key(self, bearer: HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::None | Self::Opaque(_) => Some(bearer),
            Self::Token(_) | Self::Other => None,
        }
    }
}

fn bearer_of(token: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}
