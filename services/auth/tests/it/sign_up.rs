//! `POST /signup`.

use serde_json::{Value, json};

use crate::support::{Instance, PASSWORD, Session, assert_error};

#[tokio::test]
async fn an_account_is_confirmed_and_signed_in_at_once() {
    let instance = Instance::new().await;
    let body = json!({
        "email": "Ada@Example.com", "password": PASSWORD, "data": { "full_name": "Ada" },
    });
    let response = instance.service.post("/signup").json(&body).await;
    let response = response.expect_status(200);
    let session = response.json();
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3600);
    let claims = Session::of(&response).claims();
    assert_eq!(session["expires_at"], claims["exp"]);

    let user = &session["user"];
    let id = user["id"].as_str().expect("an id");
    assert_eq!(user["aud"], "authenticated");
    assert_eq!(user["role"], "authenticated");
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["phone"], "");
    assert_eq!(user["is_anonymous"], false);
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "email", "providers": ["email"] })
    );
    assert_eq!(
        user["user_metadata"],
        json!({ "full_name": "Ada", "email": "ada@example.com", "email_verified": true,
                "phone_verified": false, "sub": id })
    );
    for time in [
        "email_confirmed_at",
        "confirmed_at",
        "last_sign_in_at",
        "created_at",
        "updated_at",
    ] {
        let text = user[time].as_str().expect(time);
        assert!(text.ends_with('Z') && text.contains('T'), "{time}: {text}");
    }
    assert_eq!(
        user.get("invited_at"),
        None,
        "what did not happen is left out"
    );
    let identity = &user["identities"][0];
    assert_eq!(identity["provider"], "email");
    assert_eq!(identity["id"], id);
    assert_eq!(identity["user_id"], id);
    assert_eq!(identity["email"], "ada@example.com");
    assert_ne!(identity["identity_id"], identity["id"]);
    assert_eq!(identity["identity_data"]["sub"], id);
}

#[tokio::test]
async fn the_access_token_says_what_the_contract_lists() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let claims = session.claims();
    let names: Vec<&String> = claims.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "email",
            "phone",
            "app_metadata",
            "user_metadata",
            "role",
            "aal",
            "amr",
            "session_id",
            "is_anonymous",
        ]
    );
    assert_eq!(claims["iss"], "http://localhost:8000/auth/v1");
    assert_eq!(claims["sub"], session.user_id());
    assert_eq!(claims["aud"], "authenticated");
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["aal"], "aal1");
    assert_eq!(claims["amr"][0]["method"], "password");
    assert_eq!(claims["amr"][0]["timestamp"], claims["iat"]);
    assert_eq!(
        claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"),
        3600
    );
    assert!(claims["session_id"].is_string());
}

#[tokio::test]
async fn what_a_client_says_of_its_rights_is_not_heard() {
    let instance = Instance::new().await;
    let body = json!({
        "email": "eve@example.com", "password": PASSWORD,
        "id": "00000000-0000-0000-0000-000000000001",
        "role": "service_role", "aud": "elsewhere", "is_superuser": true, "is_super_admin": true,
        "email_confirmed_at": "2020-01-01T00:00:00Z", "app_metadata": { "is_superuser": true },
        "raw_app_meta_data": { "is_superuser": true }, "is_sso_user": true, "banned_until": null,
        "data": { "is_superuser": true, "role": "service_role", "sub": "somebody else" },
    });
    let response = instance.service.post("/signup").json(&body).await;
    let session = Session::of(&response.expect_status(200));
    let claims = session.claims();
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["aud"], "authenticated");
    assert_eq!(claims["app_metadata"].get("is_superuser"), None);
    assert_eq!(claims["user_metadata"]["sub"], session.user_id());
    assert_ne!(session.user_id(), "00000000-0000-0000-0000-000000000001");
    let list = instance
        .service
        .get("/admin/users")
        .bearer(&session.access_token)
        .await;
    assert_error(&list, 403, "not_admin");
    let admins = "select count(*) from auth.users where is_super_admin or role <> 'authenticated'";
    assert_eq!(instance.number(admins).await, 0);
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written() {
    let instance = Instance::new().await;
    instance.sign_up("ada@example.com").await;
    let body = json!({ "email": "ADA@example.COM", "password": "another-password" });
    let again = instance.service.post("/signup").json(&body).await;
    assert_error(&again, 422, "user_already_exists");
    assert_eq!(instance.number("select count(*) from auth.users").await, 1);
    let repeated = "select count(*) from auth.audit_log_entries \
                    where payload ->> 'action' = 'user_repeated_signup'";
    assert_eq!(instance.number(repeated).await, 1);
}

#[tokio::test]
async fn at_once_only_one_gets_the_address() {
    let instance = Instance::new().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let attempt = || async {
        instance
            .service
            .post("/signup")
            .json(&body)
            .await
            .status
            .as_u16()
    };
    let (a, b, c) = tokio::join!(attempt(), attempt(), attempt());
    let mut statuses = [a, b, c];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422, 422]);
}

#[tokio::test]
async fn weak_passwords_are_refused_with_reasons() {
    let instance = Instance::with(&[
        ("GOTRUE_PASSWORD_MIN_LENGTH", "10"),
        (
            "GOTRUE_PASSWORD_REQUIRED_CHARACTERS",
            "abcdefghijklmnopqrstuvwxyz:0123456789",
        ),
    ])
    .await;
    let attempt = |password: &str| {
        instance
            .service
            .post("/signup")
            .header("x-supabase-api-version", "2024-01-01")
            .json(&json!({ "email": "ada@example.com", "password": password }))
    };
    let weak = attempt("ABC").await.expect_status(422);
    assert_eq!(weak.header("x-supabase-api-version"), Some("2024-01-01"));
    let body = weak.json();
    assert_eq!(body["code"], "weak_password");
    assert_eq!(
        body["weak_password"]["reasons"],
        json!(["length", "characters"])
    );
    let long = attempt(&"a1".repeat(37)).await.expect_status(422).json();
    assert_eq!(long["code"], "validation_failed");
    let _ = attempt("abcdefghi1").await.expect_status(200);
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let instance = Instance::new().await;
    for email in [
        "ada",
        "ada@",
        "@example.com",
        "аda@example.com",
        "a@b\r\nBcc: c@d",
    ] {
        let body = json!({ "email": email, "password": PASSWORD });
        let response = instance.service.post("/signup").json(&body).await;
        assert_error(&response, 400, "validation_failed");
    }
    let both = json!({ "email": "a@b.c", "phone": "+49301234567", "password": PASSWORD });
    let response = instance.service.post("/signup").json(&both).await;
    assert_error(&response, 400, "validation_failed");
    let none = json!({ "email": "a@b.c" });
    let response = instance.service.post("/signup").json(&none).await;
    assert_error(&response, 400, "validation_failed");
}

#[tokio::test]
async fn accounts_can_be_switched_off() {
    let closed = Instance::with(&[("GOTRUE_DISABLE_SIGNUP", "true")]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let response = closed.service.post("/signup").json(&body).await;
    assert_error(&response, 422, "signup_disabled");

    let no_email = Instance::with(&[("GOTRUE_EXTERNAL_EMAIL_ENABLED", "false")]).await;
    let response = no_email.service.post("/signup").json(&body).await;
    assert_error(&response, 400, "email_provider_disabled");
    let by_phone = json!({ "phone": "+49301234567", "password": PASSWORD });
    let response = no_email.service.post("/signup").json(&by_phone).await;
    assert_error(&response, 400, "phone_provider_disabled");
}

#[tokio::test]
async fn by_phone_where_numbers_need_no_confirmation() {
    let instance = Instance::with(&[
        ("GOTRUE_EXTERNAL_PHONE_ENABLED", "true"),
        ("GOTRUE_SMS_AUTOCONFIRM", "true"),
    ])
    .await;
    let body = json!({ "phone": "+49 30 1234567", "password": PASSWORD });
    let response = instance
        .service
        .post("/signup")
        .json(&body)
        .await
        .expect_status(200);
    let user = response.json()["user"].clone();
    assert_eq!(user["phone"], "49301234567");
    assert_eq!(user["email"], "");
    assert_eq!(user["app_metadata"]["provider"], "phone");
    assert!(user["phone_confirmed_at"].is_string());
    let body = json!({ "phone": "49301234567", "password": PASSWORD });
    let sign_in = instance
        .service
        .post("/token?grant_type=password")
        .json(&body)
        .await;
    let _ = sign_in.expect_status(200);
}

#[tokio::test]
async fn unconfirmed_accounts_wait_and_hide_whether_they_exist() {
    let instance = Instance::with(&[("GOTRUE_MAILER_AUTOCONFIRM", "false")]).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let first = instance
        .service
        .post("/signup")
        .json(&body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        first["email"], "ada@example.com",
        "the bare user is answered"
    );
    assert_eq!(first.get("access_token"), None);
    assert_eq!(first.get("email_confirmed_at"), None);
    let response = instance.sign_in("ada@example.com", PASSWORD).await;
    assert_error(&response, 400, "email_not_confirmed");
    let response = instance.sign_in("ada@example.com", "wrong-password").await;
    assert_error(&response, 400, "invalid_credentials");

    let again = instance
        .service
        .post("/signup")
        .json(&body)
        .await
        .expect_status(200)
        .json();
    let keys = |user: &Value| {
        let mut keys: Vec<String> = user.as_object().expect("a user").keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&first), keys(&again));
    assert_ne!(first["id"], again["id"], "an id that is nobody's");

    let path = format!("/admin/users/{}", first["id"].as_str().expect("an id"));
    let confirm = instance
        .service
        .put(&path)
        .json(&json!({ "email_confirm": true }));
    let _ = instance.admin(confirm).await.expect_status(200);
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn anonymously_where_it_is_allowed() {
    let closed = Instance::new().await;
    let response = closed.service.post("/signup").json(&json!({})).await;
    assert_error(&response, 422, "anonymous_provider_disabled");

    let instance = Instance::with(&[("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")]).await;
    let body = json!({ "data": { "theme": "dark" } });
    let response = instance.service.post("/signup").json(&body).await;
    let session = Session::of(&response.expect_status(200));
    assert_eq!(session.user["is_anonymous"], true);
    assert_eq!(session.user["app_metadata"], json!({}));
    assert_eq!(session.user["user_metadata"], json!({ "theme": "dark" }));
    assert_eq!(session.user["identities"], json!([]));
    let claims = session.claims();
    assert_eq!(claims["is_anonymous"], true);
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["amr"][0]["method"], "anonymous");
}

#[tokio::test]
async fn metadata_that_no_token_could_carry_is_refused() {
    let instance = Instance::new().await;
    let body = json!({
        "email": "ada@example.com", "password": PASSWORD, "data": { "bio": "x".repeat(20_000) },
    });
    let response = instance.service.post("/signup").json(&body).await;
    assert_error(&response, 422, "validation_failed");
}
