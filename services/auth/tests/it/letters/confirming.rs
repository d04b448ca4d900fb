//! An address is confirmed by its letter, by link or by code, once and for a while.

use std::future::IntoFuture as _;
use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::post_office::{PostOffice, fragment, location, parameter};
use crate::support::{PASSWORD, Session, assert_error};

#[tokio::test]
async fn an_address_is_confirmed_by_its_link() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let answer = office.post("/signup?redirect_to=https://app.example.org/welcome", &body);
    let user = answer.await.expect_status(200).json();
    assert!(
        user["access_token"].is_null() && user["confirmation_sent_at"].is_string(),
        "{user}"
    );
    assert!(user.get("email_confirmed_at").is_none());
    let refused = office.instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&refused, 400, "email_not_confirmed");

    let letter = office.received("ada@example.com").await;
    assert_eq!(letter.mail.from, "auth@example.org");
    assert_eq!(
        letter.mail.header("subject").as_deref(),
        Some("Confirm Your Signup")
    );
    assert_eq!(letter.link.path(), "/auth/v1/verify");
    assert_eq!(letter.parameter("type"), "signup");
    assert_eq!(
        letter.parameter("redirect_to"),
        "https://app.example.org/welcome"
    );
    assert_eq!(letter.parameter("token").len(), 56);

    let target = location(&office.follow(&letter).await);
    assert_eq!(target.host_str(), Some("app.example.org"));
    assert_eq!(target.path(), "/welcome");
    assert_eq!(target.query(), None);
    for name in ["access_token", "refresh_token", "expires_in", "expires_at"] {
        assert!(fragment(&target, name).is_some(), "{name}");
    }
    assert_eq!(fragment(&target, "token_type").as_deref(), Some("bearer"));
    assert_eq!(fragment(&target, "type").as_deref(), Some("signup"));
    let token = fragment(&target, "access_token").expect("a token");
    let me = office.instance.service.get("/user").bearer(&token).await;
    let me = me.expect_status(200).json();
    assert!(me["email_confirmed_at"].is_string());
    assert_eq!(me["user_metadata"]["email_verified"], true);
    assert_eq!(me["identities"][0]["identity_data"]["email_verified"], true);
    let _ = office
        .instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);

    let again = location(&office.follow(&letter).await);
    assert_eq!(
        fragment(&again, "error_code").as_deref(),
        Some("otp_expired")
    );
    assert_eq!(parameter(&again, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn an_address_is_confirmed_by_its_code() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let verify = |code: &str| {
        let body = json!({ "type": "email", "email": "Ada@example.com", "token": code });
        office.post("/verify", &body)
    };
    let wrong = if letter.code.expose() == "000000" {
        "000001"
    } else {
        "000000"
    };
    assert_error(&verify(wrong).await, 403, "otp_expired");
    let other =
        json!({ "type": "email", "email": "bob@example.com", "token": letter.code.expose() });
    assert_error(&office.post("/verify", &other).await, 403, "otp_expired");
    let session = Session::of(&verify(letter.code.expose()).await.expect_status(200));
    assert_eq!(session.claims()["amr"][0]["method"], "otp");
    assert_error(&verify(letter.code.expose()).await, 403, "otp_expired");
}

#[tokio::test]
async fn links_and_codes_are_good_for_a_while_and_the_last_one_only() {
    let office = PostOffice::with(&[("GOTRUE_MAILER_OTP_EXP", "600")]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let first = office.received("ada@example.com").await;
    let resend = json!({ "type": "signup", "email": "ada@example.com" });
    let _ = office.post("/resend", &resend).await.expect_status(200);
    let second = office.received("ada@example.com").await;
    assert_eq!(office.sink.mails().len(), 2);
    let target = location(&office.follow(&first).await);
    assert_eq!(
        fragment(&target, "error_code").as_deref(),
        Some("otp_expired")
    );
    office.instance.advance(Duration::from_mins(11));
    let target = location(&office.follow(&second).await);
    assert_eq!(
        fragment(&target, "error_code").as_deref(),
        Some("otp_expired")
    );
    let body = json!({ "type": "signup", "token_hash": second.parameter("token") });
    assert_error(&office.post("/verify", &body).await, 403, "otp_expired");
}

#[tokio::test]
async fn of_many_who_show_one_link_at_once_one_is_let_in() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let body = json!({ "type": "email", "token_hash": letter.parameter("token") });
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        tries.spawn(office.post("/verify", &body).into_future());
    }
    let answers = tries.join_all().await;
    let let_in = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn whoever_only_looks_ahead_takes_nothing() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let query = letter.link.query().expect("a query");
    let path = format!("/verify?{query}");
    let ahead = office.instance.service.request(Method::HEAD, &path).await;
    assert_eq!(ahead.status.as_u16(), 405);
    let target = location(&office.follow(&letter).await);
    assert!(fragment(&target, "access_token").is_some());
}
