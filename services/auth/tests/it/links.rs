//! Where links lead: never where an attacker says.

use serde_json::json;

use crate::post_office::{PostOffice, location};
use crate::support::{PASSWORD, assert_error};

#[tokio::test]
async fn links_lead_to_the_site_whatever_a_request_says() {
    let office = PostOffice::with(&[("GOTRUE_MAILER_AUTOCONFIRM", "true")]).await;
    office.instance.sign_up("ada@example.com").await;
    let cases = [
        ("https%3A%2F%2Fevil.com%2F", "https://app.example.org/home"),
        (
            "https%3A%2F%2Fx.example.org%2Fa%2Fb",
            "https://x.example.org/a/b",
        ),
        ("app%3A%2F%2Fcallback", "app://callback"),
        ("javascript%3Aalert(1)", "https://app.example.org/home"),
        (
            "https%3A%2F%2Fapp.example.org%40evil.com",
            "https://app.example.org/home",
        ),
        (
            "https%3A%2F%2Fapp.example.org%0d%0aSet-Cookie%3A+a%3Db",
            "https://app.example.org/home",
        ),
        ("%2F%2Fevil.com", "https://app.example.org/home"),
    ];
    for (asked, expected) in cases {
        let path = format!("/recover?redirect_to={asked}");
        let request = office.post(&path, &json!({ "email": "ada@example.com" }));
        let request = request
            .header("x-forwarded-host", "evil.com")
            .header("x-forwarded-proto", "https")
            .header("host", "evil.com");
        let _ = request.await.expect_status(200);
        let letter = office.received("ada@example.com").await;
        assert_eq!(letter.parameter("redirect_to"), expected, "{asked}");
        assert_ne!(letter.link.host_str(), Some("evil.com"));
        let target = location(&office.follow(&letter).await);
        assert!(target.as_str().starts_with(expected), "{target}");
        let errors = format!("/verify?token=x&type=signup&redirect_to={asked}");
        let target = location(&office.instance.service.get(&errors).await);
        assert!(target.as_str().starts_with(expected), "{target}");
    }
    let request = office.post("/recover", &json!({ "email": "ada@example.com" }));
    let _ = request
        .header("referer", "https://evil.com/x")
        .await
        .expect_status(200);
    let letter = office.received("ada@example.com").await;
    assert_eq!(
        letter.parameter("redirect_to"),
        "https://app.example.org/home"
    );
}

#[tokio::test]
async fn verifications_that_make_no_sense_are_refused() {
    let office = PostOffice::new().await;
    let cases = [
        json!({}),
        json!({ "type": "signup" }),
        json!({ "type": "nonsense", "token": "1", "email": "a@example.com" }),
        json!({ "type": "signup", "token": "1" }),
        json!({ "type": "signup", "token": "1", "phone": "4930123" }),
        json!({ "type": "sms", "token": "1", "email": "a@example.com" }),
        json!({ "type": "signup", "token": "1", "token_hash": "2", "email": "a@example.com" }),
        json!({ "type": "signup", "token_hash": "2", "email": "a@example.com" }),
        json!({ "type": "signup", "token": "1", "email": "no address" }),
    ];
    for body in cases {
        let answer = office.post("/verify", &body).await;
        assert_error(&answer, 400, "validation_failed");
    }
    for body in [
        json!({}),
        json!({ "type": "x", "email": "a@example.com" }),
        json!({ "type": "sms", "email": "a@example.com" }),
    ] {
        assert_error(
            &office.post("/resend", &body).await,
            400,
            "validation_failed",
        );
    }
    assert_error(
        &office.post("/recover", &json!({})).await,
        400,
        "validation_failed",
    );
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "code_challenge": "x" });
    assert_error(
        &office.post("/signup", &body).await,
        400,
        "validation_failed",
    );
}

#[tokio::test]
async fn codes_are_guessed_at_so_often_from_wherever() {
    let office = PostOffice::with(&[("GOTRUE_RATE_LIMIT_WRONG_CODES", "3")]).await;
    for email in ["ada@example.com", "nobody@example.com"] {
        let body = json!({ "type": "email", "email": email, "token": "000000" });
        for attempt in 0..3 {
            let ip = format!("192.0.2.{attempt}");
            let answer = office
                .post("/verify", &body)
                .header("x-forwarded-for", &ip)
                .await;
            assert_error(&answer, 403, "otp_expired");
        }
        assert_error(
            &office.post("/verify", &body).await,
            429,
            "over_request_rate_limit",
        );
    }
}
