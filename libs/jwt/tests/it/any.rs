//! Whatever a client sends as a token: it is refused, and nothing breaks.

use proptest::prelude::*;

use crate::forge::{encode, verifier};

/// JSON of the shapes that headers and payloads have, and of others.
fn json() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("alg"),
        Just("typ"),
        Just("kid"),
        Just("crit"),
        Just("exp"),
        Just("nbf"),
        Just("role"),
        Just("aud"),
        Just("iss"),
        Just("sub"),
    ];
    let value = prop_oneof![
        Just("\"HS256\"".to_owned()),
        Just("\"none\"".to_owned()),
        Just("\"JWT\"".to_owned()),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("9999999999".to_owned()),
        Just("-1e400".to_owned()),
        Just("[\"a\"".to_owned()),
        "\\PC{0,12}",
    ];
    let member = (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let members = proptest::collection::vec(member, 0..6);
    members.prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #[test]
    fn no_text_is_a_token(text in "[A-Za-z0-9_.=+/ -]{0,200}|\\PC{0,80}") {
        prop_assert!(verifier().verify(&text).is_err());
    }

    #[test]
    fn nothing_unsigned_is_a_token(header in json(), payload in json(), signature in any::<[u8; 32]>()) {
        let token = [encode(header), encode(payload), encode(signature)];
        prop_assert!(verifier().verify(&token.join(".")).is_err());
    }
}
