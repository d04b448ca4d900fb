//! Bodies, paths and headers that mean no good: clear 4xx answers in both dialects.

use serde_json::json;

use crate::support::{Instance, PASSWORD, assert_error};

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let instance = Instance::new().await;
    let deep = format!("{{\"email\":{}", "[".repeat(100_000));
    let cases = [
        "",
        "{",
        "null",
        "[]",
        "\"text\"",
        r#"{"email":"a@b.c","email":"d@e.f","password":"correct-horse-1"}"#,
        r#"{"email":"a@b.c","password":"correct-horse-1","data":{"x":1,"x":2}}"#,
        r#"{"email":5,"password":"correct-horse-1"}"#,
        r#"{"email":"a@b.c","password":"correct-horse-1","data":{"x":"\u0000"}}"#,
        r#"{"email":"a@b.c","password":"correct\u0000horse"}"#,
        r#"{"email":"a@b.c","password":"correct-horse-1"} trailing"#,
        &deep,
    ];
    for body in cases {
        for path in ["/signup", "/token?grant_type=password"] {
            let response = instance.service.post(path).body(body.to_owned()).await;
            assert_error(&response, 400, "bad_json");
        }
    }
    let list = json!({ "email": "a@b.c", "password": PASSWORD, "data": [1] });
    let response = instance.service.post("/signup").json(&list).await;
    assert_error(&response, 400, "bad_json");
    assert_eq!(instance.number("select count(*) from auth.users").await, 0);
}

#[tokio::test]
async fn long_bodies_are_refused() {
    let instance = Instance::new().await;
    let long = "y".repeat(10 * 1024 * 1024);
    let body =
        format!(r#"{{"email":"a@b.c","password":"correct-horse-1","data":{{"x":"{long}"}}}}"#);
    for path in [
        "/signup",
        "/token?grant_type=password",
        "/token?grant_type=refresh_token",
    ] {
        let response = instance.service.post(path).body(body.clone()).await;
        assert_error(&response, 413, "validation_failed");
    }
    let response = instance.service.post("/api/v1/auth/login").body(body);
    let response = response.await.expect_status(413);
    assert_eq!(response.json()["code"], "validation_failed");
}

#[tokio::test]
async fn queries_and_paths_that_cannot_be_read_are_refused_in_the_dialect() {
    let instance = Instance::new().await;
    let service = &instance.service;
    let session = instance.sign_up("ada@example.com").await;
    let twice = service.post("/token?grant_type=password&grant_type=refresh_token");
    assert_error(&twice.await, 400, "validation_failed");
    let logout = service.post("/logout?scope=local&scope=global");
    let logout = logout.bearer(&session.access_token).await;
    assert_error(&logout, 400, "validation_failed");
    let path = instance.admin(service.get("/admin/users/%FF")).await;
    assert_error(&path, 400, "validation_failed");
    let skip = instance.admin(service.get("/api/v1/users?skip=-1")).await;
    assert_eq!(skip.expect_status(400).json()["code"], "validation_failed");
}

#[tokio::test]
async fn unknown_routes_answer_in_the_dialect_of_their_interface() {
    let instance = Instance::new().await;
    for path in ["/saml", "/admin/everything", "/x"] {
        assert_error(
            &instance.service.post(path).json(&json!({})).await,
            404,
            "not_found",
        );
    }
    assert_error(
        &instance.service.delete("/signup").await,
        405,
        "method_not_allowed",
    );
    let response = instance
        .service
        .get("/api/v1/users/me/friends")
        .await
        .expect_status(404);
    assert_eq!(
        response.json(),
        json!({ "detail": "Not found", "code": "not_found" })
    );
    let response = instance
        .service
        .get("/api/v1/auth/login")
        .await
        .expect_status(405);
    assert_eq!(response.json()["code"], "method_not_allowed");
}

#[tokio::test]
async fn clients_choose_the_dialect_of_errors() {
    let instance = Instance::new().await;
    let ask = |version: Option<&str>| {
        let request = instance.sign_in("a@b.c", "wrong-password");
        match version {
            Some(version) => request.header("x-supabase-api-version", version),
            None => request,
        }
    };
    let old = json!({
        "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials",
    });
    let new = json!({ "code": "invalid_credentials", "message": "Invalid login credentials" });
    for version in [None, Some("2023-12-31"), Some("latest"), Some("")] {
        let response = ask(version).await.expect_status(400);
        assert_eq!(response.json(), old, "{version:?}");
        assert_eq!(response.header("x-supabase-api-version"), None);
    }
    for version in ["2024-01-01", "2025-06-30"] {
        let response = ask(Some(version)).await.expect_status(400);
        assert_eq!(response.json(), new, "{version}");
        assert_eq!(
            response.header("x-supabase-api-version"),
            Some("2024-01-01")
        );
    }
}

/// What a client may send to grant itself rights.
const GRANTS: [(&str, &str); 8] = [
    ("role", "\"service_role\""),
    ("is_superuser", "true"),
    ("is_super_admin", "true"),
    ("aud", "\"admin\""),
    (
        "app_metadata",
        r#"{"is_superuser":true,"provider":"github"}"#,
    ),
    ("raw_app_meta_data", r#"{"is_superuser":true}"#),
    ("email_confirm", "true"),
    ("id", "\"11111111-1111-4111-8111-111111111111\""),
];

#[tokio::test]
async fn fields_of_a_body_grant_nothing() {
    let settings = [("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")];
    let instance = Instance::with(&settings).await;
    let all: Vec<String> = GRANTS
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    let all = all.join(",");
    let sign_up = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}",{all}}}"#);
    let register = sign_up.replace("ada@", "bob@");
    let anonymous = format!("{{{all}}}");
    let otp = format!(r#"{{"email":"cleo@example.com",{all}}}"#);
    for (path, body) in [
        ("/signup", sign_up.as_str()),
        ("/api/v1/auth/register", &register),
        ("/signup", &anonymous),
        ("/otp", &otp),
    ] {
        let response = instance.service.post(path).body(body.to_owned()).await;
        assert!(response.status.is_success(), "{path}: {}", response.text());
    }
    let signed_in = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
    let token = signed_in.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    for (name, value) in GRANTS {
        let body = format!("{{\"{name}\":{value}}}");
        for path in ["/user", "/api/v1/users/me"] {
            let put = instance.service.put(path).bearer(&token);
            let response = put.body(body.clone()).await;
            let refused = (path, name) == ("/user", "app_metadata");
            assert_eq!(response.status == 403, refused, "{path} {name}");
        }
    }
    let granted = "select count(*) from auth.users where role <> 'authenticated' \
                   or aud <> 'authenticated' or coalesce(is_super_admin, false) \
                   or raw_app_meta_data::text like '%superuser%' \
                   or raw_app_meta_data::text like '%github%' \
                   or id = '11111111-1111-4111-8111-111111111111'";
    assert_eq!(instance.number(granted).await, 0);
    let claims = crate::support::claims(&token);
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["aud"], "authenticated");
    assert_eq!(claims["app_metadata"].get("is_superuser"), None);
}

#[tokio::test]
async fn addresses_that_look_like_others_are_refused() {
    let instance = Instance::new().await;
    instance.sign_up("ada@example.com").await;
    let looks_like = [
        "\u{430}da@example.com", // Cyrillic a
        "ada@ex\u{430}mple.com",
        "ada@example\u{3002}com",  // ideographic full stop
        "\u{ff41}da@example.com",  // fullwidth a
        "a\u{200b}da@example.com", // zero width space
        "ada\u{301}@example.com",  // combining accent
        "\u{212a}ate@example.com", // Kelvin sign, which folds to k
        "ada@example.com\u{202e}",
        "\u{feff}ada@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com,eve@example.com",
        "<ada@example.com>",
        "ada @example.com",
        " ada@example.com",
    ];
    for email in looks_like {
        let body = json!({ "email": email, "password": PASSWORD });
        for path in ["/signup", "/otp", "/recover", "/magiclink"] {
            let response = instance.service.post(path).json(&body).await;
            assert_error(&response, 400, "validation_failed");
        }
        let response = instance.sign_in(email, PASSWORD).await;
        assert_error(&response, 400, "invalid_credentials");
        let create = instance.service.post("/admin/users").json(&body);
        assert_error(&instance.admin(create).await, 400, "validation_failed");
    }
    assert_eq!(instance.number("select count(*) from auth.users").await, 1);
    let upper = json!({ "email": "ADA@EXAMPLE.COM", "password": PASSWORD });
    let response = instance.service.post("/signup").json(&upper).await;
    assert_error(&response, 422, "user_already_exists");
}

#[tokio::test]
async fn redirect_addresses_break_no_header_and_lead_nowhere_else() {
    let settings = [
        ("GOTRUE_SITE_URL", "https://app.example.org/home"),
        ("GOTRUE_URI_ALLOW_LIST", "https://*.example.org/**"),
        ("GOTRUE_EXTERNAL_GITHUB_ENABLED", "true"),
        ("GOTRUE_EXTERNAL_GITHUB_CLIENT_ID", "client"),
        ("GOTRUE_EXTERNAL_GITHUB_SECRET", "what-github-was-told"),
    ];
    let instance = Instance::with(&settings).await;
    let asked = [
        "https://app.example.org/%0d%0aSet-Cookie:%20a=b",
        "https%3A%2F%2Fapp.example.org%2F%0D%0ASet-Cookie%3A%20a%3Db",
        "https%3A%2F%2Fevil.example%5C.example.org%2F",
        "https%3A%2F%2Fapp.example.org%40evil.example%2F",
        "%2F%2Fevil.example%2F",
        "javascript%3Aalert(1)",
        "https%3A%2F%2Fevil.example%00.example.org%2F",
        "%0D%0A",
        "https%3A%2F%2Fapp.example.org%3A%2F%2Fevil.example",
    ];
    for asked in asked {
        let verify = format!("/verify?type=signup&token=x&redirect_to={asked}");
        let response = instance.service.get(&verify).await.expect_status(303);
        assert_eq!(response.header("set-cookie"), None, "{asked}");
        let location = response.header("location").expect("a location");
        let url = url::Url::parse(location).expect("a URL");
        assert_eq!(url.host_str(), Some("app.example.org"), "{asked}");
        assert!(url.username().is_empty(), "{asked}");
        let authorize = format!("/authorize?provider=github&redirect_to={asked}");
        let response = instance.service.get(&authorize).await.expect_status(302);
        let location = response.header("location").expect("a location");
        assert!(location.starts_with("https://github.com/"), "{location}");
        assert!(!location.contains("evil"), "{location}");
    }
}
