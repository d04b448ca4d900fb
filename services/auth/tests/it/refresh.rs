//! `POST /token?grant_type=refresh_token`: the contract's rules of rotation and reuse.

use std::time::Duration;

use crate::support::{Instance, PASSWORD, Session, assert_error};

const LONG: Duration = Duration::from_mins(10);

async fn refreshed(instance: &Instance, token: &str) -> Session {
    let response = instance.refresh(token).await;
    Session::of(&response.expect_status(200))
}

#[tokio::test]
async fn tokens_rotate_within_their_session() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    instance.advance(LONG);
    let second = refreshed(&instance, &first.refresh_token).await;
    assert_ne!(first.refresh_token, second.refresh_token);
    assert_ne!(first.access_token, second.access_token);
    assert_eq!(first.claims()["session_id"], second.claims()["session_id"]);
    assert_eq!(first.claims()["amr"], second.claims()["amr"]);
    instance.advance(LONG);
    let third = refreshed(&instance, &second.refresh_token).await;
    assert_ne!(second.refresh_token, third.refresh_token);
    let _ = instance.user(&third).await.expect_status(200);
    let active = "select count(*) from auth.refresh_tokens where not revoked";
    assert_eq!(instance.number(active).await, 1);
}

#[tokio::test]
async fn only_digests_are_stored() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let digest = format!(
        "select count(*) from auth.refresh_tokens \
         where token = encode(sha256(convert_to('{}', 'utf8')), 'hex')",
        session.refresh_token
    );
    assert_eq!(instance.number(&digest).await, 1);
    let anywhere = format!(
        "select count(*) from (select row_to_json(t)::text as row from auth.refresh_tokens t \
         union all select row_to_json(s)::text from auth.sessions s \
         union all select row_to_json(a)::text from auth.audit_log_entries a) rows \
         where row like '%{}%'",
        session.refresh_token
    );
    assert_eq!(instance.number(&anywhere).await, 0);
    assert!(session.refresh_token.len() >= 22, "at least 128 bits");
}

#[tokio::test]
async fn the_parent_of_the_active_token_is_always_told_the_active_one() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    instance.advance(LONG);
    let second = refreshed(&instance, &first.refresh_token).await;
    for pause in [Duration::ZERO, LONG, Duration::from_hours(100)] {
        instance.advance(pause);
        let again = refreshed(&instance, &first.refresh_token).await;
        assert_eq!(again.refresh_token, second.refresh_token, "after {pause:?}");
    }
    let third = refreshed(&instance, &second.refresh_token).await;
    assert_ne!(third.refresh_token, second.refresh_token);
}

#[tokio::test]
async fn any_replaced_token_is_told_the_active_one_for_ten_seconds() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    let second = refreshed(&instance, &first.refresh_token).await;
    let third = refreshed(&instance, &second.refresh_token).await;
    instance.advance(Duration::from_secs(10));
    let again = refreshed(&instance, &first.refresh_token).await;
    assert_eq!(again.refresh_token, third.refresh_token);
}

#[tokio::test]
async fn later_reuse_ends_the_family() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    let other = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
    let other = Session::of(&other);
    let second = refreshed(&instance, &first.refresh_token).await;
    let third = refreshed(&instance, &second.refresh_token).await;
    instance.advance(Duration::from_secs(11));
    let reused = instance.refresh(&first.refresh_token).await;
    assert_error(&reused, 400, "refresh_token_already_used");
    let response = instance.refresh(&third.refresh_token).await;
    assert_error(&response, 400, "refresh_token_not_found");
    let response = instance.user(&third).await;
    assert_error(&response, 403, "session_not_found");
    // Another sign-in of the same user is another family.
    let _ = instance
        .refresh(&other.refresh_token)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn the_interval_is_configurable() {
    let instance = Instance::with(&[("GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "60")]).await;
    let first = instance.sign_up("ada@example.com").await;
    let second = refreshed(&instance, &first.refresh_token).await;
    let third = refreshed(&instance, &second.refresh_token).await;
    instance.advance(Duration::from_mins(1));
    let again = refreshed(&instance, &first.refresh_token).await;
    assert_eq!(again.refresh_token, third.refresh_token);
    instance.advance(Duration::from_secs(1));
    let reused = instance.refresh(&first.refresh_token).await;
    assert_error(&reused, 400, "refresh_token_already_used");
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    for token in [
        "x",
        "' or true --",
        &session.access_token,
        &"a".repeat(100_000),
    ] {
        let response = instance.refresh(token).await;
        assert_error(&response, 400, "refresh_token_not_found");
    }
    let response = instance.refresh("").await;
    assert_error(&response, 400, "validation_failed");
}

#[tokio::test]
async fn a_new_server_key_signs_nobody_out() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    let second = refreshed(&instance, &first.refresh_token).await;
    // Under another key the active token cannot be made again for its parent: it is replaced.
    let node = instance.node_of_another_secret().await;
    let ask = |token: &str| {
        node.post("/token?grant_type=refresh_token")
            .json(&serde_json::json!({ "refresh_token": token }))
    };
    let by_parent = Session::of(&ask(&first.refresh_token).await.expect_status(200));
    assert_ne!(by_parent.refresh_token, second.refresh_token);
    let by_active = Session::of(&ask(&second.refresh_token).await.expect_status(200));
    assert_eq!(by_active.refresh_token, by_parent.refresh_token);
    let next = Session::of(&ask(&by_parent.refresh_token).await.expect_status(200));
    assert_ne!(next.refresh_token, by_parent.refresh_token);
}

#[tokio::test]
async fn sessions_end_by_time_and_by_rest() {
    let instance = Instance::with(&[
        ("GOTRUE_SESSIONS_TIMEBOX", "24h"),
        ("GOTRUE_SESSIONS_INACTIVITY_TIMEOUT", "8h"),
    ])
    .await;
    let session = instance.sign_up("ada@example.com").await;
    instance.advance(Duration::from_hours(7));
    let session = refreshed(&instance, &session.refresh_token).await;
    instance.advance(Duration::from_hours(9));
    let response = instance.refresh(&session.refresh_token).await;
    assert_error(&response, 400, "session_expired");

    let session = Session::of(&instance.sign_in("ada@example.com", PASSWORD).await);
    let mut token = session.refresh_token;
    for _ in 0..4 {
        instance.advance(Duration::from_hours(6));
        token = refreshed(&instance, &token).await.refresh_token;
    }
    instance.advance(Duration::from_hours(1));
    let response = instance.refresh(&token).await;
    assert_error(&response, 400, "session_expired");
}
