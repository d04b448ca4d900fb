//! Tokens of a signed-in user.

use std::fmt::Write as _;
use std::path::PathBuf;

use common::{Clock as _, SystemClock};
use serde_json::json;

use super::instance::Instance;

/// The owner of every row.
const USER: &str = "5b1f2c1e-6f0a-4b8e-9d1e-0b6f0d1c2a3b";
/// More than any cache of verified tokens holds.
const MANY: u32 = 50_000;
const LIFETIME_SECONDS: i64 = 7200;

pub(super) struct Tokens {
    pub(super) one: String,
    /// A file, one a line.
    pub(super) many: PathBuf,
}

impl Tokens {
    pub(super) fn of(instance: &Instance) -> Self {
        let (signer, issuer) = instance.signer();
        let now = SystemClock.unix_seconds();
        let token = |number: u32| {
            let claims = json!({
                "iss": issuer, "sub": USER, "aud": "authenticated", "role": "authenticated",
                "exp": now + LIFETIME_SECONDS, "iat": now, "email": "user@example.com", "phone": "",
                "app_metadata": { "provider": "email", "providers": ["email"] },
                "user_metadata": {}, "aal": "aal1", "session_id": USER, "is_anonymous": false,
                "amr": [{ "method": "password", "timestamp": now + i64::from(number) }],
            });
            signer.sign(&claims).expect("a token")
        };
        let mut lines = String::new();
        for number in 1..=MANY {
            let _ = writeln!(lines, "{}", token(number));
        }
        let many = instance.folder().join("tokens");
        std::fs::write(&many, lines).expect("a file of tokens");
        Self {
            one: token(0),
            many,
        }
    }
}
