//! How letters are written, how often they are sent, and what of them is kept.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::post_office::PostOffice;
use crate::support::{PASSWORD, assert_error};

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
