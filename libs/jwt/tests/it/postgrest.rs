//! Tokens by the rules of `PostgREST`.

use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use jwt::postgrest::{Encoding, Keys, KeysError, Refusal, Rules, Verifier};

use crate::forge::{HEADER, NOW, clock, encode, forge, forge_with, mac};
use crate::keys::JWKS;

const PASSPHRASE: &str = crate::forge::SECRET;

fn rules() -> Rules {
    Rules {
        audience: None,
        role: ".role".parse().expect("a path"),
        default_role: Some("web_anon".to_owned()),
        cache_entries: std::num::NonZeroUsize::new(100),
        cache_lifetime: None,
    }
}

fn verifier_with(rules: Rules) -> Verifier {
    let keys = Keys::parse(PASSPHRASE, Encoding::Plain).expect("a secret");
    Verifier::new(keys, rules, clock())
}

fn verdict(verifier: &Verifier, payload: &str) -> Result<String, Refusal> {
    let identity = verifier.verify(&forge(HEADER, payload))?;
    Ok(identity.role.clone())
}

#[test]
fn a_token_needs_no_more_than_a_signature() {
    let verifier = verifier_with(rules());
    assert_eq!(
        verdict(&verifier, r#"{"role":"todo_user"}"#).as_deref(),
        Ok("todo_user")
    );
    assert_eq!(verdict(&verifier, "{}").as_deref(), Ok("web_anon"));
    let identity = verifier.verify(&forge(HEADER, r#"{"email":"a@b.c"}"#));
    let claims = Arc::clone(&identity.expect("genuine").claims_json);
    assert_eq!(&*claims, r#"{"email":"a@b.c","role":"web_anon"}"#);
}

#[test]
fn without_a_role_and_a_default_nobody_is_asking() {
    let verifier = verifier_with(Rules {
        default_role: None,
        ..rules()
    });
    assert_eq!(verdict(&verifier, "{}"), Err(Refusal::NoRole));
    assert_eq!(
        verdict(&verifier, r#"{"role":["a"]}"#),
        Err(Refusal::Claims)
    );
}

#[test]
fn times_have_thirty_seconds_of_leeway() {
    let verifier = verifier_with(rules());
    let verdict = |name: &str, seconds: i64| {
        verdict(&verifier, &format!(r#"{{"{name}":{seconds}}}"#)).map(|_| ())
    };
    assert_eq!(verdict("exp", NOW - 30), Ok(()));
    assert_eq!(verdict("exp", NOW - 31), Err(Refusal::Expired));
    assert_eq!(verdict("nbf", NOW + 30), Ok(()));
    assert_eq!(verdict("nbf", NOW + 31), Err(Refusal::NotYetValid));
    assert_eq!(verdict("iat", NOW + 30), Ok(()));
    assert_eq!(verdict("iat", NOW + 31), Err(Refusal::IssuedInFuture));
}

#[test]
fn claims_of_the_wrong_type_are_refused() {
    let verifier = verifier_with(rules());
    for (payload, refusal) in [
        (r#"{"exp":"x"}"#, Refusal::NotNumber("exp")),
        (r#"{"nbf":"x"}"#, Refusal::NotNumber("nbf")),
        (r#"{"iat":[]}"#, Refusal::NotNumber("iat")),
        (r#"{"aud":{"a":1}}"#, Refusal::AudienceType),
        (r#"{"aud":[{"a":1},"test"]}"#, Refusal::AudienceType),
        ("[1]", Refusal::Claims),
        (r#"{"role":"a","role":"b"}"#, Refusal::Claims),
    ] {
        assert_eq!(verdict(&verifier, payload), Err(refusal), "{payload}");
    }
}

#[test]
fn the_audience_is_asked_for_only_where_it_is_set() {
    let any = verifier_with(rules());
    let ours = verifier_with(Rules {
        audience: Some("me".to_owned()),
        ..rules()
    });
    for (payload, accepted) in [
        (r#"{"aud":"me"}"#, true),
        (r#"{"aud":["you","me"]}"#, true),
        (r#"{"aud":[]}"#, true),
        (r#"{"aud":null}"#, true),
        ("{}", true),
        (r#"{"aud":"you"}"#, false),
        (r#"{"aud":["you"]}"#, false),
    ] {
        assert!(verdict(&any, payload).is_ok(), "{payload}");
        let expected = if accepted {
            Ok(())
        } else {
            Err(Refusal::NotInAudience)
        };
        assert_eq!(verdict(&ours, payload).map(|_| ()), expected, "{payload}");
    }
}

#[test]
fn tokens_made_by_attackers_are_refused() {
    let verifier = verifier_with(rules());
    let payload = encode(r#"{"role":"todo_user"}"#);
    let unsigned = |header: &str| format!("{}.{payload}.", encode(header));
    let genuine = forge(HEADER, r#"{"role":"todo_user"}"#);
    for (token, refusal) in [
        (unsigned(r#"{"alg":"none"}"#), Refusal::Unsecured),
        (unsigned(r#"{"alg":"NoNe"}"#), Refusal::Unsecured),
        (unsigned(HEADER), Refusal::NoKey),
        (unsigned(r#"{"alg":"XY1"}"#), Refusal::Algorithm),
        (
            unsigned(r#"{"alg":"HS256","alg":"none"}"#),
            Refusal::Malformed,
        ),
        (
            forge(r#"{"alg":"HS256","crit":["x"],"x":1}"#, "{}"),
            Refusal::Malformed,
        ),
        (
            forge(r#"{"alg":"HS256","kid":"../../dev/null"}"#, "{}"),
            Refusal::NoKey,
        ),
        (
            forge_with("another secret of thirty-two characters", HEADER, "{}"),
            Refusal::NoKey,
        ),
        (genuine.replacen('.', ".x", 1), Refusal::NoKey),
        ("a.b".to_owned(), Refusal::Parts(2)),
        ("a.b.c.d".to_owned(), Refusal::Parts(4)),
        ("a.b.c".to_owned(), Refusal::Malformed),
        ("x".repeat(1 << 20), Refusal::TooLong),
    ] {
        let verdict = verifier.verify(&token).map(|_| ());
        assert_eq!(
            verdict,
            Err(refusal),
            "{}",
            token.chars().take(80).collect::<String>()
        );
    }
}

#[test]
fn a_public_key_is_no_passphrase() {
    let keys = Keys::parse(JWKS, Encoding::Plain).expect("a set");
    let verifier = Verifier::new(keys, rules(), clock());
    let message = format!("{}.{}", encode(HEADER), encode(r#"{"role":"postgres"}"#));
    let token = format!("{message}.{}", mac(JWKS, &message));
    assert_eq!(verifier.verify(&token).map(|_| ()), Err(Refusal::NoKey));
}

#[test]
fn a_secret_is_plain_or_base64_or_a_key() {
    let bytes = encode(PASSPHRASE);
    let jwk = format!(r#"{{"kty":"oct","k":"{bytes}","kid":"one"}}"#);
    let set = format!(r#"{{"keys":[{{"kty":"later","kid":"x"}},{jwk}]}}"#);
    let named = forge(r#"{"alg":"HS256","kid":"one"}"#, "{}");
    let unnamed = forge(HEADER, "{}");
    for (secret, encoding, takes_named) in [
        (PASSPHRASE, Encoding::Plain, false),
        (&bytes, Encoding::Base64, false),
        (&jwk, Encoding::Plain, true),
        (&set, Encoding::Plain, true),
        (&encode(&set), Encoding::Base64, true),
    ] {
        let keys = Keys::parse(secret, encoding).expect("a secret");
        let verifier = Verifier::new(keys, rules(), clock());
        assert!(verifier.verify(&unnamed).is_ok(), "{secret}");
        assert_eq!(verifier.verify(&named).is_ok(), takes_named, "{secret}");
    }
    let refused = |secret: &str, encoding| Keys::parse(secret, encoding).map(|_| ());
    assert_eq!(refused("short", Encoding::Plain), Err(KeysError::Short));
    assert_eq!(
        refused(&"!".repeat(40), Encoding::Base64),
        Err(KeysError::Base64)
    );
    let unknown = r#"{"keys":[{"kty":"later","kid":"x"}]}"#;
    assert_eq!(refused(unknown, Encoding::Plain), Err(KeysError::NoKey));
}

#[test]
fn a_remembered_token_still_expires() {
    let clock = clock();
    let keys = Keys::parse(PASSPHRASE, Encoding::Plain).expect("a secret");
    let verifier = Verifier::new(keys, rules(), Arc::clone(&clock) as Arc<dyn Clock>);
    let token = forge(HEADER, &format!(r#"{{"exp":{NOW}}}"#));
    assert!(verifier.verify(&token).is_ok());
    assert!(verifier.verify(&token).is_ok());
    assert_eq!(
        (verifier.cache_use().requests, verifier.cache_use().hits),
        (2, 1)
    );
    clock.advance(Duration::from_secs(31));
    assert_eq!(verifier.verify(&token).map(|_| ()), Err(Refusal::Expired));
}
