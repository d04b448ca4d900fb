//! API keys: which text is which key, and which configurations are refused.

use common::Clock as _;
use common::{EnvironmentMap, Settings, SystemClock};
use jwt::{ApiKey, ApiKeys, mint_key_token};

use crate::forge::{config, environment, forge_with};

const PUBLISHABLE: &str = "sb_publishable_4Jx0kqTnH2mZ8rVbW1sYcA";
const SECRET_KEY: &str = "sb_secret_9QdLw3EfKp7uTz5NnMxRaB2vGh";

fn complete() -> EnvironmentMap {
    let (signer, now) = (config().signer(), SystemClock.now());
    environment()
        .with("ANON_KEY", mint_key_token(&signer, ApiKey::Anon, now))
        .with(
            "SERVICE_ROLE_KEY",
            mint_key_token(&signer, ApiKey::ServiceRole, now),
        )
        .with("PUBLISHABLE_KEY", PUBLISHABLE)
        .with("SECRET_KEY", SECRET_KEY)
}

fn read(environment: &EnvironmentMap) -> Result<ApiKeys, Vec<String>> {
    let settings = Settings::new(environment);
    let keys = ApiKeys::from_settings(&settings);
    let names = |errors: common::ConfigErrors| errors.0.into_iter().map(|error| error.name);
    settings
        .finish(keys)
        .map_err(|errors| names(errors).collect())
}

#[test]
fn each_key_is_known_and_stands_for_a_token() {
    let environment = complete();
    let keys = read(&environment).expect("a valid configuration");
    let (anon, service) = (keys.token(ApiKey::Anon), keys.token(ApiKey::ServiceRole));
    assert_eq!(keys.resolve(anon), Some(ApiKey::Anon));
    assert_eq!(keys.resolve(PUBLISHABLE), Some(ApiKey::Anon));
    assert_eq!(keys.resolve(service), Some(ApiKey::ServiceRole));
    assert_eq!(keys.resolve(SECRET_KEY), Some(ApiKey::ServiceRole));
    for unknown in [
        "",
        "sb_secret_",
        "sb_secret_9QdLw3EfKp7uTz5NnMxRaB2vGi",
        " ",
        "anon",
    ] {
        assert_eq!(keys.resolve(unknown), None, "{unknown:?}");
    }
}

#[test]
fn keys_that_open_nothing_or_too_much_are_refused() {
    let base = complete();
    let keys = read(&base).expect("a valid configuration");
    let (anon, service) = (keys.token(ApiKey::Anon), keys.token(ApiKey::ServiceRole));
    let foreign = r#"{"role":"anon","exp":4102444800}"#;
    let foreign = forge_with(
        "another secret of enough length!!",
        r#"{"alg":"HS256"}"#,
        foreign,
    );
    let cases = [
        ("ANON_KEY", ""),
        ("ANON_KEY", "anon"),
        ("ANON_KEY", service),
        ("ANON_KEY", foreign.as_str()),
        ("SERVICE_ROLE_KEY", anon),
        ("SERVICE_ROLE_KEY", ""),
        ("PUBLISHABLE_KEY", SECRET_KEY),
        ("SECRET_KEY", PUBLISHABLE),
        ("SECRET_KEY", "sb_secret_short"),
        ("JWT_SECRET", "short"),
        ("JWT_EXPIRY", "0"),
        ("JWT_JWKS", "{}"),
        (
            "JWT_JWKS",
            r#"{"keys":[{"kty":"oct","kid":"1","k":"AAAA"}]}"#,
        ),
        (
            "JWT_JWKS",
            r#"{"keys":[{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB"}]}"#,
        ),
        (
            "JWT_JWKS",
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
        ),
    ];
    for (name, value) in cases {
        let refused = read(&base.clone().with(name, value)).expect_err(name);
        assert_eq!(refused, [name], "{value}");
    }
}

#[test]
fn opaque_keys_may_be_left_out() {
    let environment = complete()
        .with("PUBLISHABLE_KEY", "")
        .with("SECRET_KEY", "");
    let keys = read(&environment).expect("a valid configuration");
    assert_eq!(keys.resolve(PUBLISHABLE), None);
    assert_eq!(keys.resolve(""), None);
}
