//! Messages from before a join, and binary ones from SQL.

use serde_json::{Value, json};

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
        let more = client.settle().await;
        let more = more.iter().filter(|event| event.event == "broadcast");
        assert_eq!(more.count(), 0, "{replay}");
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
