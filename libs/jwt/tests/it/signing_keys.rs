//! Keys of the operator's: which one signs, and that all of them verify.

use std::sync::Arc;

use common::{EnvironmentMap, Settings};
use jwt::{JwtConfig, SigningJwk, SigningKeyError, SigningKeys, TokenError, Verifier};
use serde_json::{Value, json};

use crate::forge::{NOW, SECRET, clock, encode, forge, mac};

/// An RSA key made for these tests.
const RSA: &str = include_str!("rsa_jwk.json");

fn ec(name: &str, byte: u8) -> SigningJwk {
    SigningJwk::es256(name.to_owned(), &[byte; 32]).expect("a key")
}

fn config(keys: &[SigningJwk]) -> JwtConfig {
    let keys = serde_json::to_string(keys).expect("JSON");
    let environment =
        EnvironmentMap::from_iter([("JWT_SECRET", SECRET), ("GOTRUE_JWT_KEYS", &keys)]);
    let settings = Settings::new(&environment);
    let config = JwtConfig::from_settings(&settings);
    settings.finish(config).expect("a valid configuration")
}

fn verifier(config: &JwtConfig) -> Verifier {
    config.verifier(Arc::clone(&clock()) as _)
}

fn claims() -> Value {
    json!({ "role": "authenticated", "exp": NOW + 60 })
}

#[test]
fn a_rotation_signs_nobody_out() {
    let (mut old, mut new) = (ec("old", 7), ec("new", 9));
    old.set_signs(true);
    let before = config(&[old.clone()]);
    let token = before.signer().sign(&claims()).expect("a token");
    assert!(verifier(&before).verify(&token).is_ok());
    // The next key is known everywhere before anything is signed with it.
    let standby = config(&[old.clone(), new.clone()]);
    old.set_signs(false);
    new.set_signs(true);
    let after = config(&[old, new.clone()]);
    let next = after.signer().sign(&claims()).expect("a token");
    for config in [&standby, &after] {
        assert!(verifier(config).verify(&token).is_ok());
        assert!(verifier(config).verify(&next).is_ok());
    }
    // What was signed with the platform's secret, keys of applications among it, stays good.
    let legacy = forge(r#"{"alg":"HS256"}"#, &claims().to_string());
    assert!(verifier(&after).verify(&legacy).is_ok());
    let revoked = config(&[new]);
    let refused = verifier(&revoked).verify(&token).expect_err("revoked");
    assert_eq!(refused, TokenError::UnknownKey);
}

#[test]
fn keys_of_every_kind_sign_and_only_public_parts_are_shown() {
    let rsa: SigningJwk = serde_json::from_str(RSA).expect("a key");
    let secret =
        json!({ "kty": "oct", "kid": "hs", "k": encode([5; 40]), "key_ops": ["sign", "verify"] });
    let secret: SigningJwk = serde_json::from_value(secret).expect("a key");
    for (key, algorithm) in [(rsa, "RS256"), (ec("ec", 3), "ES256"), (secret, "HS256")] {
        let mut key = key;
        key.set_signs(true);
        let config = config(&[key]);
        let token = config.signer().sign(&claims()).expect("a token");
        assert!(verifier(&config).verify(&token).is_ok(), "{algorithm}");
        let shown = config.public_keys().to_string();
        for private in [
            "\"d\"", "\"p\"", "\"q\"", "\"k\"", "\"dp\"", "\"qi\"", "oct",
        ] {
            assert!(!shown.contains(private), "{shown}");
        }
        assert_eq!(shown.contains("\"kid\""), algorithm != "HS256");
    }
}

#[test]
fn a_public_key_is_no_secret_and_no_key_is_another() {
    let mut key = ec("ec", 3);
    key.set_signs(true);
    let config = config(&[key]);
    let shown = config.public_keys();
    let x = shown["keys"][0]["x"].as_str().expect("x");
    for header in [
        r#"{"alg":"HS256","kid":"ec"}"#,
        r#"{"alg":"ES256","kid":"ec"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"none","kid":"ec"}"#,
    ] {
        let message = format!("{}.{}", encode(header), encode(claims().to_string()));
        let token = format!("{message}.{}", mac(x, &message));
        assert!(verifier(&config).verify(&token).is_err(), "{header}");
        let stripped = format!("{message}.");
        assert!(verifier(&config).verify(&stripped).is_err(), "{header}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_named() {
    let signs = |key: SigningJwk| {
        let mut key = serde_json::to_value(key).expect("JSON");
        key["key_ops"] = json!(["sign", "verify"]);
        key
    };
    let mut short = signs(ec("a", 3));
    short["d"] = json!("AAAA");
    let weak = json!({ "kty": "oct", "kid": "weak", "k": encode("short"), "key_ops": ["sign"] });
    let cases = [
        (json!("x"), SigningKeyError::Malformed),
        (json!([{ "kty": "EC" }]), SigningKeyError::Malformed),
        (json!([]), SigningKeyError::Signs),
        (json!([ec("a", 3)]), SigningKeyError::Signs),
        (
            json!([signs(ec("a", 3)), signs(ec("b", 4))]),
            SigningKeyError::Signs,
        ),
        (
            json!([signs(ec("a", 3)), ec("a", 4)]),
            SigningKeyError::Repeated("a".into()),
        ),
        (json!([short]), SigningKeyError::Invalid("a".into())),
        (json!([weak]), SigningKeyError::Invalid("weak".into())),
        (
            json!([{ "kty": "OKP", "kid": "ed", "key_ops": ["sign"] }]),
            SigningKeyError::Unsupported("ed".into()),
        ),
    ];
    for (keys, expected) in cases {
        let error = SigningKeys::parse(&keys.to_string()).expect_err("unusable");
        assert_eq!(error, expected, "{keys}");
    }
}
