//! The operator's own code, and proof that somebody is there.

mod waiting;

use std::sync::{Arc, Mutex, OnceLock};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pg::sqlx::{self, PgPool};
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::peer::Peer;
use crate::support::{Instance, PASSWORD, Session, assert_error};

const KEY: &[u8] = b"0123456789abcdef01234567";

type Heard = Arc<Mutex<Vec<Value>>>;

/// Checks the signature as standard-webhooks has it, and answers what the body asks for.
async fn listen(
    State(heard): State<Heard>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let message = format!(
        "{}.{}.{body}",
        header("webhook-id"),
        header("webhook-timestamp")
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("a key");
    mac.update(message.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), expected);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    heard.lock().expect("no panic").push(body.clone());
    if body["user"]["email"] == "eve@example.com" {
        let refusal = json!({ "error": { "http_code": 403, "message": "not here" } });
        return (StatusCode::OK, Json(refusal));
    }
    (StatusCode::OK, Json(json!({})))
}

#[tokio::test]
async fn servers_are_asked_with_signed_requests() {
    let heard = Heard::default();
    let router = Router::new().route("/hook", post(listen));
    let peer = Peer::start(router.with_state(Arc::clone(&heard))).await;
    let uri = format!("{}/hook", peer.url());
    let secret = format!("v1,whsec_{}", STANDARD.encode(KEY));
    let instance = Instance::with(&[
        ("GOTRUE_HOOK_BEFORE_USER_CREATED_ENABLED", "true"),
        ("GOTRUE_HOOK_BEFORE_USER_CREATED_URI", &uri),
        ("GOTRUE_HOOK_BEFORE_USER_CREATED_SECRETS", &secret),
        ("GOTRUE_HOOK_SEND_EMAIL_ENABLED", "true"),
        ("GOTRUE_HOOK_SEND_EMAIL_URI", &uri),
        ("GOTRUE_HOOK_SEND_EMAIL_SECRETS", &secret),
        ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
    ])
    .await;
    let sign_up = |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD });
        instance.service.post("/signup").json(&body)
    };
    let refused = sign_up("eve@example.com").await;
    assert_error(&refused, 403, "hook_refused");
    assert!(refused.text().contains("not here"));
    let _ = sign_up("ada@example.com").await.expect_status(200);
    let heard = heard.lock().expect("no panic").clone();
    assert_eq!(heard[1]["metadata"]["name"], "before-user-created");
    let letter = &heard[2]["email_data"];
    assert_eq!(letter["email_action_type"], "signup");
    let body = json!({ "type": "signup", "token_hash": letter["token_hash"] });
    let verified = instance.service.post("/verify").json(&body).await;
    let _ = Session::of(&verified.expect_status(200));
}

/// A server that hears of letters, and somebody whose address it confirmed.
async fn confirmed_by_hook() -> (Peer, Heard, Instance, Session) {
    let heard = Heard::default();
    let router = Router::new().route("/hook", post(listen));
    let peer = Peer::start(router.with_state(Arc::clone(&heard))).await;
    let secret = format!("v1,whsec_{}", STANDARD.encode(KEY));
    let instance = Instance::with(&[
        ("GOTRUE_HOOK_SEND_EMAIL_ENABLED", "true"),
        (
            "GOTRUE_HOOK_SEND_EMAIL_URI",
            &format!("{}/hook", peer.url()),
        ),
        ("GOTRUE_HOOK_SEND_EMAIL_SECRETS", &secret),
        ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
    ])
    .await;
    let body = json!({ "email": "old@example.com", "password": PASSWORD });
    let pending = instance.service.post("/signup").json(&body).await;
    let _ = pending.expect_status(200);
    let hash = heard.lock().expect("no panic")[0]["email_data"]["token_hash"].clone();
    let body = json!({ "type": "signup", "token_hash": hash });
    let verified = instance.service.post("/verify").json(&body).await;
    let session = Session::of(&verified.expect_status(200));
    (peer, heard, instance, session)
}

#[tokio::test]
async fn a_change_of_address_is_one_call_with_the_hashes_crosswise() {
    // As documented: the current address gets `token` and `token_hash_new`, the new one `token_new`
    // and `token_hash`. Where a pair is shown twice, the change stays half done.
    for by_hash in ["token_hash", "token_hash_new"] {
        let (_peer, heard, instance, session) = confirmed_by_hook().await;
        let change = json!({ "email": "new@example.com" });
        let change = instance.service.put("/user").json(&change);
        let changing = change.bearer(&session.access_token).await;
        let _ = changing.expect_status(200);
        let heard = heard.lock().expect("no panic").clone();
        assert_eq!(heard.len(), 2, "one call for both letters");
        let (user, data) = (&heard[1]["user"], &heard[1]["email_data"]);
        assert_eq!(user["email"], "old@example.com");
        assert_eq!(user["new_email"], "new@example.com");
        assert_eq!(data["email_action_type"], "email_change");
        let (email, code) = match by_hash {
            "token_hash" => ("old@example.com", &data["token"]),
            _ => ("new@example.com", &data["token_new"]),
        };
        for body in [
            json!({ "type": "email_change", "token_hash": data[by_hash] }),
            json!({ "type": "email_change", "email": email, "token": code }),
        ] {
            let verified = instance.service.post("/verify").json(&body).await;
            let _ = verified.expect_status(200);
        }
        let user = instance.user(&session).await.expect_status(200).json();
        assert_eq!(user["email"], "new@example.com", "by {by_hash}");
    }
}

type Database = Arc<OnceLock<PgPool>>;

/// Answers an error, after it looked for the user in the database.
async fn look(State((heard, database)): State<(Heard, Database)>, body: String) -> StatusCode {
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let pool = database.get().expect("the test's database");
    let found = sqlx::query("select 1 from auth.users where id::text = $1")
        .bind(body["user"]["id"].as_str())
        .fetch_optional(pool)
        .await;
    let found = found.expect("a query").is_some();
    heard
        .lock()
        .expect("no panic")
        .push(json!({ "found": found, "body": body }));
    StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::test]
async fn who_is_told_of_an_account_finds_it_and_cannot_undo_it() {
    let (heard, database) = (Heard::default(), Database::default());
    let router = Router::new().route("/hook", post(look));
    let router = router.with_state((Arc::clone(&heard), Arc::clone(&database)));
    let peer = Peer::start(router).await;
    let secret = format!("v1,whsec_{}", STANDARD.encode(KEY));
    let instance = Instance::with(&[
        ("GOTRUE_HOOK_AFTER_USER_CREATED_ENABLED", "true"),
        (
            "GOTRUE_HOOK_AFTER_USER_CREATED_URI",
            &format!("{}/hook", peer.url()),
        ),
        ("GOTRUE_HOOK_AFTER_USER_CREATED_SECRETS", &secret),
        ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
        ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
    ])
    .await;
    database.set(instance.db.admin_pool()).expect("set once");
    let session = instance.sign_up("ada@example.com").await;
    let anonymous = instance.service.post("/signup").json(&json!({})).await;
    let anonymous = Session::of(&anonymous.expect_status(200));
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
    let heard = heard.lock().expect("no panic").clone();
    assert_eq!(heard.len(), 2, "once for each account");
    for (said, session) in heard.iter().zip([&session, &anonymous]) {
        assert_eq!(said["found"], true);
        assert_eq!(said["body"]["user"]["id"], session.user["id"]);
        let metadata = &said["body"]["metadata"];
        assert_eq!(metadata["name"], "after-user-created");
        let time = metadata["time"].as_str().expect("a time");
        assert!(OffsetDateTime::parse(time, &Rfc3339).is_ok(), "{time}");
    }
}

#[tokio::test]
async fn functions_of_the_database_are_asked() {
    let name = |hook: &str, what: &str| format!("GOTRUE_HOOK_{hook}_{what}");
    let hooks = [
        (
            "CUSTOM_ACCESS_TOKEN",
            "pg-functions://postgres/public/claims",
        ),
        (
            "PASSWORD_VERIFICATION_ATTEMPT",
            "pg-functions://postgres/public/attempt",
        ),
    ];
    let settings: Vec<(String, &str)> = hooks
        .iter()
        .flat_map(|(hook, uri)| [(name(hook, "ENABLED"), "true"), (name(hook, "URI"), *uri)])
        .collect();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let instance = Instance::with(&settings).await;
    instance
        .db
        .execute(
            "create function public.claims(event jsonb) returns jsonb language sql as $$ \
               select jsonb_build_object('claims', event -> 'claims' || \
                 '{\"plan\":\"gold\",\"sub\":\"00000000-0000-0000-0000-000000000000\"}') $$; \
             create function public.attempt(event jsonb) returns jsonb language sql as $$ \
               select case when (event ->> 'valid')::boolean \
                 then '{\"decision\":\"continue\"}'::jsonb \
                 else '{\"decision\":\"reject\",\"message\":\"locked\"}'::jsonb end $$; \
             grant usage on schema public to supabase_auth_admin; \
             grant execute on function public.claims, public.attempt to supabase_auth_admin;",
        )
        .await;
    let session = instance.sign_up("ada@example.com").await;
    assert_eq!(session.claims()["plan"], "gold");
    assert_eq!(
        session.claims()["sub"],
        session.user["id"],
        "whose token it is stays"
    );
    let refreshed = instance.refresh(&session.refresh_token).await;
    assert_eq!(
        Session::of(&refreshed.expect_status(200)).claims()["plan"],
        "gold"
    );
    let wrong = instance.sign_in("ada@example.com", "wrong-password").await;
    assert_error(&wrong, 400, "invalid_credentials");
    assert!(wrong.text().contains("locked"), "{}", wrong.text());
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
}

async fn judge(body: String) -> Json<Value> {
    Json(
        json!({ "success": body.contains("response=somebody") && body.contains("secret=quite-secret") }),
    )
}

#[tokio::test]
async fn nobody_signs_in_without_proof_that_they_are_there() {
    let peer = Peer::start(Router::new().route("/verify", post(judge))).await;
    let url = format!("{}/verify", peer.url());
    let instance = Instance::with(&[
        ("GOTRUE_SECURITY_CAPTCHA_ENABLED", "true"),
        ("GOTRUE_SECURITY_CAPTCHA_PROVIDER", "turnstile"),
        ("GOTRUE_SECURITY_CAPTCHA_SECRET", "quite-secret"),
        ("GOTRUE_SECURITY_CAPTCHA_URL", &url),
        ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
    ])
    .await;
    let sign_up = |token: Value| {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD,
            "gotrue_meta_security": { "captcha_token": token } });
        instance.service.post("/signup").json(&body)
    };
    for token in [Value::Null, json!(""), json!("nobody")] {
        assert_error(&sign_up(token).await, 400, "captcha_failed");
    }
    let session = Session::of(&sign_up(json!("somebody")).await.expect_status(200));
    let bare = instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&bare, 400, "captcha_failed");
    let recover = instance
        .service
        .post("/recover")
        .json(&json!({ "email": "ada@example.com" }));
    assert_error(&recover.await, 400, "captcha_failed");
    let _ = instance
        .refresh(&session.refresh_token)
        .await
        .expect_status(200);
}

/// What the service that knows lost passwords is asked, and answers.
async fn range(State(heard): State<Heard>, uri: axum::http::Uri) -> String {
    let asked = json!(uri.path());
    heard.lock().expect("no panic").push(asked);
    // SHA-1 of "password": 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
    "003D68EB55068C33ACE09247EE4C639306B:3\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9\r\n\
     1D2DA4053E34E76F6576ED1DA63134B5E2A:0"
        .to_owned()
}

#[tokio::test]
async fn passwords_that_thieves_know_are_refused() {
    let heard = Heard::default();
    let router = Router::new().fallback(range);
    let peer = Peer::start(router.with_state(Arc::clone(&heard))).await;
    let url = format!("{}/range", peer.url());
    let instance = Instance::with(&[
        ("GOTRUE_PASSWORD_HIBP_ENABLED", "true"),
        ("GOTRUE_PASSWORD_HIBP_URL", &url),
        ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
    ])
    .await;
    let sign_up = |password: &str| {
        let body = json!({ "email": "ada@example.com", "password": password });
        instance.service.post("/signup").json(&body)
    };
    let refused = sign_up("password").await;
    assert_error(&refused, 422, "weak_password");
    assert_eq!(refused.json()["weak_password"]["reasons"], json!(["pwned"]));
    assert_eq!(*heard.lock().expect("no panic"), [json!("/range/5BAA6")]);
    let session = Session::of(&sign_up(PASSWORD).await.expect_status(200));
    let change = instance
        .service
        .put("/user")
        .json(&json!({ "password": "password" }));
    let refused = change.bearer(&session.access_token).await;
    assert_error(&refused, 422, "weak_password");
    drop(peer);
    // Where nobody answers, a password counts as unknown.
    let change = instance
        .service
        .put("/user")
        .json(&json!({ "password": "password" }));
    let _ = change
        .bearer(&session.access_token)
        .await
        .expect_status(200);
}
