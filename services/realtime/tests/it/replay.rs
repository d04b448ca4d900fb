//! Messages from before a join, and binary ones from SQL.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Version};
use crate::stage::Stage;

const ROOM: &str = "realtime:room";

async fn private_room() -> Stage {
    let stage = Stage::new().await;
    stage
        .run(
            "create policy hear on realtime.messages for select to anon \
             using (realtime.topic() = 'room' and extension = 'broadcast')",
        )
        .await;
    stage
}

/// No broadcast has come that was not looked at.
async fn no_more(client: &mut Client) {
    let more = client.settle().await;
    let heard = more.iter().find(|event| event.event == "broadcast");
    assert_eq!(heard, None);
}

async fn join(client: &mut Client, private: bool, replay: Value) -> Value {
    let config = json!({ "private": private, "broadcast": { "replay": replay } });
    client
        .ask(ROOM, "phx_join", json!({ "config": config }))
        .await
}

#[tokio::test]
async fn the_last_messages_are_told_to_whoever_joins_and_no_other() {
    let stage = private_room().await;
    stage
        .run(
            "select realtime.send(jsonb_build_object('n', n), 'told', topic) \
             from generate_series(1, 30) n, unnest(array['room', 'other']) topic",
        )
        .await;
    stage
        .run(
            "update realtime.messages set inserted_at = case \
                 when payload ->> 'n' in ('29', '30') then timestamp '2001-01-01' \
                 else inserted_at + (payload ->> 'n')::int * interval '1 ms' end",
        )
        .await;
    stage
        .run("select realtime.send('{\"n\": 31}', 'told', 'room', false)")
        .await;
    for (replay, expected) in [
        (json!({ "since": 0, "limit": 3 }), 26..=28),
        (json!({ "since": 1_000_000_000_000_i64 }), 19..=28),
        (json!({ "limit": 1000, "since": null }), 4..=28),
    ] {
        let mut client = stage.connect(Version::V2).await;
        let reply = join(&mut client, true, replay.clone()).await;
        assert_eq!(reply["status"], "ok", "{reply}");
        for n in expected {
            let heard = client.event("broadcast").await.payload;
            assert_eq!(heard["payload"]["n"], n, "{replay}");
            assert_eq!(heard["meta"]["replayed"], true);
            assert_eq!(heard["meta"]["id"], heard["payload"]["id"]);
        }
        no_more(&mut client).await;
    }
    let mut client = stage.connect(Version::V2).await;
    let later = json!({ "since": 4_000_000_000_000_i64 });
    assert_eq!(join(&mut client, true, later).await["status"], "ok");
    stage
        .run("select realtime.send('{}', 'live', 'room')")
        .await;
    let heard = client.event("broadcast").await.payload;
    assert_eq!(heard["event"], "live");
    assert_eq!(heard["meta"].get("replayed"), None);
    assert_eq!(heard["meta"]["id"], heard["payload"]["id"]);
}

#[tokio::test]
async fn what_cannot_be_told_again_is_said() {
    let stage = private_room().await;
    let mut client = stage.connect(Version::V2).await;
    let now = json!({ "since": 0 });
    for (private, replay, expected) in [
        (
            false,
            now,
            "UnableToReplayMessages: Replay is not allowed for public channels",
        ),
        (
            true,
            json!({ "since": "x" }),
            "UnableToReplayMessages: Replay params are not valid",
        ),
        (
            true,
            json!({ "limit": [] }),
            "UnableToReplayMessages: Replay params are not valid",
        ),
    ] {
        let reply = join(&mut client, private, replay).await;
        assert_eq!(reply["response"]["reason"], expected);
    }
}

#[tokio::test]
async fn sql_sends_bytes_to_clients_of_the_newer_version() {
    let stage = private_room().await;
    let mut new = stage.connect(Version::V2).await;
    let mut old = stage.connect(Version::V1).await;
    for client in [&mut new, &mut old] {
        let config = json!({ "private": true, "broadcast": { "replication_ready": true } });
        client.join(ROOM, config).await;
        client.event("system").await;
    }
    stage
        .run("select realtime.send_binary('\\x00ff7f', 'bytes', 'room')")
        .await;
    stage
        .run("select realtime.send('{}', 'text', 'room')")
        .await;
    let heard = new.event("broadcast").await.payload;
    assert_eq!(
        (&heard["event"], &heard["payload"]),
        (&json!("bytes"), &json!([0, 255, 127]))
    );
    assert!(heard["meta"]["id"].is_string());
    assert_eq!(old.event("broadcast").await.payload["event"], "text");
    let mut late = stage.connect(Version::V2).await;
    assert_eq!(
        join(&mut late, true, json!({ "since": 0 })).await["status"],
        "ok"
    );
    let heard = late.event("broadcast").await.payload;
    assert_eq!(
        (&heard["payload"], &heard["meta"]["replayed"]),
        (&json!([0, 255, 127]), &json!(true))
    );
}

/// A kind 3 frame: a broadcast of `payload` with `meta`, as JSON or as bytes.
fn push(reference: &str, event: &str, meta: &str, (json, payload): (bool, &[u8])) -> Message {
    let texts = ["1", reference, ROOM, event, meta];
    let lengths = texts.map(|text| u8::try_from(text.len()).expect("short"));
    let mut frame = vec![3];
    frame.extend(lengths);
    frame.push(u8::from(json));
    frame.extend(texts.concat().bytes());
    frame.extend(payload);
    Message::binary(frame)
}

async fn room_that_keeps() -> Stage {
    let stage = private_room().await;
    stage
        .run(
            "create policy send on realtime.messages for insert to anon, authenticated \
             with check (extension = 'broadcast')",
        )
        .await;
    stage
        .run(
            "create policy keep on realtime.messages for insert to anon \
             with check (extension = 'persistence' and realtime.topic() = 'room')",
        )
        .await;
    stage
}

async fn reply(client: &mut Client, reference: &str) -> Value {
    let reply = client
        .until(|event| event.event == "phx_reply" && event.reference == reference)
        .await;
    reply.payload
}

#[tokio::test]
async fn a_clients_message_is_kept_where_it_asks_and_may() {
    let stage = room_that_keeps().await;
    let mut client = stage.connect(Version::V2).await;
    let config = json!({ "private": true, "broadcast": { "ack": true, "self": true } });
    client.join(ROOM, config).await;
    let mut ids = Vec::new();
    for (reference, meta, payload) in [
        ("11", r#"{"persist":true}"#, (true, &br#"{"n":1}"#[..])),
        ("12", r#"{"persist":{"ttl":60},"a":1}"#, (false, &[0, 255])),
        ("13", r#"{"persist":false}"#, (true, b"3")),
    ] {
        client.raw(push(reference, "kept", meta, payload)).await;
        let reply = reply(&mut client, reference).await;
        assert_eq!(reply["status"], "ok", "{reply}");
        ids.push(reply["response"]["id"].clone());
    }
    assert_eq!(ids.pop(), Some(Value::Null));
    let first = client.event("broadcast").await.payload;
    assert_eq!(
        first,
        json!({ "type": "broadcast", "event": "kept", "payload": { "n": 1 } })
    );
    assert_eq!(
        client.event("broadcast").await.payload["meta"],
        json!({ "a": 1 })
    );
    client
        .raw(push("14", "kept", r#"{"persist":{"ttl":0}}"#, (true, b"4")))
        .await;
    let refused = reply(&mut client, "14").await;
    assert_eq!(refused["response"]["error"], "invalid_persist_ttl");
    client.event("broadcast").await;
    no_more(&mut client).await;

    let mut late = stage.connect(Version::V2).await;
    join(&mut late, true, json!({ "since": 0 })).await;
    for (id, payload) in ids.into_iter().zip([json!({ "n": 1 }), json!([0, 255])]) {
        let heard = late.event("broadcast").await.payload;
        assert_eq!(heard["meta"], json!({ "replayed": true, "id": id }));
        assert_eq!(
            (&heard["event"], &heard["payload"]),
            (&json!("kept"), &payload)
        );
    }
    stage
        .run("update realtime.messages set expires_at = expires_at - interval '61 seconds'")
        .await;
    let mut later = stage.connect(Version::V2).await;
    join(&mut later, true, json!({ "since": 0 })).await;
    assert_eq!(later.event("broadcast").await.payload["payload"]["n"], 1);
    no_more(&mut later).await;
}

#[tokio::test]
async fn who_may_not_keep_is_heard_all_the_same() {
    let stage = room_that_keeps().await;
    let (_, token) = stage.user();
    let path = "/api/broadcast/room/events/posted";
    for (query, token, status) in [
        ("private=true&persist=true", token.as_str(), 202),
        ("persist=true", stage.db.anon_token(), 202),
        (
            "private=true&persist%5Bttl%5D=1h",
            stage.db.anon_token(),
            422,
        ),
        ("private=true&persist=perhaps", stage.db.anon_token(), 422),
        (
            "private=true&persist%5Bttl%5D=60",
            stage.db.anon_token(),
            202,
        ),
    ] {
        let request = stage.service.post(&format!("{path}?{query}")).bearer(token);
        let _ = request
            .json(&json!({ "query": query }))
            .await
            .expect_status(status);
    }
    let mut late = stage.connect(Version::V2).await;
    join(&mut late, true, json!({ "since": 0 })).await;
    let heard = late.event("broadcast").await.payload;
    assert_eq!(
        heard["payload"]["query"],
        "private=true&persist%5Bttl%5D=60"
    );
    no_more(&mut late).await;
}
