//! `/api/v1/users`.

use serde_json::{Value, json};
use testkit::TestRequest;

use crate::support::{Instance, PASSWORD, Session};

async fn code(request: TestRequest, status: u16) -> Value {
    request.await.expect_status(status).json()["code"].clone()
}

#[tokio::test]
async fn users_see_and_change_themselves() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let me = |request: TestRequest| request.bearer(&ada.access_token);
    let service = &instance.service;
    let profile = me(service.get("/api/v1/users/me"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(profile["id"], ada.user_id());
    assert_eq!(profile["email"], "ada@example.com");
    assert_eq!(profile.get("encrypted_password"), None);

    let body = json!({ "email": "lovelace@example.com", "is_superuser": true });
    let changed = me(service.put("/api/v1/users/me").json(&body))
        .await
        .expect_status(200)
        .json();
    assert_eq!(changed["email"], "lovelace@example.com");
    assert_eq!(changed["is_superuser"], false);

    let change = |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        me(service.put("/api/v1/users/me/password").json(&body))
    };
    assert_eq!(
        code(change("wrong", "a-new-password"), 400).await,
        "invalid_credentials"
    );
    assert_eq!(code(change(PASSWORD, "x"), 422).await, "weak_password");
    let _ = change(PASSWORD, "a-new-password").await.expect_status(200);
    let response = instance
        .sign_in("lovelace@example.com", "a-new-password")
        .await;
    let _ = response.expect_status(200);

    let key = me(service.get("/api/v1/users/me/anon-key"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(key["anon_key"], instance.db.anon_token());
    let own = format!("/api/v1/users/{}", ada.user_id());
    assert_eq!(
        me(service.get(&own)).await.expect_status(200).json()["id"],
        ada.user_id()
    );
    let _ = me(service.delete(&own)).await.expect_status(204);
    assert_eq!(code(me(service.get(&own)), 403).await, "user_not_found");
}

#[tokio::test]
async fn administrators_see_all() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let service = &instance.service;
    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    let bob = instance
        .admin(service.post("/api/v1/users").json(&body))
        .await;
    let bob = bob.expect_status(201).json();
    let count = instance
        .admin(service.get("/api/v1/users/count"))
        .await
        .expect_status(200);
    assert_eq!(count.json(), json!({ "count": 2 }));
    let page = instance
        .admin(service.get("/api/v1/users?skip=1&limit=1"))
        .await;
    let page = page.expect_status(200).json();
    assert_eq!(page.as_array().map(Vec::len), Some(1));
    let path = format!("/api/v1/users/{}", bob["id"].as_str().expect("an id"));
    let body = json!({ "email": "robert@example.com", "password": "a-new-password" });
    let changed = instance
        .admin(service.put(&path).json(&body))
        .await
        .expect_status(200);
    assert_eq!(changed.json()["email"], "robert@example.com");
    let response = instance
        .sign_in("robert@example.com", "a-new-password")
        .await;
    let bob = Session::of(&response.expect_status(200));

    let own = format!("/api/v1/users/{}", ada.user_id());
    for token in [&bob.access_token, instance.db.anon_token()] {
        assert_eq!(
            code(service.get("/api/v1/users").bearer(token), 403).await,
            "not_admin"
        );
        assert_eq!(
            code(service.get("/api/v1/users/count").bearer(token), 403).await,
            "not_admin"
        );
        assert_eq!(
            code(service.get(&own).bearer(token), 403).await,
            "not_admin"
        );
        let change = service
            .put(&own)
            .json(&json!({ "password": "hijacked-password" }));
        assert_eq!(code(change.bearer(token), 403).await, "not_admin");
        assert_eq!(
            code(service.delete(&own).bearer(token), 403).await,
            "not_admin"
        );
    }
    let _ = instance
        .admin(service.delete(&path))
        .await
        .expect_status(204);
    assert_eq!(
        code(instance.admin(service.get(&path)), 404).await,
        "user_not_found"
    );
    assert_eq!(
        code(service.get("/api/v1/users"), 401).await,
        "no_authorization"
    );
}
