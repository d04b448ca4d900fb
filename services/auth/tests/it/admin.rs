//! `/admin/users`.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::TestResponse;

use crate::support::{Instance, PASSWORD, Session, assert_error};

async fn create(instance: &Instance, body: Value) -> TestResponse {
    instance
        .admin(instance.service.post("/admin/users").json(&body))
        .await
}

async fn update(instance: &Instance, id: &str, body: Value) -> TestResponse {
    let path = format!("/admin/users/{id}");
    instance
        .admin(instance.service.put(&path).json(&body))
        .await
}

fn id(user: &Value) -> String {
    user["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn accounts_are_made_as_asked_for() {
    let instance = Instance::new().await;
    let body = json!({
        "id": "11111111-1111-4111-8111-111111111111", "email": "Ada@example.com",
        "password": PASSWORD, "email_confirm": true, "role": "moderator",
        "phone": "+49301234567", "user_metadata": { "name": "Ada" },
        "app_metadata": { "plan": "pro" },
    });
    let user = create(&instance, body).await.expect_status(200).json();
    assert_eq!(user["id"], "11111111-1111-4111-8111-111111111111");
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["phone"], "49301234567");
    assert_eq!(user["role"], "moderator");
    assert_eq!(
        user["user_metadata"],
        json!({ "name": "Ada", "email_verified": true })
    );
    assert_eq!(
        user["app_metadata"],
        json!({ "provider": "email", "providers": ["email", "phone"], "plan": "pro" })
    );
    assert!(user["email_confirmed_at"].is_string());
    assert_eq!(user.get("phone_confirmed_at"), None);
    assert_eq!(user["identities"].as_array().map(Vec::len), Some(2));
    let session = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    assert_eq!(session.claims()["role"], "moderator");
    assert_eq!(session.claims()["app_metadata"]["plan"], "pro");

    let again = create(&instance, json!({ "email": "ADA@example.com" })).await;
    assert_error(&again, 422, "email_exists");
    let again = create(&instance, json!({ "phone": "49301234567" })).await;
    assert_error(&again, 422, "phone_exists");
    let same_id = json!({ "email": "b@example.com", "id": "11111111-1111-4111-8111-111111111111" });
    assert_error(&create(&instance, same_id).await, 400, "validation_failed");
    assert_error(
        &create(&instance, json!({})).await,
        400,
        "validation_failed",
    );
}

#[tokio::test]
async fn an_account_without_a_password_or_confirmation_signs_nobody_in() {
    let instance = Instance::new().await;
    let body = json!({ "email": "ada@example.com", "email_confirm": true });
    let _ = create(&instance, body).await.expect_status(200);
    let response = instance.sign_in("ada@example.com", "").await;
    assert_error(&response, 400, "invalid_credentials");
    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    let bob = create(&instance, body).await.expect_status(200).json();
    let response = instance.sign_in("bob@example.com", PASSWORD).await;
    assert_error(&response, 400, "email_not_confirmed");
    let _ = update(&instance, &id(&bob), json!({ "email_confirm": true }))
        .await
        .expect_status(200);
    let _ = instance
        .sign_in("bob@example.com", PASSWORD)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn accounts_are_changed_as_asked_for() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let body = json!({
        "email": "lovelace@example.com", "email_confirm": true, "role": "editor",
        "user_metadata": { "name": "Ada" }, "app_metadata": { "plan": "pro", "providers": null },
        "password": "a-new-password",
    });
    let user = update(&instance, session.user_id(), body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(user["email"], "lovelace@example.com");
    assert_eq!(user["role"], "editor");
    assert_eq!(user["user_metadata"]["name"], "Ada");
    assert_eq!(user["app_metadata"]["plan"], "pro");
    assert_eq!(
        user["identities"][0]["identity_data"]["email"],
        "lovelace@example.com"
    );
    assert_error(&instance.user(&session).await, 403, "session_not_found");
    let response = instance
        .sign_in("lovelace@example.com", "a-new-password")
        .await;
    let _ = response.expect_status(200);

    let nobody = "22222222-2222-4222-8222-222222222222";
    assert_error(
        &update(&instance, nobody, json!({})).await,
        404,
        "user_not_found",
    );
    assert_error(
        &update(&instance, "nobody", json!({})).await,
        404,
        "user_not_found",
    );
    let bad = update(
        &instance,
        session.user_id(),
        json!({ "ban_duration": "soon" }),
    )
    .await;
    assert_error(&bad, 400, "validation_failed");
    let ban = update(
        &instance,
        session.user_id(),
        json!({ "ban_duration": "10m" }),
    )
    .await;
    assert!(ban.expect_status(200).json()["banned_until"].is_string());
    let unban = update(
        &instance,
        session.user_id(),
        json!({ "ban_duration": "none" }),
    )
    .await;
    assert_eq!(unban.expect_status(200).json().get("banned_until"), None);
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let instance = Instance::new().await;
    for name in ["a", "b", "c", "d", "e"] {
        let body = json!({ "email": format!("{name}_x@example.com") });
        let _ = create(&instance, body).await.expect_status(200);
        instance.advance(Duration::from_secs(1));
    }
    let list = |query: &str| instance.admin(instance.service.get(&format!("/admin/users{query}")));
    let emails = |response: &TestResponse| -> Vec<String> {
        let body = response.json();
        let users = body["users"].as_array().expect("users").clone();
        users
            .iter()
            .map(|user| user["email"].as_str().expect("email").to_owned())
            .collect()
    };
    let all = list("").await.expect_status(200);
    assert_eq!(all.json()["aud"], "authenticated");
    assert_eq!(all.header("x-total-count"), Some("5"));
    assert_eq!(
        emails(&all).first().map(String::as_str),
        Some("e_x@example.com")
    );
    let page = list("?page=2&per_page=2").await.expect_status(200);
    assert_eq!(emails(&page), ["c_x@example.com", "b_x@example.com"]);
    assert_eq!(
        page.header("link"),
        Some(
            "</admin/users?page=3&per_page=2>; rel=\"next\", \
             </admin/users?page=3&per_page=2>; rel=\"last\""
        )
    );
    assert_eq!(emails(&list("?page=9&per_page=2").await), [""; 0]);
    assert_eq!(emails(&list("?filter=B_X").await), ["b_x@example.com"]);
    assert_eq!(emails(&list("?filter=bx").await), [""; 0], "no wildcards");
    for query in ["?page=x", "?page=-1", "?per_page=0", "?per_page=1.5"] {
        assert_error(&list(query).await, 400, "validation_failed");
    }
}

#[tokio::test]
async fn deleting_takes_all_or_all_that_tells_who_it_was() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let bob = instance.sign_up("bob@example.com").await;
    let delete = |id: &str| instance.admin(instance.service.delete(&format!("/admin/users/{id}")));
    let _ = delete(ada.user_id()).await.expect_status(200);
    assert_error(&instance.user(&ada).await, 403, "user_not_found");
    assert_error(&delete(ada.user_id()).await, 404, "user_not_found");

    let soft = delete(bob.user_id())
        .json(&json!({ "should_soft_delete": true }))
        .await;
    assert_eq!(soft.expect_status(200).json(), json!({}));
    assert_error(&instance.user(&bob).await, 403, "session_not_found");
    let response = instance.sign_in("bob@example.com", PASSWORD).await;
    assert_error(&response, 400, "invalid_credentials");
    let left = "select count(*) from (select row_to_json(u)::text as row from auth.users u \
                union all select row_to_json(i)::text from auth.identities i) rows \
                where row like '%bob@example.com%'";
    assert_eq!(instance.number(left).await, 0);
    assert_eq!(instance.number("select count(*) from auth.users").await, 1);
    instance.sign_up("bob@example.com").await;
}

#[tokio::test]
async fn a_user_whom_other_rows_need_is_not_deleted() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    instance
        .db
        .execute(
            "create table public.notes (owner uuid references auth.users (id)); \
             insert into public.notes select id from auth.users;",
        )
        .await;
    let path = format!("/admin/users/{}", ada.user_id());
    let response = instance.admin(instance.service.delete(&path)).await;
    assert_error(&response, 409, "conflict");
    let _ = instance.user(&ada).await.expect_status(200);
}

#[tokio::test]
async fn only_administrators_administrate() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let id = ada.user_id().parse().expect("an id");
    let path = format!("/admin/users/{}", ada.user_id());
    let forged = instance.db.superuser_token(id, "ada@example.com");
    let requests = || {
        let body = json!({ "app_metadata": { "is_superuser": true } });
        [
            instance.service.get("/admin/users"),
            instance.service.post("/admin/users").json(&body),
            instance.service.get(&path),
            instance.service.put(&path).json(&body),
            instance.service.delete(&path),
        ]
    };
    for request in requests() {
        assert_error(&request.await, 401, "no_authorization");
    }
    for request in requests() {
        assert_error(
            &request.bearer(instance.db.anon_token()).await,
            403,
            "not_admin",
        );
    }
    for request in requests() {
        assert_error(&request.bearer(&ada.access_token).await, 403, "not_admin");
    }
    // The claim alone does not suffice: the database has the last word.
    for request in requests() {
        assert_error(&request.bearer(&forged).await, 403, "session_not_found");
    }
    let promote = json!({ "app_metadata": { "is_superuser": true } });
    let _ = update(&instance, ada.user_id(), promote)
        .await
        .expect_status(200);
    let admin = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    let list = || {
        instance
            .service
            .get("/admin/users")
            .bearer(&admin.access_token)
    };
    let _ = list().await.expect_status(200);
    let demote = json!({ "app_metadata": { "is_superuser": null } });
    let _ = update(&instance, ada.user_id(), demote)
        .await
        .expect_status(200);
    assert_error(&list().await, 403, "not_admin");
}
