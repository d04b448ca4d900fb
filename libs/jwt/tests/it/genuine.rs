//! Tokens that must be accepted: ours, API keys, and those other tools mint with the secret.

use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use jwt::{ApiKey, Identity, TokenError, mint_key_token};
use serde_json::json;
use time::OffsetDateTime;

use crate::forge::{HEADER, NOW, USER, claims, clock, config, forge, verifier};
use crate::keys::{ES256_TOKEN, RS256_TOKEN};

#[test]
fn every_accepted_variation() {
    let (nbf, ahead) = (NOW.to_string(), (NOW + 30).to_string());
    let variations: &[&[(&str, &str)]] = &[
        &[],
        &[("aud", "")],
        &[("iss", "")],
        &[("iat", "")],
        &[("iss", r#""supabase""#)],
        &[("aud", r#"["authenticated"]"#)],
        &[("aud", r#"["other","authenticated"]"#)],
        &[("nbf", &nbf)],
        &[("nbf", &ahead)],
        &[("iat", &ahead)],
        &[("token_use", r#""access""#)],
        &[("scope", r#""read write""#), ("client_id", r#""app""#)],
        &[("role", r#""reporting""#)],
        &[("sub", r#""not-a-uuid""#)],
        &[("user_metadata", r#"{"name":"Zoë","typ":"ID"}"#)],
    ];
    let verifier = verifier();
    for variation in variations {
        let token = forge(HEADER, &claims(variation));
        assert!(verifier.verify(&token).is_ok(), "{variation:?}");
    }
    let payload = claims(&[]);
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"typ":"jwt","alg":"HS256"}"#,
        r#"{"typ":"at+jwt","alg":"HS256"}"#,
        r#"{"typ":"application/at+jwt","alg":"HS256"}"#,
        r#"{"alg":"HS256","custom":"ignored"}"#,
    ] {
        assert!(
            verifier.verify(&forge(header, &payload)).is_ok(),
            "{header}"
        );
    }
}

#[test]
fn a_token_of_other_tooling_needs_only_role_sub_and_exp() {
    let payload = format!(
        r#"{{"role":"authenticated","sub":"{USER}","exp":{}}}"#,
        NOW + 60
    );
    let identity = verifier()
        .verify(&forge(r#"{"alg":"HS256"}"#, &payload))
        .expect("a genuine token");
    assert_eq!(identity.role, "authenticated");
    assert_eq!(identity.user_id(), USER.parse().ok());
    assert_eq!(identity.expires_at, Some(NOW + 60));
}

#[test]
fn public_keys_verify_their_own_tokens() {
    let verifier = verifier();
    for token in [RS256_TOKEN, ES256_TOKEN] {
        let identity = verifier.verify(token).expect("a genuine token");
        assert_eq!(identity.user_id(), USER.parse().ok());
    }
}

#[test]
fn the_claims_keep_the_text_that_was_signed() {
    let payload = format!(
        r#"{{ "z":1.50, "role":"anon","a":"\u00e9", "exp":{} }}"#,
        NOW + 60
    );
    let identity = verifier()
        .verify(&forge(HEADER, &payload))
        .expect("genuine");
    assert_eq!(&*identity.claims_json, payload);
    assert_eq!(identity.claims["a"], json!("é"));
}

#[test]
fn a_minted_key_says_its_role_for_ten_years() {
    let clock = clock();
    let issued_at = OffsetDateTime::from_unix_timestamp(NOW).expect("a time");
    let config = config();
    for key in [ApiKey::Anon, ApiKey::ServiceRole] {
        let token = mint_key_token(&config.signer(), key, issued_at);
        let identity = config
            .verifier(Arc::clone(&clock) as Arc<dyn Clock>)
            .verify(&token)
            .expect("genuine");
        assert_eq!(identity.role, key.role());
        assert_eq!(ApiKey::from_role(&identity.role), Some(key));
        assert_eq!(identity.claims["iss"], json!("selfdb"));
        assert_eq!(identity.user_id(), None);
    }
    let token = mint_key_token(&config.signer(), ApiKey::Anon, issued_at);
    clock.advance(Duration::from_hours(24 * 3650) - Duration::from_secs(1));
    assert!(
        config
            .verifier(Arc::clone(&clock) as Arc<dyn Clock>)
            .verify(&token)
            .is_ok()
    );
    clock.advance(Duration::from_secs(1));
    let ended = config.verifier(clock).verify(&token).map(|_| ());
    assert_eq!(ended, Err(TokenError::Expired));
}

#[test]
fn a_key_survives_a_clock_set_back() {
    let issued_at = OffsetDateTime::from_unix_timestamp(NOW + 3600).expect("a time");
    let token = mint_key_token(&config().signer(), ApiKey::Anon, issued_at);
    assert!(verifier().verify(&token).is_ok());
}

#[test]
fn only_the_server_makes_a_superuser() {
    let identity = |changes: &[(&str, &str)]| -> Identity {
        let token = forge(HEADER, &claims(changes));
        Identity::clone(&verifier().verify(&token).expect("genuine"))
    };
    assert!(identity(&[("app_metadata", r#"{"is_superuser":true}"#)]).is_admin());
    assert!(identity(&[("role", r#""service_role""#)]).is_admin());
    for changes in [
        ("app_metadata", r#"{"is_superuser":"true"}"#),
        ("app_metadata", r#"{"is_superuser":1}"#),
        ("app_metadata", r#"["is_superuser"]"#),
        ("user_metadata", r#"{"is_superuser":true}"#),
        ("is_superuser", "true"),
    ] {
        assert!(!identity(&[changes]).is_admin(), "{changes:?}");
    }
    let session = identity(&[("session_id", &format!("\"{USER}\""))]).session_id();
    assert_eq!(session, USER.parse().ok());
}
