//! While a server of the operator's thinks, the database serves others.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::TestRequest;
use tokio::sync::Semaphore;

use super::KEY;
use crate::peer::Peer;
use crate::pkce::{CHALLENGE, VERIFIER};
use crate::post_office::{PostOffice, location, parameter};
use crate::support::{Instance, PASSWORD, Session, assert_error};

/// Thinks until it is told to go on.
async fn think(State(go_on): State<Arc<Semaphore>>, Json(asked): Json<Value>) -> Json<Value> {
    go_on.acquire().await.expect("open").forget();
    Json(json!({ "claims": asked["claims"] }))
}

/// An instance with one connection to its database, and a server that it asks at `moment`.
async fn thinking(moment: &str) -> (Peer, Arc<Semaphore>, Instance) {
    let go_on = Arc::new(Semaphore::new(0));
    let router = Router::new().route("/hook", post(think));
    let (peer, instance) = asking(moment, router.with_state(Arc::clone(&go_on))).await;
    (peer, go_on, instance)
}

/// The same of any server.
async fn asking(moment: &str, router: Router) -> (Peer, Instance) {
    let peer = Peer::start(router).await;
    let settings = settings(moment, &peer);
    let settings = settings.each_ref().map(|(name, value)| (&**name, &**value));
    (peer, Instance::with(&settings).await)
}

/// An instance that asks `peer` at `moment`.
fn settings(moment: &str, peer: &Peer) -> [(String, String); 6] {
    let secret = format!("v1,whsec_{}", STANDARD.encode(KEY));
    [
        (&*format!("GOTRUE_HOOK_{moment}_ENABLED"), "true"),
        (
            &*format!("GOTRUE_HOOK_{moment}_URI"),
            &*format!("{}/hook", peer.url()),
        ),
        (&*format!("GOTRUE_HOOK_{moment}_SECRETS"), &*secret),
        ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
        ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
        ("AUTH_DB_MAX_CONNECTIONS", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Asks all of `requests` at once, and lists users while the server thinks.
async fn ask(instance: &Instance, go_on: &Semaphore, requests: Vec<TestRequest>) {
    let count = requests.len();
    let mut asked = tokio::task::JoinSet::new();
    for request in requests {
        asked.spawn(request.into_future());
    }
    for _ in 0..5 {
        let list = instance.admin(instance.service.get("/admin/users")).await;
        let _ = list.expect_status(200);
    }
    go_on.add_permits(count);
    for answer in asked.join_all().await {
        let _ = answer.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_thinks_about_a_token_holds_no_connection() {
    let (_peer, go_on, instance) = thinking("CUSTOM_ACCESS_TOKEN").await;
    let post = |path: &str, body: Value| instance.service.post(path).json(&body);
    let newcomer = json!({ "email": "a@example.com", "password": PASSWORD });
    let requests = vec![post("/signup", newcomer), post("/signup", json!({}))];
    ask(&instance, &go_on, requests).await;
    let sign_in = || instance.sign_in("a@example.com", PASSWORD);
    ask(&instance, &go_on, vec![sign_in(), sign_in()]).await;
    go_on.add_permits(1);
    let session = Session::of(&sign_in().await.expect_status(200));
    let refresh = || instance.refresh(&session.refresh_token);
    ask(&instance, &go_on, vec![refresh(), refresh(), refresh()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_a_server_grants_no_token_ends() {
    let refuse = async || Json(json!({ "error": { "http_code": 403, "message": "not now" } }));
    let router = Router::new().route("/hook", post(refuse));
    let (_peer, instance) = asking("CUSTOM_ACCESS_TOKEN", router).await;
    let body = json!({ "email": "a@example.com", "password": PASSWORD });
    let refused = instance.service.post("/signup").json(&body).await;
    assert_error(&refused, 403, "hook_refused");
    let left = instance.number("select count(*) from auth.sessions").await;
    assert_eq!(left, 0);
}

/// Refuses one time, grants the next.
async fn waver(State(asked): State<Arc<AtomicUsize>>, Json(question): Json<Value>) -> Json<Value> {
    if asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
        return Json(json!({ "error": { "http_code": 403, "message": "not now" } }));
    }
    Json(json!({ "claims": question["claims"] }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_grants_no_token_for_may_be_shown_again_and_then_no_more() {
    let router = Router::new().route("/hook", post(waver));
    let peer = Peer::start(router.with_state(Arc::default())).await;
    let settings = settings("CUSTOM_ACCESS_TOKEN", &peer);
    let settings = settings.each_ref().map(|(name, value)| (&**name, &**value));
    let office = PostOffice::with(&settings).await;
    let newcomer = json!({ "email": "a@example.com", "password": PASSWORD });
    let asked = office.post("/signup", &newcomer).await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    let letter = office.received("a@example.com").await;
    let link = letter.parameter("token");
    let link = json!({ "type": "signup", "token_hash": link });
    for (status, code) in [
        (403, Some("hook_refused")),
        (200, None),
        (403, Some("otp_expired")),
    ] {
        let answer = office.post("/verify", &link).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["error_code"].as_str(), code);
    }

    let challenge = json!({
        "email": "a@example.com", "code_challenge": CHALLENGE, "code_challenge_method": "s256",
    });
    let asked = office.post("/otp", &challenge).await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    let letter = office.received("a@example.com").await;
    let code = parameter(&location(&office.follow(&letter).await), "code").expect("a code");
    let shown = json!({ "auth_code": code, "code_verifier": VERIFIER });
    for status in [403, 200, 404] {
        let answer = office.post("/token?grant_type=pkce", &shown).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let open = office
        .instance
        .number("select count(*) from auth.sessions")
        .await;
    assert_eq!(open, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_thinks_about_a_newcomer_holds_no_connection() {
    let (_peer, go_on, instance) = thinking("BEFORE_USER_CREATED").await;
    let post = |path: &str, body: Value| instance.service.post(path).json(&body);
    let requests = vec![
        post(
            "/signup",
            json!({ "email": "a@example.com", "password": PASSWORD }),
        ),
        post("/signup", json!({})),
        post("/otp", json!({ "email": "b@example.com" })),
        instance.admin(post("/invite", json!({ "email": "c@example.com" }))),
        instance.admin(post(
            "/admin/generate_link",
            json!({ "type": "magiclink", "email": "d@example.com" }),
        )),
    ];
    ask(&instance, &go_on, requests).await;
    let made = instance.number("select count(*) from auth.users").await;
    assert_eq!(made, 5);
}
