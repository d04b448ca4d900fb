//! Keys and tokens of the instance under test.

use std::time::Duration;

use common::{Clock as _, EnvironmentMap, Settings, SystemClock};
use jwt::{JwtConfig, Signer, mint_key_token};
use serde_json::{Value, json};
use uuid::Uuid;

const JWT_SECRET: &str = "a-test-secret-that-nobody-uses-elsewhere";
const EXTERNAL_URL: &str = "http://localhost:8000";
const LIFETIME: Duration = Duration::from_hours(1);

/// The keys of one test's instance.
#[derive(Debug)]
pub(crate) struct Identities {
    pub(crate) anon_key: String,
    pub(crate) service_role_key: String,
    signer: Signer,
    issuer: String,
}

impl Identities {
    pub(crate) fn new() -> Self {
        let environment = EnvironmentMap::from_iter([
            ("JWT_SECRET", JWT_SECRET),
            ("API_EXTERNAL_URL", EXTERNAL_URL),
        ]);
        let config = JwtConfig::from_settings(&Settings::new(&environment)).expect("JWT settings");
        let signer = config.signer();
        let now = SystemClock.now();
        let key = |key| mint_key_token(&signer, key, now);
        Self {
            anon_key: key(jwt::ApiKey::Anon),
            service_role_key: key(jwt::ApiKey::ServiceRole),
            issuer: config.issuer,
            signer,
        }
    }

    pub(crate) fn settings(&self) -> EnvironmentMap {
        EnvironmentMap::from_iter([
            ("JWT_SECRET", JWT_SECRET),
            ("API_EXTERNAL_URL", EXTERNAL_URL),
            ("SITE_URL", "http://localhost:3000"),
            ("ANON_KEY", &self.anon_key),
            ("SERVICE_ROLE_KEY", &self.service_role_key),
            ("PUBLISHABLE_KEY", "sb_publishable_tests0123456789abcdefgh"),
            ("SECRET_KEY", "sb_secret_tests0123456789abcdefghijkl"),
        ])
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.signer.sign(claims).expect("a token")
    }

    pub(crate) fn user_token(&self, id: Uuid, email: &str) -> String {
        self.sign(&self.user_claims(id, email))
    }

    pub(crate) fn superuser_token(&self, id: Uuid, email: &str) -> String {
        let mut claims = self.user_claims(id, email);
        claims["app_metadata"]["is_superuser"] = Value::Bool(true);
        self.sign(&claims)
    }

    fn user_claims(&self, id: Uuid, email: &str) -> Value {
        let now = SystemClock.unix_seconds();
        let lifetime = i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        json!({
            "iss": self.issuer, "sub": id, "aud": "authenticated", "exp": now + lifetime,
            "iat": now, "email": email, "phone": "", "role": "authenticated", "aal": "aal1",
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": {}, "amr": [{ "method": "password", "timestamp": now }],
            "session_id": Uuid::new_v4(), "is_anonymous": false,
        })
    }
}
