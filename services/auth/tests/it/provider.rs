//! An identity provider of the tests' own, which speaks `OpenID` Connect and GitHub's protocol.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt::{JwtConfig, SigningJwk};
use serde_json::{Value, json};
use sha2::Digest as _;
use url::Url;

use crate::peer::Peer;
use crate::post_office::parameter;

/// What the next sign-in says of its user, and what was seen.
#[derive(Debug, Default)]
struct Desk {
    issuer: String,
    claims: Value,
    /// What began, by code: nonce and challenge.
    begun: HashMap<String, (Option<String>, String)>,
}

type Shared = Arc<Mutex<Desk>>;

/// The provider.
pub(crate) struct Provider {
    peer: Peer,
    desk: Shared,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let desk = Shared::default();
        let listener = Peer::listener().await;
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        desk.lock().expect("no panic").issuer = url;
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/login/oauth/access_token", post(token))
            .route("/api/v3/user", get(github_user))
            .route("/api/v3/user/emails", get(github_emails))
            .with_state(Arc::clone(&desk));
        let peer = Peer::on(listener, router);
        Self { peer, desk }
    }

    pub(crate) fn url(&self) -> &str {
        self.peer.url()
    }

    /// What is said of whoever signs in next.
    pub(crate) fn says(&self, claims: Value) {
        self.desk.lock().expect("no panic").claims = claims;
    }

    /// What a user does there: signs in, and is sent back with a code.
    pub(crate) fn sign_in(&self, address: &Url) -> Url {
        let asked = |name: &str| parameter(address, name);
        let code = uuid::Uuid::new_v4().to_string();
        let challenge = asked("code_challenge").expect("a challenge");
        assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(asked("response_type").as_deref(), Some("code"));
        assert_eq!(asked("client_id").as_deref(), Some("client-1"));
        let begun = (asked("nonce"), challenge);
        self.desk
            .lock()
            .expect("no panic")
            .begun
            .insert(code.clone(), begun);
        let back = asked("redirect_uri").expect("a redirect");
        let mut back = Url::parse(&back).expect("a URL");
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &asked("state").expect("a state"));
        back
    }

    /// An id token with these claims on top.
    pub(crate) fn id_token(&self, claims: &Value) -> String {
        let desk = self.desk.lock().expect("no panic");
        signed(&desk.issuer, claims)
    }
}

fn key() -> SigningJwk {
    let mut key = SigningJwk::es256("idp".to_owned(), &[11; 32]).expect("a key");
    key.set_signs(true);
    key
}

fn signer() -> JwtConfig {
    let keys = serde_json::to_string(&[key()]).expect("JSON");
    let environment = common::EnvironmentMap::from_iter([
        ("JWT_SECRET", "an-identity-provider-of-the-tests-own"),
        ("GOTRUE_JWT_KEYS", &keys),
    ]);
    let settings = common::Settings::new(&environment);
    JwtConfig::from_settings(&settings).expect("keys")
}

fn signed(issuer: &str, changes: &Value) -> String {
    use common::Clock as _;
    let now = common::SystemClock.unix_seconds();
    let mut claims = json!({ "iss": issuer, "aud": "client-1", "iat": now, "exp": now + 300 });
    for (name, value) in changes.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    signer().signer().sign(&claims).expect("a token")
}

async fn discovery(State(desk): State<Shared>) -> Json<Value> {
    let issuer = desk.lock().expect("no panic").issuer.clone();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/sign-in?ui=small"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    }))
}

async fn keys() -> Json<Value> {
    let mut keys = signer().public_keys();
    let encryption = json!({ "kty": "RSA", "kid": "enc", "use": "enc", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB" });
    keys["keys"]
        .as_array_mut()
        .expect("keys")
        .insert(0, encryption);
    Json(keys)
}

async fn token(State(desk): State<Shared>, body: String) -> (StatusCode, Json<Value>) {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(form["client_secret"], "quite-secret");
    let mut desk = desk.lock().expect("no panic");
    let refused = || {
        (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        )
    };
    let Some((nonce, challenge)) = desk.begun.remove(&form["code"]) else {
        return refused();
    };
    let digest = sha2::Sha256::digest(form["code_verifier"].as_bytes());
    if URL_SAFE_NO_PAD.encode(digest) != challenge {
        return refused();
    }
    let mut claims = desk.claims.clone();
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    let id_token = signed(&desk.issuer, &claims);
    let answer = json!({
        "access_token": "provider-access", "refresh_token": "provider-refresh",
        "token_type": "bearer", "id_token": id_token,
    });
    (StatusCode::OK, Json(answer))
}

async fn github_user(State(desk): State<Shared>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], "Bearer provider-access");
    Json(desk.lock().expect("no panic").claims["user"].clone())
}

async fn github_emails(State(desk): State<Shared>) -> Json<Value> {
    Json(desk.lock().expect("no panic").claims["emails"].clone())
}
