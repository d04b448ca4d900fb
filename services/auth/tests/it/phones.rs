//! Accounts by phone number, and a provider of text messages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::collections::HashMap;

use crate::peer::Peer;
use crate::support::{Instance, PASSWORD, Session, assert_error};

type Sent = Arc<Mutex<Vec<HashMap<String, String>>>>;

async fn take(
    State(sent): State<Sent>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let message: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(account, "AC123");
    assert_eq!(headers["authorization"], "Basic QUMxMjM6cXVpdGUtc2VjcmV0");
    if message["To"] == "+49999" {
        let refusal = json!({ "code": 21211, "message": "not a number", "status": 400 });
        return (StatusCode::BAD_REQUEST, Json(refusal));
    }
    sent.lock().expect("no panic").push(message);
    (
        StatusCode::CREATED,
        Json(json!({ "sid": "SM1", "status": "queued" })),
    )
}

struct Phones {
    instance: Instance,
    sent: Sent,
    _twilio: Peer,
}

impl Phones {
    async fn new() -> Self {
        let sent = Sent::default();
        let path = "/2010-04-01/Accounts/{account}/Messages.json";
        let router = axum::Router::new().route(path, post(take));
        let twilio = Peer::start(router.with_state(Arc::clone(&sent))).await;
        let instance = Instance::with(&[
            ("GOTRUE_EXTERNAL_PHONE_ENABLED", "true"),
            ("GOTRUE_SMS_PROVIDER", "twilio"),
            ("GOTRUE_SMS_TWILIO_URL", twilio.url()),
            ("GOTRUE_SMS_TWILIO_ACCOUNT_SID", "AC123"),
            ("GOTRUE_SMS_TWILIO_AUTH_TOKEN", "quite-secret"),
            ("GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID", "MG1"),
            ("GOTRUE_SMS_TEMPLATE", "Code: {{ .Code }}"),
            ("GOTRUE_SMS_TEST_OTP", "4912345=112233"),
            ("GOTRUE_SMS_MAX_FREQUENCY", "5s"),
            ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
        ])
        .await;
        Self {
            instance,
            sent,
            _twilio: twilio,
        }
    }

    fn code_to(&self, number: &str) -> String {
        let sent = self.sent.lock().expect("no panic");
        let message = sent.iter().rev().find(|message| message["To"] == number);
        let body = &message.expect("a message")["Body"];
        body.strip_prefix("Code: ")
            .expect("the template")
            .to_owned()
    }

    async fn verify(&self, kind: &str, phone: &str, code: &str) -> testkit::TestResponse {
        let body = json!({ "type": kind, "phone": phone, "token": code });
        self.instance.service.post("/verify").json(&body).await
    }
}

#[tokio::test]
async fn a_number_is_confirmed_and_signed_in_by() {
    let phones = Phones::new().await;
    let body = json!({ "phone": "+49 30 1234", "password": PASSWORD });
    let answer = phones.instance.service.post("/signup").json(&body).await;
    let user = answer.expect_status(200).json();
    assert_eq!(user["phone"], "49301234");
    assert!(user["confirmation_sent_at"].is_string());
    let sign_in = || {
        let body = json!({ "phone": "49301234", "password": PASSWORD });
        phones
            .instance
            .service
            .post("/token?grant_type=password")
            .json(&body)
    };
    assert_error(&sign_in().await, 400, "phone_not_confirmed");
    let code = phones.code_to("+49301234");
    assert_error(
        &phones.verify("sms", "+49301234", "0").await,
        403,
        "otp_expired",
    );
    let session = Session::of(
        &phones
            .verify("sms", "+49301234", &code)
            .await
            .expect_status(200),
    );
    assert!(session.user["phone_confirmed_at"].is_string());
    assert_eq!(session.claims()["phone"], "49301234");
    let _ = sign_in().await.expect_status(200);

    let otp = || {
        phones
            .instance
            .service
            .post("/otp")
            .json(&json!({ "phone": "+49301234" }))
    };
    assert_error(&otp().await, 429, "over_sms_send_rate_limit");
    phones.instance.advance(Duration::from_secs(6));
    let answer = otp().await.expect_status(200).json();
    assert_eq!(answer, json!({ "message_id": "SM1" }));
    let code = phones.code_to("+49301234");
    phones.instance.advance(Duration::from_secs(61));
    assert_error(
        &phones.verify("sms", "+49301234", &code).await,
        403,
        "otp_expired",
    );
}

#[tokio::test]
async fn a_test_number_has_its_own_code_and_no_message() {
    let phones = Phones::new().await;
    let body = json!({ "phone": "+4912345" });
    let _ = phones
        .instance
        .service
        .post("/otp")
        .json(&body)
        .await
        .expect_status(200);
    assert!(phones.sent.lock().expect("no panic").is_empty());
    let _ = Session::of(
        &phones
            .verify("sms", "+4912345", "112233")
            .await
            .expect_status(200),
    );
    let body = json!({ "phone": "+4912346", "channel": "pigeon" });
    let answer = phones.instance.service.post("/otp").json(&body).await;
    assert_error(&answer, 400, "validation_failed");
    let body = json!({ "phone": "+49999" });
    let answer = phones.instance.service.post("/otp").json(&body).await;
    assert_error(&answer, 422, "sms_send_failed");
}

#[tokio::test]
async fn a_new_number_is_confirmed_first() {
    let phones = Phones::new().await;
    let session = phones.instance.sign_up("ada@example.com").await;
    let change = phones.instance.change(&session);
    let user = change
        .json(&json!({ "phone": "+49301234" }))
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["new_phone"], "49301234");
    assert_eq!(user["phone"], "");
    let code = phones.code_to("+49301234");
    let changed = phones.verify("phone_change", "+49301234", &code).await;
    let changed = Session::of(&changed.expect_status(200));
    assert_eq!(changed.user["phone"], "49301234");
    assert_eq!(changed.user_id(), session.user_id());
    let providers: Vec<_> = changed.user["identities"]
        .as_array()
        .expect("identities")
        .iter()
        .map(|identity| identity["provider"].clone())
        .collect();
    assert!(providers.contains(&json!("email")) && providers.contains(&json!("phone")));
}

#[tokio::test]
async fn hosts_of_private_networks_are_not_asked_unless_they_are_named() {
    let instance = Instance::with(&[
        ("GOTRUE_EXTERNAL_PHONE_ENABLED", "true"),
        ("GOTRUE_SMS_PROVIDER", "twilio"),
        ("GOTRUE_SMS_TWILIO_URL", "http://127.0.0.1:1"),
        ("GOTRUE_SMS_TWILIO_ACCOUNT_SID", "AC123"),
        ("GOTRUE_SMS_TWILIO_AUTH_TOKEN", "quite-secret"),
        ("GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID", "MG1"),
    ])
    .await;
    let body = json!({ "phone": "+49301234" });
    let answer = instance.service.post("/otp").json(&body).await;
    assert_error(&answer, 500, "unexpected_failure");
    assert!(!answer.text().contains("127.0.0.1"));
}
