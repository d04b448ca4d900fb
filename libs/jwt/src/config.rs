//! How tokens of this platform are signed and checked.

use std::sync::Arc;
use std::time::Duration;

use common::{Clock, Secret, Settings};
use serde_json::{Value, json};

use crate::key_set::{KeySet, VerificationKey};
use crate::signer::Signer;
use crate::signing_keys::SigningKeys;
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
    signing_keys: Option<SigningKeys>,
    rules: TokenRules,
    /// How long an access token lives.
    pub expiry: Duration,
    /// The `iss` of tokens that the platform issues.
    pub issuer: String,
}

impl JwtConfig {
    /// Reads `JWT_SECRET` (at least 32 bytes), `JWT_EXPIRY` (seconds, 3600), `API_EXTERNAL_URL`
    /// (the issuer is its `/auth/v1`), `JWT_AUD` (`authenticated`), `JWT_ISSUERS` (further
    /// issuers, separated by commas), `JWT_JWKS` (further public keys) and `GOTRUE_JWT_KEYS` (keys
    /// to sign with instead of the secret).
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
        let signing_keys = signing_keys(settings);
        Some(Self {
            secret: secret?,
            public_keys,
            signing_keys,
            rules: TokenRules { audience, issuers },
            expiry,
            issuer,
        })
    }

    /// What checks tokens, by the time `clock` tells.
    pub fn verifier(&self, clock: Arc<dyn Clock>) -> Verifier {
        let secret = VerificationKey::hs256(&self.secret);
        let own = self.signing_keys.iter().flat_map(SigningKeys::verification);
        let keys = self.public_keys.clone().with(secret);
        let keys = own.fold(keys, |keys, key| keys.with(key.clone()));
        Verifier::new(keys, self.rules.clone(), clock)
    }

    /// What signs tokens: the operator's signing key, or else the secret.
    pub fn signer(&self) -> Signer {
        match &self.signing_keys {
            Some(keys) => keys.signer(),
            None => Signer::hs256(&self.secret),
        }
    }

    /// The public keys that tokens are signed with, as a JWK set: none where it is the secret.
    pub fn public_keys(&self) -> Value {
        let keys = self.signing_keys.as_ref();
        keys.map_or_else(|| json!({ "keys": [] }), SigningKeys::public_set)
    }

    /// The algorithm that tokens are signed with.
    pub fn algorithm_name(&self) -> &str {
        let keys = self.signing_keys.as_ref();
        keys.map_or("HS256", SigningKeys::algorithm_name)
    }

    /// The `aud` of tokens that the platform issues to users.
    pub fn audience(&self) -> &str {
        &self.rules.audience
    }
}

fn signing_keys(settings: &Settings<'_>) -> Option<SigningKeys> {
    let text = settings.text("GOTRUE_JWT_KEYS")?;
    SigningKeys::parse(&text)
        .map_err(|error| settings.reject("GOTRUE_JWT_KEYS", error.to_string()))
        .ok()
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
