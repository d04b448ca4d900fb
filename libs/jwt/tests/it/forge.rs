//! Makes tokens by hand, so that they can be wrong in any way.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{EnvironmentMap, FixedClock, Settings};
use jsonwebtoken::{Algorithm, EncodingKey};
use jwt::{JwtConfig, Verifier};
use time::OffsetDateTime;

use crate::keys::JWKS;

pub(crate) const SECRET: &str = "0f9d3c1be2a84756b1d08e7f5a6c4e3d2b1a09f8";
/// 2026-01-01, in seconds since 1970.
pub(crate) const NOW: i64 = 1_767_225_600;
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
pub(crate) const USER: &str = "8a7b6c5d-0000-4000-8000-000000000001";

pub(crate) fn environment() -> EnvironmentMap {
    EnvironmentMap::from_iter([
        ("JWT_SECRET", SECRET),
        ("API_EXTERNAL_URL", "https://db.example.org/"),
        ("JWT_JWKS", JWKS),
    ])
}

pub(crate) fn config() -> JwtConfig {
    let environment = environment();
    let settings = Settings::new(&environment);
    let config = JwtConfig::from_settings(&settings);
    settings.finish(config).expect("a valid configuration")
}

pub(crate) fn clock() -> Arc<FixedClock> {
    let now = OffsetDateTime::from_unix_timestamp(NOW).expect("a time");
    Arc::new(FixedClock::at(now))
}

pub(crate) fn verifier() -> Verifier {
    config().verifier(clock())
}

pub(crate) fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// A token of exactly these texts, signed by HMAC-SHA256 with `secret`.
pub(crate) fn forge_with(secret: &str, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    format!("{message}.{}", mac(secret, &message))
}

/// A token of exactly these texts, signed with the platform's own secret.
pub(crate) fn forge(header: &str, payload: &str) -> String {
    forge_with(SECRET, header, payload)
}

pub(crate) fn mac(secret: &str, message: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature")
}

/// A user's claims as JSON text with some members replaced, added, or (by an empty text) left out.
pub(crate) fn claims(changes: &[(&str, &str)]) -> String {
    let (exp, iat) = ((NOW + 3600).to_string(), NOW.to_string());
    let (subject, issuer) = (format!("\"{USER}\""), r#""https://db.example.org/auth/v1""#);
    let mut members = vec![
        ("role", r#""authenticated""#),
        ("sub", subject.as_str()),
        ("aud", r#""authenticated""#),
        ("iss", issuer),
        ("exp", exp.as_str()),
        ("iat", iat.as_str()),
    ];
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        if !value.is_empty() {
            members.push((name, value));
        }
    }
    let members: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}
