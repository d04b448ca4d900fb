//! `POST /logout`.

use crate::support::{Instance, PASSWORD, Session, assert_error};

async fn three_sessions(instance: &Instance) -> [Session; 3] {
    let first = instance.sign_up("ada@example.com").await;
    let second = instance.sign_in("ada@example.com", PASSWORD).await;
    let third = instance.sign_in("ada@example.com", PASSWORD).await;
    [first, Session::of(&second), Session::of(&third)]
}

async fn open(instance: &Instance, sessions: &[Session]) -> Vec<bool> {
    let mut open = Vec::new();
    for session in sessions {
        let user = instance.user(session).await;
        if user.status != 200 {
            assert_error(&user, 403, "session_not_found");
        }
        let refresh = instance.refresh(&session.refresh_token).await;
        assert_eq!(user.status == 200, refresh.status == 200);
        open.push(user.status == 200);
    }
    open
}

#[tokio::test]
async fn each_scope_ends_its_sessions() {
    let cases = [
        ("", [false, false, false]),
        ("?scope=global", [false, false, false]),
        ("?scope=local", [false, true, true]),
        ("?scope=others", [true, false, false]),
    ];
    let instance = Instance::new().await;
    let bystander = instance.sign_up("bob@example.com").await;
    for (query, expected) in cases {
        instance
            .db
            .execute("delete from auth.users where email = 'ada@example.com'")
            .await;
        let sessions = three_sessions(&instance).await;
        let path = format!("/logout{query}");
        let response = instance
            .service
            .post(&path)
            .bearer(&sessions[0].access_token)
            .await;
        assert_eq!(response.expect_status(204).text(), "");
        assert_eq!(open(&instance, &sessions).await, expected, "{query}");
    }
    let _ = instance.user(&bystander).await.expect_status(200);
}

#[tokio::test]
async fn what_cannot_sign_out_is_told_why() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let response = instance.service.post("/logout").await;
    assert_error(&response, 401, "no_authorization");
    let response = instance.service.post("/logout").bearer("a.b.c").await;
    assert_error(&response, 401, "bad_jwt");
    let response = instance
        .service
        .post("/logout")
        .bearer(instance.db.anon_token())
        .await;
    assert_error(&response, 403, "bad_jwt");
    let odd = instance
        .service
        .post("/logout?scope=galaxy")
        .bearer(&session.access_token);
    assert_error(&odd.await, 400, "validation_failed");
    let _ = instance.user(&session).await.expect_status(200);
}
