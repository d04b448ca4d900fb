//! Letters instead of a password: to sign in, to replace a forgotten one, to change it.

use std::time::Duration;

use serde_json::json;

use super::confirmed;
use crate::post_office::{PostOffice, fragment, location};
use crate::support::{Session, assert_error};

#[tokio::test]
async fn a_forgotten_password_is_replaced() {
    let office = PostOffice::with(&[("GOTRUE_MAILER_AUTOCONFIRM", "true")]).await;
    let before = office.instance.sign_up("ada@example.com").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        let answer = office.post("/recover", &json!({ "email": email })).await;
        assert_eq!(answer.expect_status(200).json(), json!({}));
    }
    let letter = office.received("ada@example.com").await;
    assert_eq!(office.sink.mails().len(), 1);
    assert_eq!(letter.parameter("type"), "recovery");
    assert_eq!(
        letter.parameter("redirect_to"),
        "https://app.example.org/home"
    );
    let target = location(&office.follow(&letter).await);
    assert_eq!(fragment(&target, "type").as_deref(), Some("recovery"));
    let token = fragment(&target, "access_token").expect("a token");
    let change = office.instance.service.put("/user").bearer(&token);
    let change = change.json(&json!({ "password": "a-new-password" })).await;
    let _ = change.expect_status(200);
    let _ = office
        .instance
        .sign_in("ada@example.com", "a-new-password")
        .await
        .expect_status(200);
    assert_error(
        &office.instance.user(&before).await,
        403,
        "session_not_found",
    );
    let stored = "select count(*) from auth.audit_log_entries \
                  where payload ->> 'action' = 'user_recovery_requested'";
    assert_eq!(office.instance.number(stored).await, 1);
}

#[tokio::test]
async fn somebody_without_a_password_signs_in_by_a_letter() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "data": { "name": "Ada" } });
    let _ = office.post("/otp", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    assert_eq!(letter.parameter("type"), "signup");
    let verify =
        json!({ "type": "email", "email": "ada@example.com", "token": letter.code.expose() });
    let first = Session::of(&office.post("/verify", &verify).await.expect_status(200));
    assert_eq!(first.user["user_metadata"]["name"], "Ada");

    let _ = office
        .post("/magiclink", &json!({ "email": "ada@example.com" }))
        .await
        .expect_status(200);
    let letter = office.received("ada@example.com").await;
    assert_eq!(letter.parameter("type"), "magiclink");
    let body = json!({ "type": "magiclink", "token_hash": letter.parameter("token") });
    let second = Session::of(&office.post("/verify", &body).await.expect_status(200));
    assert_eq!(second.user_id(), first.user_id());

    let body = json!({ "email": "bob@example.com", "create_user": false });
    assert_error(&office.post("/otp", &body).await, 422, "otp_disabled");
    assert_error(
        &office.post("/otp", &json!({})).await,
        400,
        "validation_failed",
    );
    let both = json!({ "email": "a@example.com", "phone": "4930123" });
    assert_error(&office.post("/otp", &both).await, 400, "validation_failed");
}

#[tokio::test]
async fn a_new_password_may_need_a_code() {
    let setting = "GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION";
    let office = PostOffice::with(&[(setting, "true"), ("JWT_EXPIRY", "200000")]).await;
    let session = confirmed(&office, "ada@example.com").await;
    office.instance.advance(Duration::from_hours(25));
    let change = |nonce: Option<&str>| {
        let request = office.instance.change(&session);
        request.json(&json!({ "password": "a-new-password", "nonce": nonce }))
    };
    assert_error(&change(None).await, 400, "reauthentication_needed");
    let ask = office.instance.service.get("/reauthenticate");
    assert_eq!(
        ask.bearer(&session.access_token)
            .await
            .expect_status(200)
            .json(),
        json!({})
    );
    let mail = office.sink.mail_to("ada@example.com").await;
    let text = mail.text();
    let code = text.split("Enter the code: ").nth(1).expect("a code");
    let code: String = code.chars().take_while(char::is_ascii_digit).collect();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_error(
        &change(Some(wrong)).await,
        422,
        "reauthentication_not_valid",
    );
    let _ = change(Some(&code)).await.expect_status(200);
}
