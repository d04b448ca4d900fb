//! How tokens of this platform are signed and checked.

use std::sync::Arc;
use std::time::Duration;

use common::{Clock, Secret, Settings};

use crate::key_set::{KeySet, VerificationKey};
use crate::signer::Signer;
use crate::verifier::{TokenRules, Verifier};

/// Shorter secrets can be guessed offline from one token (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// What API keys carry as their issuer: ours, and that of keys made by Supabase's tools.
const KEY_ISSUERS: [&str; 2] = ["selfdb", "supabase"];

/// How tokens of this platform are signed and checked.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    secret: Secret,
    public_keys: KeySet,
    rules: TokenRules,
    /// How long an access token lives.
    pub expiry: Duration,
    /// The `iss` of tokens that the platform issues.
    pub issuer: String,
}

impl JwtConfig {
    /// Reads `JWT_SECRET` (at least 32 bytes), `JWT_EXPIRY` (seconds, 3600), `API_EXTERNAL_URL`
    /// (the issuer is its `/auth/v1`), `JWT_AUD` (`authenticated`), `JWT_ISSUERS` (further
    /// issuers, separated by commas) and `JWT_JWKS` (further public keys).
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let secret = settings.secret("JWT_SECRET", MIN_SECRET_BYTES);
        let expiry = settings.seconds("JWT_EXPIRY", Duration::from_hours(1));
        if expiry.is_zero() {
            settings.reject("JWT_EXPIRY", "must be longer than nothing: use seconds");
        }
        let url = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
        let issuer = format!("{}/auth/v1", url.trim_end_matches('/'));
        let mut issuers = settings.list("JWT_ISSUERS");
        issuers.push(issuer.clone());
        issuers.extend(KEY_ISSUERS.map(str::to_owned));
        let audience = settings.text_or("JWT_AUD", "authenticated");
        let public_keys = public_keys(settings);
        Some(Self {
            secret: secret?,
            public_keys,
            rules: TokenRules { audience, issuers },
            expiry,
            issuer,
        })
    }

    /// What checks tokens, by the time `clock` tells.
    pub fn verifier(&self, clock: Arc<dyn Clock>) -> Verifier {
        let secret = VerificationKey::hs256(&self.secret);
        let keys = self.public_keys.clone().with(secret);
        Verifier::new(keys, self.rules.clone(), clock)
    }

    /// What signs tokens.
    pub fn signer(&self) -> Signer {
        Signer::hs256(&self.secret)
    }

    /// The `aud` of tokens that the platform issues to users.
    pub fn audience(&self) -> &str {
        &self.rules.audience
    }
}

fn public_keys(settings: &Settings<'_>) -> KeySet {
    let Some(text) = settings.text("JWT_JWKS") else {
        return KeySet::default();
    };
    KeySet::from_jwks(&text).unwrap_or_else(|error| {
        settings.reject("JWT_JWKS", error.to_string());
        KeySet::default()
    })
}
