//! What a function finds in `Deno.env`: the platform's address and keys, and the user's secrets.
//! Nothing of the platform's own environment.

use std::collections::BTreeMap;

use jwt::ApiKey;
use serde_json::json;

use super::database::DatabaseWay;
use crate::config::Granted;
use crate::domain::Version;

/// The environment of `version`, which may have a way to the database.
pub(super) fn of(
    granted: &Granted,
    version: &Version,
    database: Option<&DatabaseWay>,
) -> BTreeMap<String, String> {
    let anon = granted.keys.token(ApiKey::Anon);
    let service_role = granted.keys.token(ApiKey::ServiceRole);
    let url = granted.public_url.text.as_str();
    let mut values: BTreeMap<String, String> = version
        .secrets
        .0
        .iter()
        .map(|(name, secret)| (name.clone(), secret.expose().to_owned()))
        .collect();
    let mut grant = |name: &str, value: &str| values.insert(name.to_owned(), value.to_owned());
    grant("SUPABASE_URL", url);
    grant("SUPABASE_ANON_KEY", anon);
    grant("SUPABASE_SERVICE_ROLE_KEY", service_role);
    grant("SELFDB_URL", url);
    grant("SELFDB_ANON_KEY", anon);
    grant("SUPABASE_JWKS", &granted.public_keys);
    if let Some(way) = database {
        grant("SUPABASE_DB_URL", way.url.expose());
    }
    let deployment = format!("selfdb_{}_{}", version.function, version.id);
    grant("DENO_DEPLOYMENT_ID", &deployment);
    // Named keys, as a JSON object each; there is one of a kind here.
    if let Some(key) = &granted.publishable_key {
        let named = json!({ "default": key.expose() });
        grant("SUPABASE_PUBLISHABLE_KEYS", &named.to_string());
    }
    if let Some(key) = &granted.secret_key {
        let named = json!({ "default": key.expose() });
        grant("SUPABASE_SECRET_KEYS", &named.to_string());
    }
    values
}
