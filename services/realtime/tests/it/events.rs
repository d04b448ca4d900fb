//! The platform's events, for administrators alone.

use pg::events;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, Version};
use crate::stage::Stage;

const EVENTS: &str = "realtime:_events";

async fn join(client: &mut Client) -> Value {
    let config = json!({ "private": true, "broadcast": { "ack": true } });
    client
        .ask(EVENTS, "phx_join", json!({ "config": config }))
        .await
}

#[tokio::test]
async fn administrators_hear_what_services_emit_once_it_is_committed() {
    let stage = Stage::new().await;
    let superuser = stage
        .db
        .superuser_token(Uuid::new_v4(), "admin@example.com");
    for token in [stage.db.service_token(), &superuser] {
        let mut client = stage.connect_as(Version::V2, token).await;
        assert_eq!(join(&mut client).await["status"], "ok");
        let pool = stage.db.admin_pool();
        for (event, commits) in [("user.dreamt", false), ("user.created", true)] {
            let mut transaction = pool.begin().await.expect("a transaction");
            events::emit(&mut transaction, event, r#"{"user_id":"7"}"#)
                .await
                .expect("an event");
            if commits {
                transaction.commit().await.expect("a commit");
            } else {
                transaction.rollback().await.expect("its end");
            }
        }
        let heard = client.event("broadcast").await.payload;
        assert_eq!(heard["event"], "user.created");
        assert_eq!(heard["payload"], json!({ "user_id": "7" }));
    }
}

#[tokio::test]
async fn nobody_else_hears_them_and_nobody_sends_them() {
    let stage = Stage::new().await;
    stage
        .run("create policy all_of_it on realtime.messages using (true) with check (true)")
        .await;
    let (_, user) = stage.user();
    for token in [stage.db.anon_token(), &user] {
        let mut client = stage.connect_as(Version::V2, token).await;
        assert_eq!(join(&mut client).await["status"], "error");
    }
    let service = stage.db.service_token();
    let mut client = stage.connect_as(Version::V2, service).await;
    assert_eq!(join(&mut client).await["status"], "ok");
    let message = json!({ "type": "broadcast", "event": "forged", "payload": {} });
    let reply = client.ask(EVENTS, "broadcast", message).await;
    assert_eq!(reply["status"], "error");
    let path = "/api/broadcast/_events/events/forged?private=true";
    let forged = stage.service.post(path).bearer(service);
    let _ = forged.json(&json!({})).await.expect_status(403);
    stage
        .run("select realtime.send('{}', 'forged', '_events')")
        .await;
    stage
        .run("select pg_logical_emit_message(true, 'selfdb.event', 'rubbish')")
        .await;
    let mut connection = stage.db.admin_pool().acquire().await.expect("a connection");
    events::emit(&mut connection, "real", "null")
        .await
        .expect("an event");
    assert_eq!(client.event("broadcast").await.payload["event"], "real");
}

#[tokio::test]
async fn the_end_of_the_stream_and_its_return_are_told() {
    let stage = Stage::new().await;
    let mut client = stage
        .connect_as(Version::V2, stage.db.service_token())
        .await;
    assert_eq!(join(&mut client).await["status"], "ok");
    stage
        .run(
            "select pg_terminate_backend(active_pid) from pg_replication_slots \
             where database = current_database() and active",
        )
        .await;
    let streaming = client
        .until(|event| event.payload["event"] == "replication.streaming")
        .await;
    assert_eq!(streaming.payload["payload"]["anew"], false);
}
