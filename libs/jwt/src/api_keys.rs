//! The keys applications carry: which of them is which, and the token each stands for.
//!
//! Legacy keys (`ANON_KEY`, `SERVICE_ROLE_KEY`) are tokens themselves; new ones
//! (`sb_publishable_…`, `sb_secret_…`) are opaque and stand for the legacy key of the same role.

use std::sync::Arc;

use common::{Secret, Settings, SystemClock};
use serde::Serialize;
use time::OffsetDateTime;

use crate::config::JwtConfig;
use crate::signer::Signer;

/// Shorter keys are no keys: `sb_secret_` and 128 bits.
const MIN_OPAQUE_BYTES: usize = 30;
/// How long a legacy key lives: ten years, in seconds.
const KEY_LIFETIME: i64 = 10 * 365 * 24 * 60 * 60;

/// What a key lets its bearer act as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiKey {
    /// The role `anon`: what any visitor may do.
    Anon,
    /// The role `service_role`: everything, past row-level security.
    ServiceRole,
}

impl ApiKey {
    /// The Postgres role the key acts as.
    pub fn role(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::ServiceRole => "service_role",
        }
    }

    /// The key of `role`, if there is one.
    pub fn from_role(role: &str) -> Option<Self> {
        match role {
            "anon" => Some(Self::Anon),
            "service_role" => Some(Self::ServiceRole),
            _ => None,
        }
    }
}

/// The platform's keys.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    anon: Secret,
    service_role: Secret,
    publishable: Option<Secret>,
    secret: Option<Secret>,
}

impl ApiKeys {
    /// Reads `ANON_KEY` and `SERVICE_ROLE_KEY` (tokens signed with `JWT_SECRET`), and
    /// `PUBLISHABLE_KEY` and `SECRET_KEY` where set.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let config = JwtConfig::from_settings(settings);
        let anon = settings.secret("ANON_KEY", 1);
        let service_role = settings.secret("SERVICE_ROLE_KEY", 1);
        let publishable = opaque(settings, "PUBLISHABLE_KEY", "sb_publishable_");
        let secret = opaque(settings, "SECRET_KEY", "sb_secret_");
        let (config, anon, service_role) = (config?, anon?, service_role?);
        check_token(settings, &config, "ANON_KEY", (&anon, ApiKey::Anon));
        let service = (&service_role, ApiKey::ServiceRole);
        check_token(settings, &config, "SERVICE_ROLE_KEY", service);
        Some(Self {
            anon,
            service_role,
            publishable,
            secret,
        })
    }

    /// Which key `text` is. Every key is compared, each in time that does not depend on where it
    /// differs.
    pub fn resolve(&self, text: &str) -> Option<ApiKey> {
        let is = |key: &Secret| key.matches(text);
        let anon = is(&self.anon) | self.publishable.as_ref().is_some_and(is);
        let service = is(&self.service_role) | self.secret.as_ref().is_some_and(is);
        match (anon, service) {
            (_, true) => Some(ApiKey::ServiceRole),
            (true, false) => Some(ApiKey::Anon),
            (false, false) => None,
        }
    }

    /// The token that `key` stands for.
    pub fn token(&self, key: ApiKey) -> &str {
        match key {
            ApiKey::Anon => self.anon.expose(),
            ApiKey::ServiceRole => self.service_role.expose(),
        }
    }
}

fn opaque(settings: &Settings<'_>, name: &str, prefix: &str) -> Option<Secret> {
    settings.text(name)?;
    let key = settings.secret(name, MIN_OPAQUE_BYTES)?;
    if key.expose().starts_with(prefix) {
        return Some(key);
    }
    settings.reject(name, format!("must begin with {prefix}"));
    None
}

fn check_token(
    settings: &Settings<'_>,
    config: &JwtConfig,
    name: &str,
    (token, key): (&Secret, ApiKey),
) {
    let identity = config
        .verifier(Arc::new(SystemClock))
        .verify(token.expose());
    if !identity.is_ok_and(|identity| identity.role == key.role()) {
        let problem = format!(
            "is not a valid token of JWT_SECRET with the role {} (delete the line and run start.sh to have one made)",
            key.role()
        );
        settings.reject(name, problem);
    }
}

#[derive(Serialize)]
struct KeyClaims {
    role: &'static str,
    iss: &'static str,
    iat: i64,
    exp: i64,
}

/// A legacy key: a token of `key`'s role that ends ten years after `issued_at`.
#[expect(
    clippy::expect_used,
    reason = "two constants and two numbers always serialise, and HS256 takes any key"
)]
pub fn mint_key_token(signer: &Signer, key: ApiKey, issued_at: OffsetDateTime) -> String {
    let iat = issued_at.unix_timestamp();
    let claims = KeyClaims {
        role: key.role(),
        iss: "selfdb",
        iat,
        exp: iat + KEY_LIFETIME,
    };
    signer.sign(&claims).expect("a key's claims are plain JSON")
}
