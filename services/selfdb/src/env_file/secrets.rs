//! Which secrets an env file holds, and how each is made.

use common::random::{Randomness, token};
use common::{Clock, EnvironmentMap, Settings};
use jwt::{ApiKey, JwtConfig};

use super::EnvFileError;
use super::lines::EnvLines;

/// Every secret of the env file, in its order.
pub(super) const NAMES: &[&str] = &[
    "POSTGRES_PASSWORD",
    "JWT_SECRET",
    "ANON_KEY",
    "SERVICE_ROLE_KEY",
    "PUBLISHABLE_KEY",
    "SECRET_KEY",
    "DEFAULT_ADMIN_PASSWORD",
    "AUTHENTICATOR_DB_PASSWORD",
    "SERVICE_AUTHENTICATOR_DB_PASSWORD",
    "AUTH_DB_PASSWORD",
    "REALTIME_DB_PASSWORD",
    "STORAGE_DB_PASSWORD",
    "FUNCTIONS_DB_PASSWORD",
    "FUNCTIONS_SECRETS_KEY",
    "MINIO_ROOT_USER",
    "MINIO_ROOT_PASSWORD",
];

/// Whether the file was completed before, by whatever hand. The admin's password is left out: to
/// choose it is the usual edit before a first start.
pub(super) fn any_is_set(lines: &EnvLines) -> bool {
    NAMES
        .iter()
        .filter(|name| **name != "DEFAULT_ADMIN_PASSWORD")
        .any(|name| lines.get(name).is_some())
}

/// Makes every secret that is not set.
pub(super) fn fill(
    lines: &mut EnvLines,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<(), EnvFileError> {
    let jwt_secret = token(randomness, 48);
    let environment = EnvironmentMap::default().with("JWT_SECRET", jwt_secret.as_str());
    let settings = Settings::new(&environment);
    let config = JwtConfig::from_settings(&settings);
    let signer = settings.finish(config)?.signer();
    let issued_at = clock.now();
    for name in NAMES {
        if lines.get(name).is_some() {
            continue;
        }
        let value = match *name {
            "JWT_SECRET" => jwt_secret.clone(),
            "ANON_KEY" => jwt::mint_key_token(&signer, ApiKey::Anon, issued_at),
            "SERVICE_ROLE_KEY" => jwt::mint_key_token(&signer, ApiKey::ServiceRole, issued_at),
            "PUBLISHABLE_KEY" => format!("sb_publishable_{}", token(randomness, 32)),
            "SECRET_KEY" => format!("sb_secret_{}", token(randomness, 40)),
            "FUNCTIONS_SECRETS_KEY" => token(randomness, 43),
            "MINIO_ROOT_USER" => format!("selfdb-{}", token(randomness, 8)),
            "DEFAULT_ADMIN_PASSWORD" => token(randomness, 20),
            _ => token(randomness, 32),
        };
        lines.set(name, value);
    }
    if lines.get("DEFAULT_ADMIN_EMAIL").is_none() {
        lines.set("DEFAULT_ADMIN_EMAIL", "admin@example.com");
    }
    Ok(())
}
