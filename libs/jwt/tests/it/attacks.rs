//! Every way a token may be wrong. Each case differs from a genuine token in one thing, which
//! `genuine.rs` shows to be accepted.

use jwt::TokenError::{
    self, Claim, Expired, Header, Malformed, NotYetValid, Signature, TooLong, UnknownKey,
};

use crate::forge::{HEADER, NOW, SECRET, claims, encode, forge, forge_with, mac, verifier};
use crate::keys::{ES256_TOKEN, RS256_TOKEN, RSA_PEM};

/// Asserts that each token is refused for its own reason, and again when it is seen again.
fn assert_refused(cases: impl IntoIterator<Item = (String, TokenError)>) {
    let verifier = verifier();
    for (token, expected) in cases {
        for _ in 0..2 {
            let refused = verifier.verify(&token).expect_err(&token);
            assert_eq!(refused, expected, "{token}");
        }
    }
}

#[test]
fn headers_that_choose_their_own_key_or_algorithm() {
    let cases = [
        (r#"{"alg":"none"}"#, UnknownKey),
        (r#"{"alg":"None","typ":"JWT"}"#, UnknownKey),
        (r#"{"alg":"NONE"}"#, UnknownKey),
        (r#"{"alg":"nOnE"}"#, UnknownKey),
        (r#"{"alg":""}"#, UnknownKey),
        (r#"{"alg":null}"#, UnknownKey),
        (r#"{"alg":["HS256"]}"#, UnknownKey),
        (r#"{"alg":"hs256"}"#, UnknownKey),
        (r#"{"alg":"HS384"}"#, UnknownKey),
        (r#"{"alg":"HS512"}"#, UnknownKey),
        (r#"{"alg":"RS256"}"#, UnknownKey),
        (r#"{"alg":"PS256","kid":"rsa-1"}"#, UnknownKey),
        (r#"{"alg":"RS256","kid":"rsa-1"}"#, Signature),
        (r#"{"alg":"ES256","kid":"rsa-1"}"#, UnknownKey),
        (r#"{"alg":"HS256","kid":"rsa-1"}"#, UnknownKey),
        (r#"{"alg":"HS256","kid":"unknown"}"#, UnknownKey),
        (r#"{"alg":"HS256","kid":""}"#, UnknownKey),
        (
            r#"{"alg":"HS256","kid":"../../../../dev/null"}"#,
            UnknownKey,
        ),
        (
            r#"{"alg":"HS256","kid":"' union select 'key' -- "}"#,
            UnknownKey,
        ),
        (r#"{"alg":"HS256","kid":"\u0000"}"#, UnknownKey),
        (r#"{"alg":"HS256","kid":null}"#, Header),
        (r#"{"alg":"HS256","kid":["rsa-1"]}"#, Header),
        (r#"{"typ":"JWT"}"#, UnknownKey),
        (r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}"#, Header),
        (
            r#"{"alg":"HS256","jku":"https://evil.example/jwks"}"#,
            Header,
        ),
        (
            r#"{"alg":"HS256","x5u":"https://evil.example/x5u"}"#,
            Header,
        ),
        (r#"{"alg":"HS256","x5c":["MIIB"]}"#, Header),
        (r#"{"alg":"HS256","crit":["exp"]}"#, Header),
        (r#"{"alg":"HS256","crit":[]}"#, Header),
        (r#"{"alg":"HS256","b64":false}"#, Header),
        (r#"{"alg":"HS256","cty":"JWT"}"#, Header),
        (r#"{"alg":"dir","enc":"A256GCM"}"#, Header),
        (r#"{"alg":"HS256","zip":"DEF"}"#, Header),
        (r#"{"alg":"HS256","typ":"refresh+jwt"}"#, Header),
        (r#"{"alg":"HS256","typ":"dpop+jwt"}"#, Header),
        (r#"{"alg":"HS256","typ":"JWE"}"#, Header),
        (r#"{"alg":"HS256","typ":7}"#, Header),
        (r#"{"alg":"HS256","alg":"HS256"}"#, Malformed),
        (r#"{"alg":"none","alg":"HS256"}"#, Malformed),
        (r#"["HS256"]"#, Malformed),
        (r#"{"alg":"HS256"#, Malformed),
        ("", Malformed),
    ];
    let payload = claims(&[]);
    assert_refused(cases.map(|(header, expected)| (forge(header, &payload), expected)));
}

#[test]
fn claims_that_are_wrong() {
    let (now, past) = (NOW.to_string(), (NOW - 1).to_string());
    let (soon, float) = ((NOW + 31).to_string(), format!("{}.5", NOW + 3600));
    let text = format!("\"{}\"", NOW + 3600);
    let cases: &[(&str, &str, TokenError)] = &[
        ("exp", "", Claim("exp")),
        ("exp", &now, Expired),
        ("exp", &past, Expired),
        ("exp", "0", Expired),
        ("exp", "-1", Claim("exp")),
        ("exp", &text, Claim("exp")),
        ("exp", &float, Claim("exp")),
        ("exp", "1e12", Claim("exp")),
        ("exp", "9223372036854775808", Claim("exp")),
        ("exp", "null", Claim("exp")),
        ("exp", "true", Claim("exp")),
        ("exp", "[1767229200]", Claim("exp")),
        ("nbf", &soon, NotYetValid),
        ("nbf", "-1", Claim("nbf")),
        ("nbf", &text, Claim("nbf")),
        ("nbf", "1.5", Claim("nbf")),
        ("nbf", "null", Claim("nbf")),
        ("iat", &soon, NotYetValid),
        ("iat", "-1", Claim("iat")),
        ("iat", &text, Claim("iat")),
        ("iat", "1.5", Claim("iat")),
        ("aud", r#""anon""#, Claim("aud")),
        ("aud", r#""Authenticated""#, Claim("aud")),
        ("aud", r#"["other"]"#, Claim("aud")),
        ("aud", r#"["authenticated",7]"#, Claim("aud")),
        ("aud", "[]", Claim("aud")),
        ("aud", "null", Claim("aud")),
        ("aud", r#"{"authenticated":true}"#, Claim("aud")),
        ("iss", r#""https://evil.example/auth/v1""#, Claim("iss")),
        ("iss", r#""https://db.example.org""#, Claim("iss")),
        ("iss", r#""""#, Claim("iss")),
        ("iss", "null", Claim("iss")),
        ("iss", r#"["https://db.example.org/auth/v1"]"#, Claim("iss")),
        ("role", "", Claim("role")),
        ("role", "null", Claim("role")),
        ("role", r#""""#, Claim("role")),
        ("role", r#"["service_role"]"#, Claim("role")),
        ("role", r#"{"name":"service_role"}"#, Claim("role")),
        ("role", r#""service_role\u0000""#, Claim("role")),
        ("sub", "null", Claim("sub")),
        ("sub", "7", Claim("sub")),
        ("typ", r#""Refresh""#, Claim("typ")),
        ("typ", r#""ID""#, Claim("typ")),
        ("type", r#""refresh""#, Claim("typ")),
        ("token_type", r#""refresh_token""#, Claim("typ")),
        ("token_use", r#""id""#, Claim("typ")),
        ("token_use", "7", Claim("token_use")),
        ("at_hash", r#""77QmUPtjPfzWtF2AnpK9RQ""#, Claim("typ")),
        ("c_hash", r#""LDktKdoQak3Pk0cnXxCltA""#, Claim("typ")),
    ];
    assert_refused(
        cases
            .iter()
            .map(|(name, value, expected)| (forge(HEADER, &claims(&[(name, value)])), *expected)),
    );
}

#[test]
fn payloads_that_two_readers_would_read_differently() {
    let genuine = claims(&[]);
    let twice = genuine.replacen('{', r#"{"role":"service_role","#, 1);
    let escaped = genuine.replacen('{', r#"{"\u0072ole":"service_role","#, 1);
    let nested = genuine.replacen(
        '{',
        r#"{"app_metadata":{"is_superuser":false,"is_superuser":true},"#,
        1,
    );
    let deep = format!(r#"{{"x":{}{},"#, "[".repeat(200), "]".repeat(200));
    let deep = genuine.replacen('{', &deep, 1);
    let payloads = [
        twice,
        escaped,
        nested,
        deep,
        format!("{genuine}{genuine}"),
        format!("{genuine}garbage"),
        format!("\u{feff}{genuine}"),
        genuine.trim_end_matches('}').to_owned(),
        "[]".to_owned(),
        r#""role""#.to_owned(),
        String::new(),
    ];
    assert_refused(payloads.map(|payload| (forge(HEADER, &payload), Malformed)));
}

#[test]
fn texts_that_are_no_token_of_ours() {
    let (header, payload) = (encode(HEADER), encode(claims(&[])));
    let genuine = forge(HEADER, &claims(&[]));
    let (message, signature) = genuine.rsplit_once('.').expect("three parts");
    let padded = format!("{header}.{payload}==");
    let standard = format!("{header}.{payload}+/");
    let not_utf8 = format!("{header}.{}", encode([0x7b, 0xff, 0x7d]));
    let cases = [
        (String::new(), Malformed),
        ("token".to_owned(), Malformed),
        ("..".to_owned(), Malformed),
        (format!("{header}.{payload}"), Malformed),
        (format!("{message}."), Signature),
        (format!(".{payload}.{signature}"), Malformed),
        (format!("{message}.{signature}="), Signature),
        (format!("{message}.{signature}A"), Signature),
        (format!("{message}.{signature}.{signature}"), Signature),
        (format!("{message}.{payload}.{signature}.x.y"), Signature),
        (format!(" {genuine}"), Malformed),
        (format!("{genuine} "), Signature),
        (format!("{genuine}\n"), Signature),
        (format!("{padded}.{}", mac(SECRET, &padded)), Malformed),
        (format!("{standard}.{}", mac(SECRET, &standard)), Malformed),
        (format!("{not_utf8}.{}", mac(SECRET, &not_utf8)), Malformed),
        (
            forge_with("another secret of enough length!", HEADER, &claims(&[])),
            Signature,
        ),
        (forge_with("", HEADER, &claims(&[])), Signature),
        ("A".repeat(1 << 20), TooLong),
        (
            forge(
                HEADER,
                &claims(&[("x", &format!("{:?}", "x".repeat(1 << 20)))]),
            ),
            TooLong,
        ),
    ];
    assert_refused(cases);
}

#[test]
fn public_keys_are_no_shared_secrets() {
    let confused = |header: &str| forge_with(RSA_PEM, header, &claims(&[]));
    let resigned = |token: &str| {
        let (message, _) = token.rsplit_once('.').expect("three parts");
        format!("{message}.{}", mac(RSA_PEM, message))
    };
    assert_refused([
        (confused(r#"{"alg":"HS256","kid":"rsa-1"}"#), UnknownKey),
        (confused(r#"{"alg":"HS256"}"#), Signature),
        (confused(r#"{"alg":"RS256","kid":"rsa-1"}"#), Signature),
        (resigned(RS256_TOKEN), Signature),
        (resigned(ES256_TOKEN), Signature),
        // An all-zero signature (CVE-2022-21449).
        (zero_signature(ES256_TOKEN), Signature),
    ]);
}

fn zero_signature(token: &str) -> String {
    let (message, _) = token.rsplit_once('.').expect("three parts");
    format!("{message}.{}", encode([0; 64]))
}

#[test]
fn no_single_character_can_be_changed() {
    let verifier = verifier();
    let genuine = forge(HEADER, &claims(&[]));
    assert!(verifier.verify(&genuine).is_ok());
    for (at, original) in genuine.bytes().enumerate() {
        for replacement in [b'A', b'B', b'w', b'_', b'.', b'='] {
            if replacement == original {
                continue;
            }
            let mut changed = genuine.clone().into_bytes();
            changed[at] = replacement;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(verifier.verify(&changed).is_err(), "{changed}");
        }
    }
}
