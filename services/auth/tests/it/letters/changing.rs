//! A new address is confirmed before it is the user's.

use serde_json::json;

use super::confirmed;
use crate::post_office::{PostOffice, fragment, location};
use crate::support::{PASSWORD, Session, assert_error};

#[tokio::test]
async fn both_addresses_confirm_a_change() {
    let office = PostOffice::new().await;
    let session = confirmed(&office, "ada@example.com").await;
    let change = office.instance.change(&session);
    let answer = change
        .json(&json!({ "email": "lovelace@example.com" }))
        .await;
    let user = answer.expect_status(200).json();
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["new_email"], "lovelace@example.com");
    assert!(user["email_change_sent_at"].is_string());
    let to_new = office.received("lovelace@example.com").await;
    let to_old = office.received("ada@example.com").await;
    assert_eq!(to_new.parameter("type"), "email_change");
    let half = location(&office.follow(&to_new).await);
    assert!(fragment(&half, "message").is_some_and(|text| text.contains("other email")));
    let user = office
        .instance
        .user(&session)
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["email"], "ada@example.com");
    let body = json!({ "type": "email_change", "email": "ada@example.com", "token": to_old.code.expose() });
    let done = Session::of(&office.post("/verify", &body).await.expect_status(200));
    assert_eq!(done.user["email"], "lovelace@example.com");
    assert_eq!(done.user.get("new_email"), None);
    assert_eq!(done.user["identities"][0]["email"], "lovelace@example.com");
    let _ = office
        .instance
        .sign_in("lovelace@example.com", PASSWORD)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn one_address_confirms_where_that_is_enough() {
    let office = PostOffice::with(&[("GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED", "false")]).await;
    let session = confirmed(&office, "ada@example.com").await;
    let before = office.sink.mails().len();
    let change = office.instance.change(&session);
    let _ = change
        .json(&json!({ "email": "lovelace@example.com" }))
        .await
        .expect_status(200);
    assert_eq!(office.sink.mails().len(), before + 1);
    office.received("lovelace@example.com").await;
    let resend = json!({ "type": "email_change", "email": "ada@example.com" });
    let _ = office.post("/resend", &resend).await.expect_status(200);
    let letter = office.received("lovelace@example.com").await;
    let target = location(&office.follow(&letter).await);
    assert!(fragment(&target, "access_token").is_some());
    let user = office
        .instance
        .user(&session)
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["email"], "lovelace@example.com");
}

#[tokio::test]
async fn a_taken_address_is_not_changed_to() {
    let office = PostOffice::new().await;
    let ada = confirmed(&office, "ada@example.com").await;
    confirmed(&office, "bob@example.com").await;
    let change = office.instance.change(&ada);
    let answer = change.json(&json!({ "email": "bob@example.com" })).await;
    assert_error(&answer, 422, "email_exists");
}

#[tokio::test]
async fn an_anonymous_user_confirms_an_address_and_keeps_the_id() {
    let office = PostOffice::with(&[("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")]).await;
    let session = Session::of(&office.post("/signup", &json!({})).await.expect_status(200));
    let change = office.instance.change(&session);
    let user = change
        .json(&json!({ "email": "ada@example.com" }))
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["is_anonymous"], true);
    let letter = office.received("ada@example.com").await;
    let body = json!({ "type": "email_change", "token_hash": letter.parameter("token") });
    let permanent = Session::of(&office.post("/verify", &body).await.expect_status(200));
    assert_eq!(permanent.user["id"], session.user["id"]);
    assert_eq!(permanent.user["is_anonymous"], false);
    assert_eq!(permanent.user["email"], "ada@example.com");
}
