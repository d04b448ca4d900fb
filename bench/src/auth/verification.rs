//! What verifying an access token costs, the first time and again.

use std::sync::Arc;
use std::time::Instant;

use common::{Clock as _, Settings, SystemClock};
use jwt::{JwtConfig, Verifier};
use serde_json::json;

use super::row;
use crate::rest::instance::Instance;

const USER: &str = "5b1f2c1e-6f0a-4b8e-9d1e-0b6f0d1c2a3b";

pub(super) fn run(instance: &Instance, times: u32) {
    let config = JwtConfig::from_settings(&Settings::new(&instance.settings));
    let config = config.expect("JWT settings");
    let (signer, verifier) = (config.signer(), config.verifier(Arc::new(SystemClock)));
    let now = SystemClock.unix_seconds();
    let token = |number: u32| {
        let claims = json!({
            "iss": config.issuer, "sub": USER, "aud": "authenticated", "role": "authenticated",
            "exp": now + 3600, "iat": now, "email": "user@example.com", "phone": "",
            "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": {},
            "aal": "aal1", "session_id": USER, "is_anonymous": false,
            "amr": [{ "method": "password", "timestamp": now + i64::from(number) }],
        });
        signer.sign(&claims).expect("a token")
    };
    let many: Vec<String> = (0..times).map(token).collect();
    let first = micros(&verifier, &many);
    let same: Vec<String> = many
        .iter()
        .take(1)
        .cycle()
        .take(many.len())
        .cloned()
        .collect();
    let again = micros(&verifier, &same);
    row("verifying a token", &format!("{first:.1} µs"), "≤ 25 µs");
    row("verifying it again", &format!("{again:.2} µs"), "");
}

/// The mean of each, in µs.
fn micros(verifier: &Verifier, tokens: &[String]) -> f64 {
    let begun = Instant::now();
    for token in tokens {
        verifier.verify(token).expect("a good token");
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = tokens.len() as f64;
    begun.elapsed().as_secs_f64() * 1e6 / count
}
