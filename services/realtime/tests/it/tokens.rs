//! Tokens of joins: whose events a channel hears, and until when.

use common::{Clock as _, SystemClock};
use pg::events;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Version;
use crate::stage::Stage;

const NOTES: &str = "realtime:notes";

fn join(token: &str) -> Value {
    let notes = json!([{ "event": "*", "schema": "public", "table": "notes" }]);
    json!({ "config": { "postgres_changes": notes }, "access_token": token })
}

fn claims(user: Uuid, lifetime: i64) -> Value {
    let now = SystemClock.unix_seconds();
    json!({ "sub": user, "role": "authenticated", "aud": "authenticated", "iat": now, "exp": now + lifetime })
}

#[tokio::test]
async fn the_joins_token_counts_and_a_later_one_replaces_it() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    let ((anna, annas), (bert, berts)) = (stage.user(), stage.user());
    let mut client = stage.connect(Version::V2).await;
    assert_eq!(
        client.ask(NOTES, "phx_join", join(&annas)).await["status"],
        "ok"
    );
    stage.note(1, anna, "x").await;
    assert_eq!(client.change().await["record"]["id"], 1);
    client
        .push(NOTES, "access_token", json!({ "access_token": berts }))
        .await;
    client.settle().await;
    stage.note(2, anna, "x").await;
    stage.note(3, bert, "x").await;
    assert_eq!(client.change().await["record"]["id"], 3);
}

#[tokio::test]
async fn a_wrong_token_is_refused_at_the_join_and_ends_the_channel_later() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    let mut client = stage.connect(Version::V2).await;
    let refused = client.ask(NOTES, "phx_join", join("wrong")).await;
    let reason = refused["response"]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("MalformedJWT: "), "{reason}");
    let (_, token) = stage.user();
    assert_eq!(
        client.ask(NOTES, "phx_join", join(&token)).await["status"],
        "ok"
    );
    client
        .push(NOTES, "access_token", json!({ "access_token": null }))
        .await;
    client
        .push(NOTES, "access_token", json!({ "access_token": "wrong" }))
        .await;
    let system = client
        .until(|event| event.event == "system" && event.payload["status"] == "error")
        .await;
    assert_eq!(system.payload["channel"], "notes");
    client.event("phx_close").await;
}

#[tokio::test]
async fn an_expired_token_ends_the_channel_and_not_the_socket() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    let user = Uuid::new_v4();
    let token = stage.db.token(&claims(user, 2));
    let mut client = stage.connect(Version::V2).await;
    assert_eq!(
        client.ask(NOTES, "phx_join", join(&token)).await["status"],
        "ok"
    );
    let system = client
        .until(|event| event.event == "system" && event.payload["status"] == "error")
        .await;
    assert_eq!(system.payload["message"], "Token has expired");
    client.event("phx_close").await;
    client.join("realtime:room", json!({})).await;
    let expired = stage.db.token(&claims(user, -120));
    let refused = client.ask(NOTES, "phx_join", join(&expired)).await;
    assert_eq!(refused["status"], "error");
}

#[tokio::test]
async fn a_session_that_ends_hears_of_nothing_that_is_committed_after() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    let (anna, session) = (Uuid::new_v4(), Uuid::new_v4());
    let mut claims = claims(anna, 600);
    let other = stage.db.token(&claims);
    claims["session_id"] = json!(session);
    let token = stage.db.token(&claims);
    let mut client = stage.connect(Version::V2).await;
    let mut same_user = stage.connect(Version::V2).await;
    for (client, token) in [(&mut client, &token), (&mut same_user, &other)] {
        let reply = client.ask(NOTES, "phx_join", join(token)).await;
        assert_eq!(reply["status"], "ok");
    }
    stage.note(1, anna, "x").await;
    let mut connection = stage.db.admin_pool().acquire().await.expect("a connection");
    let payload = json!({ "session_id": session, "user_id": anna }).to_string();
    events::emit(&mut connection, "session.ended", &payload)
        .await
        .expect("an event");
    stage.note(2, anna, "x").await;
    for id in [1, 2] {
        assert_eq!(same_user.change().await["record"]["id"], id);
    }
    assert_eq!(client.change().await["record"]["id"], 1);
    let system = client
        .until(|event| event.event == "system" && event.payload["status"] == "error")
        .await;
    assert_eq!(
        system.payload["message"],
        "The session of this token has ended"
    );
    client.event("phx_close").await;
    let more = client.settle().await;
    assert!(
        more.iter().all(|event| event.event != "postgres_changes"),
        "{more:?}"
    );
    let refused = client.ask(NOTES, "phx_join", join(&token)).await;
    assert_eq!(refused["status"], "error");
    let send = stage.service.post("/api/broadcast").bearer(&token);
    let body = json!({ "messages": [] });
    let _ = send.json(&body).await.expect_status(401);
}
