//! From a token's text to a role and claims, or a refusal.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::Clock;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::claims;
use super::keys::Keys;
use super::refusal::Refusal;
use super::role_path::RolePath;
use crate::cache::{TokenCache, TokenDigest};
use crate::identity::Identity;
use crate::json;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// Header parameters that change what a signature means.
const CRITICAL: [&str; 4] = ["crit", "b64", "enc", "zip"];

/// What the operator asks of tokens.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What `aud`, where present, must be or contain; everything is accepted where `None`.
    pub audience: Option<String>,
    /// Where the role stands.
    pub role: RolePath,
    /// The role of a token without one; `None` refuses it.
    pub default_role: Option<String>,
    /// How many verified tokens are remembered; `None` for none.
    pub cache_entries: Option<NonZeroUsize>,
    /// For how long at most; `None` until they end.
    pub cache_lifetime: Option<Duration>,
}

/// Verifies tokens; remembers the good ones until they end.
pub struct Verifier {
    keys: Keys,
    rules: Rules,
    clock: Arc<dyn Clock>,
    cache: Option<TokenCache>,
    requests: AtomicU64,
    hits: AtomicU64,
    evictions: AtomicU64,
}

/// How much the memory of verified tokens was of use, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Tokens that were looked for.
    pub requests: u64,
    /// Tokens that were found.
    pub hits: u64,
    /// Tokens that gave way to others.
    pub evictions: u64,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that trusts `keys` and tells the time by `clock`.
    pub fn new(keys: Keys, rules: Rules, clock: Arc<dyn Clock>) -> Self {
        Self {
            cache: rules.cache_entries.map(TokenCache::with_entries),
            keys,
            rules,
            clock,
            requests: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    /// Who bears `token`.
    pub fn verify(&self, token: &str) -> Result<Arc<Identity>, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let now = self.clock.unix_seconds();
        let Some(cache) = &self.cache else {
            return self.read(token, now).map(Arc::new);
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let digest = TokenDigest::of(token);
        if let Some(identity) = cache.find(digest, now) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(identity);
        }
        let mut identity = self.read(token, now)?;
        if let Some(lifetime) = self.rules.cache_lifetime {
            let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            let latest = now.saturating_add(lifetime);
            identity.expires_at = Some(identity.expires_at.map_or(latest, |end| end.min(latest)));
        }
        let identity = Arc::new(identity);
        if cache.insert(digest, Arc::clone(&identity)) {
            self.evictions.fetch_add(1, Ordering::Relaxed);
        }
        Ok(identity)
    }

    /// How much the memory of verified tokens was of use.
    pub fn cache_use(&self) -> CacheUse {
        CacheUse {
            requests: self.requests.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    fn read(&self, token: &str, now: i64) -> Result<Identity, Refusal> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::Parts(token.split('.').count()));
        };
        let header = decode(header).and_then(|text| json::parse_object(&text).ok());
        let header = header.ok_or(Refusal::Malformed)?;
        let (message, _) = token.rsplit_once('.').ok_or(Refusal::Parts(1))?;
        self.check_signature(&header, message, signature)?;
        let claims = decode(payload).ok_or(Refusal::Malformed)?;
        let claims = json::parse_object(&claims).map_err(|_| Refusal::Claims)?;
        let expires_at = claims::check(&claims, self.rules.audience.as_deref(), now)?;
        self.identify(claims, expires_at)
    }

    fn check_signature(
        &self,
        header: &Map<String, Value>,
        message: &str,
        signature: &str,
    ) -> Result<(), Refusal> {
        if CRITICAL.iter().any(|name| header.contains_key(*name)) {
            return Err(Refusal::Malformed);
        }
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.ok_or(Refusal::Malformed)?;
        if algorithm.eq_ignore_ascii_case("none") {
            return Err(Refusal::Unsecured);
        }
        let algorithm = Algorithm::from_str(algorithm).map_err(|_| Refusal::Algorithm)?;
        let id = match header.get("kid") {
            None => None,
            Some(id) => Some(id.as_str().ok_or(Refusal::Malformed)?),
        };
        let verifies = |key| {
            let verified =
                jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm);
            matches!(verified, Ok(true))
        };
        let verified = self.keys.candidates(algorithm, id).any(verifies);
        verified.then_some(()).ok_or(Refusal::NoKey)
    }

    /// The role, written into the claims too, where policies look for it.
    fn identify(&self, claims: Map<String, Value>, end: Option<i64>) -> Result<Identity, Refusal> {
        let claims = Value::Object(claims);
        let role = self.rules.role.find(&claims).map_err(|_| Refusal::Claims)?;
        let role = role.or_else(|| self.rules.default_role.clone());
        let role = role.ok_or(Refusal::NoRole)?;
        let Value::Object(mut claims) = claims else {
            return Err(Refusal::Claims);
        };
        claims.insert("role".to_owned(), role.as_str().into());
        let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
        let text = serde_json::to_string(&claims).map_err(|_| Refusal::Claims)?;
        Ok(Identity {
            role,
            subject,
            claims,
            claims_json: text.into(),
            expires_at: end,
        })
    }
}

fn decode(part: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
