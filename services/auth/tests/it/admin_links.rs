//! Invitations, links for others to send, the audit log, identities.

use serde_json::{Value, json};

use crate::post_office::{PostOffice, fragment, location};
use crate::support::{PASSWORD, Session, assert_error};

async fn link(office: &PostOffice, body: Value) -> Value {
    let request = office.post("/admin/generate_link", &body);
    office
        .instance
        .admin(request)
        .await
        .expect_status(200)
        .json()
}

async fn open(office: &PostOffice, answer: &Value, kind: &str) -> Session {
    let body = json!({ "type": kind, "token_hash": answer["hashed_token"] });
    Session::of(&office.post("/verify", &body).await.expect_status(200))
}

#[tokio::test]
async fn somebody_is_invited_by_a_letter() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "data": { "team": 7 } });
    let invite = || {
        office
            .instance
            .admin(office.post("/invite?redirect_to=app://callback", &body))
    };
    let user = invite().await.expect_status(200).json();
    assert!(user["invited_at"].is_string());
    assert_eq!(user["user_metadata"]["team"], 7);
    let letter = office.received("ada@example.com").await;
    assert_eq!(letter.parameter("type"), "invite");
    let target = location(&office.follow(&letter).await);
    assert_eq!(target.scheme(), "app");
    assert_eq!(fragment(&target, "type").as_deref(), Some("invite"));
    assert_error(&invite().await, 422, "email_exists");
    assert_error(
        &office.post("/invite", &body).await,
        401,
        "no_authorization",
    );
}

#[tokio::test]
async fn links_of_every_kind_are_made_and_none_is_sent() {
    let office = PostOffice::new().await;
    let email = "ada@example.com";
    let signup = link(
        &office,
        json!({ "type": "signup", "email": email, "password": PASSWORD }),
    )
    .await;
    assert_eq!(signup["verification_type"], "signup");
    assert_eq!(signup["email"], email);
    assert_eq!(signup["redirect_to"], "https://app.example.org/home");
    let action = signup["action_link"].as_str().expect("a link");
    assert!(
        action.contains(signup["hashed_token"].as_str().expect("a token")),
        "{action}"
    );
    let session = open(&office, &signup, "signup").await;
    let _ = office
        .instance
        .sign_in(email, PASSWORD)
        .await
        .expect_status(200);

    let magic = link(
        &office,
        json!({ "type": "magiclink", "email": email, "redirect_to": "https://x.example.org/a" }),
    )
    .await;
    assert_eq!(magic["verification_type"], "magiclink");
    assert_eq!(magic["redirect_to"], "https://x.example.org/a");
    let body = json!({ "type": "email", "email": email, "token": magic["email_otp"] });
    let _ = office.post("/verify", &body).await.expect_status(200);
    let recovery = link(&office, json!({ "type": "recovery", "email": email })).await;
    assert_eq!(
        open(&office, &recovery, "recovery").await.user_id(),
        session.user_id()
    );
    let invited = link(
        &office,
        json!({ "type": "invite", "email": "bob@example.com" }),
    )
    .await;
    assert_eq!(
        open(&office, &invited, "invite").await.user["email"],
        "bob@example.com"
    );
    let fresh = link(
        &office,
        json!({ "type": "magiclink", "email": "new@example.com" }),
    )
    .await;
    assert_eq!(fresh["verification_type"], "signup");

    let change = |kind: &str| json!({ "type": kind, "email": email, "new_email": "l@example.com" });
    let current = link(&office, change("email_change_current")).await;
    let new = link(&office, change("email_change_new")).await;
    let body = json!({ "type": "email_change", "token_hash": current["hashed_token"] });
    let half = office
        .post("/verify", &body)
        .await
        .expect_status(200)
        .json();
    assert!(
        half["msg"]
            .as_str()
            .is_some_and(|text| text.contains("other email")),
        "{half}"
    );
    assert_eq!(
        open(&office, &new, "email_change").await.user["email"],
        "l@example.com"
    );
    assert!(office.sink.mails().is_empty());
}

#[tokio::test]
async fn links_that_make_no_sense_are_refused() {
    let office = PostOffice::new().await;
    let cases = [
        (
            json!({ "type": "recovery", "email": "nobody@example.com" }),
            404,
            "user_not_found",
        ),
        (
            json!({ "type": "x", "email": "a@example.com" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "email": "a@example.com" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "type": "signup", "email": "a@example.com" }),
            400,
            "validation_failed",
        ),
        (
            json!({ "type": "signup", "email": "a@example.com", "password": "x" }),
            422,
            "weak_password",
        ),
        (
            json!({ "type": "email_change_new", "email": "a@example.com" }),
            400,
            "validation_failed",
        ),
        (json!({ "type": "recovery" }), 400, "validation_failed"),
    ];
    for (body, status, code) in cases {
        let request = office.post("/admin/generate_link", &body);
        assert_error(&office.instance.admin(request).await, status, code);
    }
}

#[tokio::test]
async fn what_happened_is_read_by_administrators() {
    let office = PostOffice::with(&[("GOTRUE_MAILER_AUTOCONFIRM", "true")]).await;
    let ada = office.instance.sign_up("ada@example.com").await;
    office.instance.advance(std::time::Duration::from_secs(1));
    office.instance.sign_up("bob@example.com").await;
    let get = |query: &str| {
        let request = office.instance.service.get(&format!("/admin/audit{query}"));
        office.instance.admin(request)
    };
    let all = get("").await.expect_status(200);
    assert_eq!(all.header("x-total-count"), Some("4"));
    let all = all.json();
    assert_eq!(all[0]["payload"]["actor_username"], "bob@example.com");
    let some = get("?query=author:ada&per_page=1").await.expect_status(200);
    assert_eq!(some.header("x-total-count"), Some("2"));
    assert_eq!(some.json().as_array().map(Vec::len), Some(1));
    let logins = get("?query=action:login").await.expect_status(200).json();
    assert_eq!(logins.as_array().map(Vec::len), Some(2));
    assert_error(&get("?query=nonsense").await, 400, "validation_failed");
    let user = office
        .instance
        .service
        .get("/admin/audit")
        .bearer(&ada.access_token)
        .await;
    assert_error(&user, 403, "not_admin");
}

#[tokio::test]
async fn an_identity_is_unlinked_but_the_last() {
    let office = PostOffice::with(&[
        ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
        ("GOTRUE_EXTERNAL_PHONE_ENABLED", "true"),
        ("GOTRUE_SMS_AUTOCONFIRM", "true"),
        ("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true"),
    ])
    .await;
    let session = office.instance.sign_up("ada@example.com").await;
    let unlink = |id: &Value| {
        let path = format!("/user/identities/{}", id.as_str().expect("an id"));
        office
            .instance
            .service
            .delete(&path)
            .bearer(&session.access_token)
    };
    let email = session.user["identities"][0]["identity_id"].clone();
    assert_error(&unlink(&email).await, 422, "single_identity_not_deletable");
    let change = office.instance.change(&session);
    let user = change
        .json(&json!({ "phone": "+4930123" }))
        .await
        .expect_status(200)
        .json();
    let identities = user["identities"].as_array().expect("identities");
    let phone = identities
        .iter()
        .find(|identity| identity["provider"] == "phone");
    let phone = phone.expect("a phone")["identity_id"].clone();
    assert_eq!(unlink(&phone).await.expect_status(200).json(), json!({}));
    let user = office.instance.user(&session).await.json();
    assert_eq!(user["phone"], "");
    assert_eq!(user["app_metadata"]["providers"], json!(["email"]));
    assert_error(&unlink(&phone).await, 422, "identity_not_found");
}
