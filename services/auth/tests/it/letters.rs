//! Letters, and what their readers prove by them.

use std::future::IntoFuture as _;
use std::time::{Duration, Instant};

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
async fn both_addresses_confirm_a_change() {
    let office = PostOffice::new().await;
    let session = confirmed(&office, "ada@example.com").await;
    let change = office
        .instance
        .service
        .put("/user")
        .bearer(&session.access_token);
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
    let change = office
        .instance
        .service
        .put("/user")
        .bearer(&session.access_token);
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
    let change = office
        .instance
        .service
        .put("/user")
        .bearer(&ada.access_token);
    let answer = change.json(&json!({ "email": "bob@example.com" })).await;
    assert_error(&answer, 422, "email_exists");
}

#[tokio::test]
async fn an_anonymous_user_confirms_an_address_and_keeps_the_id() {
    let office = PostOffice::with(&[("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")]).await;
    let session = Session::of(&office.post("/signup", &json!({})).await.expect_status(200));
    let change = office
        .instance
        .service
        .put("/user")
        .bearer(&session.access_token);
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

#[tokio::test]
async fn a_new_password_may_need_a_code() {
    let setting = "GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION";
    let office = PostOffice::with(&[(setting, "true"), ("JWT_EXPIRY", "200000")]).await;
    let session = confirmed(&office, "ada@example.com").await;
    office.instance.advance(Duration::from_hours(25));
    let change = |nonce: Option<&str>| {
        let request = office
            .instance
            .service
            .put("/user")
            .bearer(&session.access_token);
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

#[tokio::test]
async fn letters_are_written_as_the_operator_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("confirm.html");
    let template = "<p>Hi {{ if .Data.name }}{{ .Data.name }}{{ else }}you{{ end }}</p>\
                    <a href=\"{{ .SiteURL }}/c?t={{ .TokenHash }}\">{{ .Token }}</a>";
    std::fs::write(&path, template).expect("a file");
    let path = path.to_string_lossy().into_owned();
    let office = PostOffice::with(&[
        ("GOTRUE_MAILER_TEMPLATES_CONFIRMATION", &path),
        (
            "GOTRUE_MAILER_SUBJECTS_CONFIRMATION",
            "Welcome, {{ .Email }}",
        ),
        ("GOTRUE_MAILER_OTP_LENGTH", "8"),
    ])
    .await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD,
        "data": { "name": "<script>\r\nBcc: eve@example.com" } });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let mail = &letter.mail;
    assert_eq!(
        mail.header("subject").as_deref(),
        Some("Welcome, ada@example.com")
    );
    assert_eq!(mail.to, ["ada@example.com"]);
    let text = mail.text();
    assert!(text.contains("<p>Hi &lt;script&gt;"), "{text}");
    assert!(text.contains("https://app.example.org/home/c?t="), "{text}");
    assert_eq!(letter.code.expose().len(), 8);
}

#[tokio::test]
async fn letters_are_sent_so_often() {
    let office = PostOffice::with(&[
        ("GOTRUE_SMTP_MAX_FREQUENCY", "60s"),
        ("GOTRUE_RATE_LIMIT_EMAIL_SENT", "3"),
        ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
    ])
    .await;
    for name in ["a", "b", "c", "d"] {
        office
            .instance
            .sign_up(&format!("{name}@example.com"))
            .await;
    }
    let recover = |name: &str| {
        office.post(
            "/recover",
            &json!({ "email": format!("{name}@example.com") }),
        )
    };
    let _ = recover("a").await.expect_status(200);
    let again = recover("a").await;
    assert_error(&again, 429, "over_email_send_rate_limit");
    assert!(
        again.text().contains("For security purposes"),
        "{}",
        again.text()
    );
    let _ = recover("b").await.expect_status(200);
    let _ = recover("c").await.expect_status(200);
    assert_error(&recover("d").await, 429, "over_email_send_rate_limit");
    office.instance.advance(Duration::from_mins(21));
    let _ = recover("a").await.expect_status(200);
}

#[tokio::test]
async fn a_letter_that_could_not_be_sent_may_be_asked_for_again_at_once() {
    let office = PostOffice::with(&[
        ("GOTRUE_SMTP_MAX_FREQUENCY", "60s"),
        ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
        ("GOTRUE_SMTP_PORT", "1"),
    ])
    .await;
    let ada = office.instance.sign_up("ada@example.com").await;
    let recover = || office.post("/recover", &json!({ "email": "ada@example.com" }));
    let _ = recover().await.expect_status(200);
    // Sent after the answer, in vain: then the pause that is kept between two letters is over.
    let begun = Instant::now();
    while recover().await.status != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the pause goes on"
        );
    }
    let path = "/reauthenticate";
    let asked = office.instance.service.get(path).bearer(&ada.access_token);
    assert_error(&asked.await, 500, "unexpected_failure");
}

#[tokio::test]
async fn nothing_that_opens_an_account_is_stored_in_the_clear() {
    let office = PostOffice::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received("ada@example.com").await;
    let dump = "select (select string_agg(t::text, '') from auth.one_time_tokens t) || \
                (select string_agg(u::text, '') from auth.users u) || \
                (select string_agg(a::text, '') from auth.audit_log_entries a)";
    let dump = office.instance.text(dump).await;
    assert!(dump.contains("ada@example.com"));
    assert!(!dump.contains(&letter.parameter("token")));
    assert!(!dump.contains(letter.code.expose()));
}

/// Signs up and confirms.
pub(crate) async fn confirmed(office: &PostOffice, email: &str) -> Session {
    let body = json!({ "email": email, "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received(email).await;
    let body = json!({ "type": "signup", "email": email, "token": letter.code.expose() });
    Session::of(&office.post("/verify", &body).await.expect_status(200))
}
