//! Signing keys of the operator's.

use jwt::SigningJwk;

use crate::support::{Instance, Session};

fn keys(signing: &str) -> String {
    let mut keys = vec![key("old", 7), key("new", 9)];
    for key in &mut keys {
        key.set_signs(key.kid == signing);
    }
    serde_json::to_string(&keys).expect("JSON")
}

fn key(name: &str, byte: u8) -> SigningJwk {
    SigningJwk::es256(name.to_owned(), &[byte; 32]).expect("a key")
}

#[tokio::test]
async fn a_rotation_of_keys_signs_nobody_out() {
    let instance = Instance::new().await;
    let by_secret = instance.sign_up("ada@example.com").await;
    let before = instance
        .another_node(&[("GOTRUE_JWT_KEYS", &keys("old"))])
        .await;
    let refresh = |token: &str| {
        before
            .post("/token?grant_type=refresh_token")
            .json(&serde_json::json!({ "refresh_token": token }))
    };
    let by_old = Session::of(&refresh(&by_secret.refresh_token).await.expect_status(200));
    let after = instance
        .another_node(&[("GOTRUE_JWT_KEYS", &keys("new"))])
        .await;
    for session in [&by_secret, &by_old] {
        for node in [&before, &after] {
            let _ = node
                .get("/user")
                .bearer(&session.access_token)
                .await
                .expect_status(200);
        }
    }
    let body = serde_json::json!({ "refresh_token": by_old.refresh_token });
    let next = after
        .post("/token?grant_type=refresh_token")
        .json(&body)
        .await;
    let next = Session::of(&next.expect_status(200));
    let _ = before
        .get("/user")
        .bearer(&next.access_token)
        .await
        .expect_status(200);
    let shown = after
        .get("/.well-known/jwks.json")
        .await
        .expect_status(200)
        .json();
    assert_eq!(shown["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["keys"][0]["alg"], "ES256");
    assert!(!shown.to_string().contains("\"d\""));
    let told = after
        .get("/.well-known/openid-configuration")
        .await
        .expect_status(200)
        .json();
    assert_eq!(told["id_token_signing_alg_values_supported"][0], "ES256");
}
