//! Frames, heartbeats, joins and leaves; who may open a socket.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{BOTH, Client, Version};
use crate::stage::Stage;

#[tokio::test]
async fn a_channel_is_joined_and_left_in_both_versions() {
    let stage = Stage::new().await;
    for version in BOTH {
        let mut client = stage.connect(version).await;
        let reply = client.ask("phoenix", "heartbeat", json!({})).await;
        assert_eq!(reply, json!({ "status": "ok", "response": {} }));
        let response = client.join("realtime:room", json!({})).await;
        assert_eq!(response, json!({ "postgres_changes": [] }));
        let left = client.ask("realtime:room", "phx_leave", json!({})).await;
        assert_eq!(left["status"], "ok");
        let close = client.event("phx_close").await;
        assert_eq!(
            (close.topic.as_str(), close.reference),
            ("realtime:room", Value::from("1"))
        );
        let refused = client
            .ask("realtime:room", "broadcast", json!({ "event": "x" }))
            .await;
        assert_eq!(refused["response"]["reason"], "unmatched topic");
    }
}

#[tokio::test]
async fn joining_again_replaces_the_channel() {
    let stage = Stage::new().await;
    let mut client = stage.connect(Version::V2).await;
    client
        .join("realtime:room", json!({ "broadcast": { "self": true } }))
        .await;
    client
        .join("realtime:room", json!({ "broadcast": { "self": true } }))
        .await;
    client.event("phx_close").await;
    let message = json!({ "type": "broadcast", "event": "x", "payload": {} });
    client.push("realtime:room", "broadcast", message).await;
    let heard = client.settle().await;
    let heard = heard
        .iter()
        .filter(|event| event.event == "broadcast")
        .count();
    assert_eq!(heard, 1);
}

#[tokio::test]
async fn topics_without_a_name_are_refused() {
    let stage = Stage::new().await;
    let mut client = stage.connect(Version::V1).await;
    for topic in [
        "realtime:",
        "room",
        "phoenix",
        &format!("realtime:{}", "x".repeat(250)),
    ] {
        let reply = client.ask(topic, "phx_join", json!({})).await;
        assert_eq!(reply["status"], "error", "{topic}");
    }
}

#[tokio::test]
async fn rubbish_ends_the_socket() {
    let stage = Stage::new().await;
    for message in [
        Message::text("{"),
        Message::binary(vec![9, 9]),
        Message::text("[]"),
    ] {
        let mut client = stage.connect(Version::V2).await;
        client.raw(message).await;
        assert_eq!(client.closed().await.map(|(code, _)| code), Some(1008));
    }
}

#[tokio::test]
async fn a_socket_needs_a_valid_key() {
    let stage = Stage::new().await;
    let url = stage.service.url();
    for key in ["", "wrong", "sb_publishable_guessed0123456789abcdefgh"] {
        let refused = Client::try_connect(url, Version::V2, key).await;
        let Err(error) = refused else {
            panic!("{key} opened a socket");
        };
        let Error::Http(response) = *error else {
            panic!("not an answer: {error}");
        };
        assert_eq!(response.status().as_u16(), 401, "{key}");
    }
    let publishable = "sb_publishable_tests0123456789abcdefgh";
    let mut client = Client::connect(url, Version::V2, publishable).await;
    client.join("realtime:room", json!({})).await;
}
