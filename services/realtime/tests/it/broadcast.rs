//! Broadcasts between clients, over HTTP, and from SQL.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{BOTH, Version};
use crate::stage::Stage;

const ROOM: &str = "realtime:room";

fn message(event: &str, payload: &Value) -> Value {
    json!({ "type": "broadcast", "event": event, "payload": payload })
}

#[tokio::test]
async fn every_version_hears_every_other() {
    let stage = Stage::new().await;
    for sender in BOTH {
        for receiver in BOTH {
            let mut from = stage.connect(sender).await;
            let mut to = stage.connect(receiver).await;
            from.join(ROOM, json!({})).await;
            to.join(ROOM, json!({})).await;
            let sent = message("move", &json!({ "x": 1 }));
            from.push(ROOM, "broadcast", sent.clone()).await;
            assert_eq!(to.event("broadcast").await.payload, sent);
            let own = from.settle().await;
            assert!(
                own.iter().all(|event| event.event != "broadcast"),
                "{own:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_sender_may_hear_itself_and_be_answered() {
    let stage = Stage::new().await;
    let mut client = stage.connect(Version::V2).await;
    client
        .join(ROOM, json!({ "broadcast": { "self": true, "ack": true } }))
        .await;
    let reply = client
        .ask(ROOM, "broadcast", message("move", &json!([1])))
        .await;
    assert_eq!(reply["status"], "ok");
    assert_eq!(
        client.event("broadcast").await.payload["payload"],
        json!([1])
    );
    let reply = client.ask(ROOM, "broadcast", json!({ "payload": 1 })).await;
    assert_eq!(reply["status"], "error");
}

#[tokio::test]
async fn binary_payloads_travel_between_clients_of_the_newer_version() {
    let stage = Stage::new().await;
    let mut from = stage.connect(Version::V2).await;
    let mut to = stage.connect(Version::V2).await;
    let mut old = stage.connect(Version::V1).await;
    for client in [&mut from, &mut to, &mut old] {
        client.join(ROOM, json!({})).await;
    }
    let mut frame = vec![3, 1, 1, 13, 4, 7, 0];
    frame.extend(b"19realtime:roomblob{\"a\":1}");
    frame.extend([0, 1, 254, 255]);
    from.raw(Message::binary(frame)).await;
    let heard = to.event("broadcast").await.payload;
    assert_eq!(
        heard,
        json!({ "type": "broadcast", "event": "blob", "payload": [0, 1, 254, 255], "meta": { "a": 1 } })
    );
    let unheard = old.settle().await;
    assert!(
        unheard.iter().all(|event| event.event != "broadcast"),
        "{unheard:?}"
    );
}

#[tokio::test]
async fn http_sends_to_topics_and_needs_a_key() {
    let stage = Stage::new().await;
    let mut client = stage.connect(Version::V2).await;
    client.join(ROOM, json!({})).await;
    let body = json!({ "messages": [
        { "topic": "room", "event": "one", "payload": { "n": 1 } },
        { "topic": "elsewhere", "event": "none", "payload": {} },
        { "topic": "room", "event": "two", "payload": { "n": 2 }, "private": false },
    ] });
    let send = || stage.service.post("/api/broadcast").json(&body);
    assert_eq!(send().await.status, 401);
    assert_eq!(send().bearer("wrong").await.status, 401);
    let sent = send()
        .bearer(stage.db.anon_token())
        .await
        .expect_status(202);
    assert!(sent.body.is_empty());
    assert_eq!(
        client.event("broadcast").await.payload,
        message("one", &json!({ "n": 1 }))
    );
    assert_eq!(client.event("broadcast").await.payload["event"], "two");
    let path = "/api/broadcast/room/events/some%20thing";
    let one = stage.service.post(path).apikey(stage.db.anon_token());
    let _ = one.json(&json!({ "n": 3 })).await.expect_status(202);
    assert_eq!(
        client.event("broadcast").await.payload,
        message("some thing", &json!({ "n": 3 }))
    );
    let binary = stage.service.post(path).apikey(stage.db.anon_token());
    let binary = binary.header("content-type", "application/octet-stream");
    let _ = binary.body(vec![7u8, 0]).await.expect_status(202);
    assert_eq!(
        client.event("broadcast").await.payload["payload"],
        json!([7, 0])
    );
    let form = stage.service.post(path).apikey(stage.db.anon_token());
    let form = form.header("content-type", "text/plain");
    let _ = form.body("n=1").await.expect_status(415);
    let none = stage
        .service
        .post("/api/broadcast")
        .bearer(stage.db.anon_token());
    let _ = none
        .json(&json!({ "messages": 1 }))
        .await
        .expect_status(422);
}

#[tokio::test]
async fn sql_sends_when_the_transaction_commits() {
    let stage = Stage::new().await;
    let mut client = stage.connect(Version::V2).await;
    client
        .join(ROOM, json!({ "broadcast": { "replication_ready": true } }))
        .await;
    let ready = client.event("system").await.payload;
    assert_eq!(
        (&ready["extension"], &ready["status"]),
        (&json!("system"), &json!("ok"))
    );
    stage
        .db
        .execute(
            "begin; select realtime.send('{\"n\": 1}', 'gone', 'room', false); rollback; \
             begin; select realtime.send('{\"n\": 2, \"id\": 7}', 'kept', 'room', false); commit",
        )
        .await;
    let heard = client.event("broadcast").await.payload;
    assert_eq!(
        (&heard["event"], &heard["payload"]),
        (&json!("kept"), &json!({ "n": 2, "id": 7 }))
    );
    assert!(heard["meta"]["resume_token"].is_string());
}

#[tokio::test]
async fn a_trigger_sends_changes_to_a_private_topic() {
    let stage = Stage::new().await;
    stage.open_table().await;
    stage
        .db
        .execute(
            "create function tell() returns trigger language plpgsql security definer as $$ begin \
                 perform realtime.broadcast_changes('todos:' || new.id, tg_op, tg_op, \
                     tg_table_name, tg_table_schema, new, old); return null; end $$; \
             create trigger tell after insert or update on todos for each row \
                 execute function tell(); \
             create policy hear on realtime.messages for select to anon \
                 using (realtime.topic() like 'todos:%')",
        )
        .await;
    let mut client = stage.connect(Version::V2).await;
    client
        .join("realtime:todos:1", json!({ "private": true }))
        .await;
    stage.run("insert into todos values (1, 'a')").await;
    let heard = client.event("broadcast").await.payload;
    assert_eq!(heard["event"], "INSERT");
    let payload = &heard["payload"];
    assert_eq!(payload["record"], json!({ "id": 1, "body": "a" }));
    assert_eq!(
        (&payload["old_record"], &payload["table"]),
        (&Value::Null, &json!("todos"))
    );
    assert!(payload["id"].is_string());
}
