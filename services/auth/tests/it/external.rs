//! Signing in by another provider.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestResponse;
use url::Url;

use crate::pkce::{CHALLENGE, VERIFIER};
use crate::post_office::{fragment, location, parameter};
use crate::provider::Provider;
use crate::support::{Instance, PASSWORD, Session, assert_error};

struct World {
    instance: Instance,
    provider: Provider,
}

impl World {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let provider = Provider::start().await;
        let mut all = vec![
            ("GOTRUE_EXTERNAL_KEYCLOAK_ENABLED", "true"),
            ("GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID", "client-1,ios-app"),
            ("GOTRUE_EXTERNAL_KEYCLOAK_SECRET", "quite-secret"),
            ("GOTRUE_EXTERNAL_KEYCLOAK_URL", provider.url()),
            ("GOTRUE_EXTERNAL_GITHUB_ENABLED", "true"),
            ("GOTRUE_EXTERNAL_GITHUB_CLIENT_ID", "client-1"),
            ("GOTRUE_EXTERNAL_GITHUB_SECRET", "quite-secret"),
            ("GOTRUE_EXTERNAL_GITHUB_URL", provider.url()),
            ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
            ("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true"),
            ("GOTRUE_SITE_URL", "https://app.example.org/home"),
            ("AUTH_PRIVATE_HOSTS", "127.0.0.1"),
        ];
        all.extend_from_slice(settings);
        let instance = Instance::with(&all).await;
        Self { instance, provider }
    }

    /// A browser leaves: the provider's address, and the browser's cookie.
    async fn leave(&self, query: &str) -> (Url, String) {
        let answer = self
            .instance
            .service
            .get(&format!("/authorize?{query}"))
            .await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let address = answer.header("location").expect("an address");
        (Url::parse(address).expect("a URL"), cookie)
    }

    /// The browser comes back.
    async fn come_back(&self, back: &Url, cookie: &str) -> TestResponse {
        let path = format!("/callback?{}", back.query().expect("a query"));
        self.instance
            .service
            .get(&path)
            .header("cookie", cookie)
            .await
    }

    /// All of it; where the browser ends.
    async fn sign_in(&self, query: &str, claims: Value) -> Url {
        self.provider.says(claims);
        let (address, cookie) = self.leave(query).await;
        let back = self.provider.sign_in(&address);
        location(&self.come_back(&back, &cookie).await)
    }

    async fn user(&self, target: &Url) -> Value {
        let token = fragment(target, "access_token").expect("a session");
        let answer = self.instance.service.get("/user").bearer(&token).await;
        answer.expect_status(200).json()
    }
}

fn ada() -> Value {
    json!({ "sub": "kc-7", "email": "Ada@example.com", "email_verified": true,
        "name": "Ada Lovelace", "picture": "https://example.com/a.png", "role": "service_role" })
}

#[tokio::test]
async fn a_stranger_gets_an_account_and_comes_back_to_it() {
    let world = World::new().await;
    let target = world.sign_in("provider=keycloak", ada()).await;
    assert_eq!(target.host_str(), Some("app.example.org"));
    assert_eq!(
        fragment(&target, "provider_token").as_deref(),
        Some("provider-access")
    );
    let user = world.user(&target).await;
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["role"], "authenticated");
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "keycloak", "providers": ["keycloak"] })
    );
    assert_eq!(user["user_metadata"]["full_name"], "Ada Lovelace");
    assert_eq!(user["identities"][0]["id"], "kc-7");
    let again = world.sign_in("provider=keycloak", ada()).await;
    assert_eq!(world.user(&again).await["id"], user["id"]);
    assert_eq!(
        world
            .instance
            .number("select count(*) from auth.users")
            .await,
        1
    );
}

#[tokio::test]
async fn the_client_that_began_trades_a_code_for_the_session() {
    let world = World::new().await;
    let query = format!(
        "provider=keycloak&code_challenge={CHALLENGE}&code_challenge_method=s256&prompt=login&state=mine&client_id=x"
    );
    world.provider.says(ada());
    let (address, cookie) = world.leave(&query).await;
    assert_eq!(parameter(&address, "prompt").as_deref(), Some("login"));
    assert_eq!(
        address
            .query_pairs()
            .filter(|(name, _)| name == "state")
            .count(),
        1
    );
    let target = location(
        &world
            .come_back(&world.provider.sign_in(&address), &cookie)
            .await,
    );
    assert_eq!(target.fragment(), None);
    let code = parameter(&target, "code").expect("a code");
    let stored = world
        .instance
        .text("select string_agg(f::text, '') from auth.flow_state f")
        .await;
    assert!(
        !stored.contains(&code) && !stored.contains("provider-access"),
        "{stored}"
    );
    let body = json!({ "auth_code": code, "code_verifier": VERIFIER });
    let answer = world
        .instance
        .service
        .post("/token?grant_type=pkce")
        .json(&body)
        .await;
    let answer = answer.expect_status(200);
    assert_eq!(answer.json()["provider_token"], "provider-access");
    assert_eq!(answer.json()["provider_refresh_token"], "provider-refresh");
    assert_eq!(Session::of(&answer).claims()["amr"][0]["method"], "oauth");
}

#[tokio::test]
async fn a_sign_in_ends_once_and_in_the_browser_that_began() {
    let world = World::new().await;
    world.provider.says(ada());
    let (address, cookie) = world.leave("provider=keycloak").await;
    let back = world.provider.sign_in(&address);
    let code = |target: &Url| fragment(target, "error_code");
    for other in ["sb-auth-flow=another", "a=b"] {
        let refused = location(&world.come_back(&back, other).await);
        assert_eq!(code(&refused).as_deref(), Some("bad_oauth_state"));
    }
    let first = location(&world.come_back(&back, &cookie).await);
    assert!(fragment(&first, "access_token").is_some());
    let second = location(&world.come_back(&back, &cookie).await);
    assert_eq!(code(&second).as_deref(), Some("bad_oauth_state"));

    let (address, cookie) = world.leave("provider=keycloak").await;
    let back = world.provider.sign_in(&address);
    world.instance.advance(Duration::from_mins(11));
    let late = location(&world.come_back(&back, &cookie).await);
    assert_eq!(code(&late).as_deref(), Some("bad_oauth_state"));
    let forged = world.instance.service.get("/callback?state=x&code=y").await;
    assert_eq!(code(&location(&forged)).as_deref(), Some("bad_oauth_state"));

    let (address, cookie) = world.leave("provider=keycloak").await;
    let state = parameter(&address, "state").expect("a state");
    let path = format!("/callback?error=access_denied&state={state}");
    let refused = world
        .instance
        .service
        .get(&path)
        .header("cookie", &cookie)
        .await;
    assert_eq!(
        fragment(&location(&refused), "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn accounts_are_linked_by_verified_addresses_only() {
    let world = World::new().await;
    let own = world.instance.sign_up("ada@example.com").await;
    let mut unverified = ada();
    unverified["email_verified"] = json!(false);
    let refused = world.sign_in("provider=keycloak", unverified).await;
    let code = fragment(&refused, "error_code");
    assert_eq!(code.as_deref(), Some("provider_email_needs_verification"));
    let linked = world.sign_in("provider=keycloak", ada()).await;
    let user = world.user(&linked).await;
    assert_eq!(user["id"], own.user["id"]);
    assert_eq!(
        user["app_metadata"]["providers"],
        json!(["email", "keycloak"])
    );
    let _ = world
        .instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn whoever_took_an_address_before_its_owner_is_put_out() {
    let world = World::with(&[("GOTRUE_MAILER_AUTOCONFIRM", "false")]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let _ = world
        .instance
        .service
        .post("/signup")
        .json(&body)
        .await
        .expect_status(200);
    let target = world.sign_in("provider=keycloak", ada()).await;
    assert!(world.user(&target).await["email_confirmed_at"].is_string());
    let attacker = world.instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&attacker, 400, "invalid_credentials");
}

#[tokio::test]
async fn github_is_asked_who_it_is() {
    let world = World::new().await;
    let claims = json!({
        "user": { "id": 7, "login": "ada", "name": "Ada", "avatar_url": "https://example.com/a" },
        "emails": [
            { "email": "old@example.com", "primary": false, "verified": true },
            { "email": "ada@example.com", "primary": true, "verified": true },
            { "email": "boss@example.com", "primary": false, "verified": false },
        ],
    });
    let target = world
        .sign_in("provider=github&scopes=read:org", claims)
        .await;
    let user = world.user(&target).await;
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["identities"][0]["id"], "7");
    assert_eq!(user["user_metadata"]["user_name"], "ada");
}

#[tokio::test]
async fn an_identity_is_linked_by_hand_and_is_nobody_elses() {
    let world = World::new().await;
    let anonymous = world
        .instance
        .service
        .post("/signup")
        .json(&json!({}))
        .await;
    let anonymous = Session::of(&anonymous.expect_status(200));
    world.provider.says(ada());
    let begin = |session: &Session| {
        let path = "/user/identities/authorize?provider=keycloak&skip_http_redirect=true";
        world
            .instance
            .service
            .get(path)
            .bearer(&session.access_token)
    };
    let begun = begin(&anonymous).await.expect_status(200).json();
    let address = Url::parse(begun["url"].as_str().expect("an address")).expect("a URL");
    let back = world.provider.sign_in(&address);
    let target = location(&world.come_back(&back, "").await);
    let user = world.user(&target).await;
    assert_eq!(user["id"], anonymous.user["id"]);
    assert_eq!(user["is_anonymous"], false);
    assert_eq!(user["email"], "ada@example.com");

    let eve = world.instance.sign_up("eve@example.com").await;
    let begun = begin(&eve).await.expect_status(200).json();
    let address = Url::parse(begun["url"].as_str().expect("an address")).expect("a URL");
    let back = world.provider.sign_in(&address);
    let target = location(&world.come_back(&back, "").await);
    assert_eq!(
        fragment(&target, "error_code").as_deref(),
        Some("identity_already_exists")
    );
}

#[tokio::test]
async fn id_tokens_of_the_provider_for_us_are_taken() {
    let world = World::new().await;
    let grant = |token: &str, nonce: Option<&str>| {
        let body = json!({ "provider": "keycloak", "id_token": token, "nonce": nonce });
        world
            .instance
            .service
            .post("/token?grant_type=id_token")
            .json(&body)
    };
    let token = |changes: &Value| {
        let mut claims = ada();
        for (name, value) in changes.as_object().expect("changes") {
            claims[name] = value.clone();
        }
        world.provider.id_token(&claims)
    };
    let genuine = token(&json!({}));
    let session = Session::of(&grant(&genuine, None).await.expect_status(200));
    assert_eq!(session.user["email"], "ada@example.com");
    let app = grant(&token(&json!({ "aud": ["ios-app"] })), None).await;
    assert_eq!(
        Session::of(&app.expect_status(200)).user_id(),
        session.user_id()
    );
    // SHA-256 of "kept", in hexadecimal.
    let hashed = "79f076abdd19a752db7267bfff2f9022161d120dea919fdaca2ffdfc24ca8c96";
    let kept = grant(&token(&json!({ "nonce": hashed })), Some("kept")).await;
    let _ = kept.expect_status(200);
    let wrong = [
        (json!({ "aud": "another-client" }), None),
        (json!({ "iss": "https://evil.example" }), None),
        (json!({ "exp": 1 }), None),
        (json!({ "iat": 99_999_999_999_i64 }), None),
        (json!({ "sub": "" }), None),
        (json!({ "nonce": "x" }), None),
        (json!({ "nonce": "kept" }), Some("kept")),
        (json!({}), Some("kept")),
    ];
    for (changes, nonce) in wrong {
        let answer = grant(&token(&changes), nonce).await;
        assert_error(&answer, 400, "bad_oauth_callback");
    }
    let (head, signature) = genuine.rsplit_once('.').expect("three parts");
    let flipped: String = signature.chars().rev().collect();
    let anon = world.instance.db.anon_token().to_owned();
    for forged in [
        format!("{head}.{flipped}"),
        format!("{head}."),
        anon,
        "x.y.z".to_owned(),
    ] {
        assert_error(&grant(&forged, None).await, 400, "bad_oauth_callback");
    }
    let body = json!({ "provider": "google", "id_token": genuine });
    let answer = world
        .instance
        .service
        .post("/token?grant_type=id_token")
        .json(&body)
        .await;
    assert_error(&answer, 400, "validation_failed");
}

#[tokio::test]
async fn providers_that_are_not_configured_are_refused() {
    let world = World::new().await;
    for query in [
        "",
        "provider=",
        "provider=google",
        "provider=nonsense",
        "provider=keycloak&code_challenge=x",
    ] {
        let answer = world
            .instance
            .service
            .get(&format!("/authorize?{query}"))
            .await;
        assert_error(&answer, 400, "validation_failed");
    }
    let settings = world
        .instance
        .service
        .get("/settings")
        .await
        .expect_status(200)
        .json();
    assert_eq!(settings["external"]["keycloak"], true);
    assert_eq!(settings["external"]["google"], false);
}
