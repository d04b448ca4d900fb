//! Sign-ins that end with a code, for the client that began them.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestRequest;

use crate::post_office::{PostOffice, fragment, location, parameter};
use crate::support::{PASSWORD, Session, assert_error};

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn with_challenge(mut body: Value) -> Value {
    body["code_challenge"] = json!(CHALLENGE);
    body["code_challenge_method"] = json!("s256");
    body
}

fn exchange(office: &PostOffice, code: &str, verifier: &str) -> TestRequest {
    let body = json!({ "auth_code": code, "code_verifier": verifier });
    office.post("/token?grant_type=pkce", &body)
}

#[tokio::test]
async fn a_link_answers_a_code_and_only_who_began_gets_the_session() {
    let office = PostOffice::new().await;
    let body = with_challenge(json!({ "email": "ada@example.com", "password": PASSWORD }));
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    assert!(letter.parameter("token").starts_with("pkce_"));
    let target = location(&office.follow(&letter).await);
    assert_eq!(target.fragment(), None);
    let code = parameter(&target, "code").expect("a code");

    let other = "another-verifier-another-verifier-another-1";
    assert_error(
        &exchange(&office, &code, other).await,
        400,
        "bad_code_verifier",
    );
    // It is good once, whatever came of it.
    assert_error(
        &exchange(&office, &code, VERIFIER).await,
        404,
        "flow_state_not_found",
    );

    let methods = [("/otp", "magiclink"), ("/recover", "recovery")];
    for (path, method) in methods {
        let body = with_challenge(json!({ "email": "ada@example.com" }));
        let _ = office.post(path, &body).await.expect_status(200);
        let letter = office.received("ada@example.com").await;
        let code = parameter(&location(&office.follow(&letter).await), "code").expect("a code");
        let session = Session::of(&exchange(&office, &code, VERIFIER).await.expect_status(200));
        assert_eq!(session.claims()["amr"][0]["method"], method);
        assert_error(
            &exchange(&office, &code, VERIFIER).await,
            404,
            "flow_state_not_found",
        );
    }
    assert_error(
        &exchange(&office, "", VERIFIER).await,
        400,
        "validation_failed",
    );
}

#[tokio::test]
async fn codes_are_good_for_a_while_and_the_letters_own_code_opens_a_session() {
    let office = PostOffice::new().await;
    let body = with_challenge(json!({ "email": "ada@example.com", "password": PASSWORD }));
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let code = parameter(&location(&office.follow(&letter).await), "code").expect("a code");
    office.instance.advance(Duration::from_mins(6));
    assert_error(
        &exchange(&office, &code, VERIFIER).await,
        403,
        "flow_state_expired",
    );

    let body = with_challenge(json!({ "email": "ada@example.com" }));
    let _ = office.post("/otp", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let body =
        json!({ "type": "email", "email": "ada@example.com", "token": letter.code.expose() });
    let _ = Session::of(&office.post("/verify", &body).await.expect_status(200));
    let target = location(&office.follow(&letter).await);
    assert_eq!(
        fragment(&target, "error_code").as_deref(),
        Some("otp_expired")
    );
}
