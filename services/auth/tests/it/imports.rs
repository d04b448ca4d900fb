//! Users who come from elsewhere: rows and hashes that others wrote.

use serde_json::json;

use crate::support::{Instance, PASSWORD, Session, assert_error};

/// `crypt('correct-horse-1', gen_salt('bf', 4))`.
fn bcrypt(password: &str) -> String {
    bcrypt::hash(password, 4).expect("a hash")
}

#[tokio::test]
async fn a_seeded_row_with_a_crypt_hash_signs_in_and_is_upgraded() {
    let instance = Instance::new().await;
    let seed = format!(
        "insert into auth.users (instance_id, id, aud, role, email, encrypted_password, \
           email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, \
           confirmation_token, email_change, email_change_token_new, recovery_token) \
         values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', \
           'authenticated', 'Seed@Example.com', '{}', now(), \
           '{{\"provider\":\"email\",\"providers\":[\"email\"]}}', '{{}}', now(), now(), \
           '', '', '', '')",
        bcrypt(PASSWORD)
    );
    instance.db.execute(&seed).await;
    let wrong = instance.sign_in("seed@example.com", "wrong-password").await;
    assert_error(&wrong, 400, "invalid_credentials");
    let stored = "select left(encrypted_password, 4) from auth.users";
    assert_eq!(instance.text(stored).await, "$2b$");

    let session = Session::of(&instance.sign_in("seed@example.com", PASSWORD).await);
    assert_eq!(session.user["email"], "seed@example.com");
    let stored = "select left(encrypted_password, 31) from auth.users";
    assert_eq!(
        instance.text(stored).await,
        "$argon2id$v=19$m=47104,t=1,p=1$"
    );
    let _ = instance
        .sign_in("seed@example.com", PASSWORD)
        .await
        .expect_status(200);
    let wrong = instance.sign_in("seed@example.com", "wrong-password").await;
    assert_error(&wrong, 400, "invalid_credentials");
}

#[tokio::test]
async fn a_row_of_little_more_than_an_address_is_a_user() {
    let instance = Instance::new().await;
    let seed = format!(
        "insert into auth.users (id, email, encrypted_password, email_confirmed_at) \
         values (gen_random_uuid(), 'bare@example.com', '{}', now())",
        bcrypt(PASSWORD)
    );
    instance.db.execute(&seed).await;
    let session = Session::of(&instance.sign_in("bare@example.com", PASSWORD).await);
    assert_eq!(session.claims()["role"], "authenticated");
    assert_eq!(session.claims()["aud"], "authenticated");
    let user = instance.user(&session).await.expect_status(200).json();
    assert_eq!(user["user_metadata"], json!({}));
    assert_eq!(user["identities"], json!([]));
    let _ = instance
        .refresh(&session.refresh_token)
        .await
        .expect_status(200);
    let request = instance.change(&session);
    let user = request
        .json(&json!({ "data": { "a": 1 } }))
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["user_metadata"], json!({ "a": 1 }));
}

#[tokio::test]
async fn administrators_bring_hashes() {
    let instance = Instance::new().await;
    let create = |hash: &str, email: &str| {
        let body = json!({ "email": email, "email_confirm": true, "password_hash": hash });
        instance.admin(instance.service.post("/admin/users").json(&body))
    };
    let _ = create(&bcrypt(PASSWORD), "ada@example.com")
        .await
        .expect_status(200);
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
    for hash in [
        "plain",
        "$1$abcdefgh$abcdefghijklmnopqrstuv",
        "$2b$31$abcdefghijklmnopqrstuv",
    ] {
        let response = create(hash, "bob@example.com").await;
        assert_error(&response, 400, "validation_failed");
    }
}
