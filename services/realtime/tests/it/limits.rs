//! What one client may take, and what happens beyond it.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, Version};
use crate::stage::Stage;

const ROOM: &str = "realtime:room";

#[tokio::test]
async fn channels_and_messages_are_bounded() {
    let stage = Stage::with(|settings| {
        settings
            .with("REALTIME_MAX_CHANNELS", "2")
            .with("REALTIME_MAX_EVENTS", "5")
    })
    .await;
    let mut client = stage.connect(Version::V2).await;
    client.join("realtime:a", json!({})).await;
    client.join(ROOM, json!({})).await;
    client.join(ROOM, json!({})).await;
    let reply = client.ask("realtime:c", "phx_join", json!({})).await;
    let reason = reply["response"]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("ChannelRateLimitReached"), "{reason}");
    for _ in 0..12 {
        let message = json!({ "type": "broadcast", "event": "x", "payload": {} });
        client.push(ROOM, "broadcast", message).await;
    }
    let system = client.event("system").await;
    assert_eq!(system.payload["message"], "Too many messages per second");
}

#[tokio::test]
async fn joins_are_bounded() {
    let stage = Stage::with(|settings| settings.with("REALTIME_MAX_JOINS", "3")).await;
    let mut client = stage.connect(Version::V2).await;
    let mut refused = 0;
    for number in 0..8 {
        let reply = client
            .ask(&format!("realtime:{number}"), "phx_join", json!({}))
            .await;
        refused += usize::from(reply["status"] == "error");
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn sockets_are_bounded() {
    let stage = Stage::with(|settings| settings.with("REALTIME_MAX_CLIENTS", "1")).await;
    let first = stage.connect(Version::V2).await;
    let url = stage.service.url();
    let token = stage.db.anon_token();
    assert!(Client::try_connect(url, Version::V2, token).await.is_err());
    drop(first);
    let deadline = tokio::time::Instant::now() + crate::client::PATIENCE;
    while Client::try_connect(url, Version::V2, token).await.is_err() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the place is never free again"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_silent_client_is_ended() {
    let stage = Stage::with(|settings| settings.with("REALTIME_MAX_SILENCE", "1")).await;
    let mut client = stage.connect(Version::V2).await;
    client.join(ROOM, json!({})).await;
    assert_eq!(
        client.closed().await,
        Some((1008, "no heartbeat".to_owned()))
    );
}

#[tokio::test]
async fn a_message_larger_than_allowed_ends_the_socket() {
    let stage = Stage::with(|settings| settings.with("REALTIME_MAX_MESSAGE_BYTES", "2000")).await;
    let mut client = stage.connect(Version::V2).await;
    client.raw(Message::text("x".repeat(3000))).await;
    client.closed().await;
    let body = "x".repeat(3000);
    let send = stage
        .service
        .post("/api/broadcast")
        .bearer(stage.db.anon_token());
    let _ = send.body(body).await.expect_status(413);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_and_others_hear_on() {
    let stage = Stage::with(|settings| {
        settings
            .with("REALTIME_BUFFER_BYTES", "1000000")
            .with("REALTIME_MAX_EVENTS", "10000")
    })
    .await;
    let mut stalled = stage.connect(Version::V2).await;
    let mut reader = stage.connect(Version::V2).await;
    let mut sender = stage.connect(Version::V2).await;
    for client in [&mut stalled, &mut reader, &mut sender] {
        client
            .join(ROOM, json!({ "presence": { "enabled": false } }))
            .await;
    }
    let payload = "x".repeat(200_000);
    // More than the buffer and both ends' socket buffers hold.
    for number in 0..100 {
        let message = json!({ "type": "broadcast", "event": "x", "payload": { "n": number, "payload": payload } });
        sender.push(ROOM, "broadcast", message).await;
        assert_eq!(
            reader.event("broadcast").await.payload["payload"]["n"],
            number
        );
    }
    let heard = async {
        let mut messages = 0;
        while stalled.next().await.is_some() {
            messages += 1;
        }
        messages
    };
    let heard = tokio::time::timeout(crate::client::PATIENCE, heard)
        .await
        .expect("its end");
    assert!(heard < 100, "the stalled client heard everything");
}

#[tokio::test]
async fn what_one_user_takes_over_all_sockets_is_bounded() {
    let stage = Stage::with(|settings| {
        settings
            .with("REALTIME_KEY_MAX_CLIENTS", "2")
            .with("REALTIME_KEY_MAX_JOINS", "4")
            .with("REALTIME_KEY_MAX_EVENTS", "6")
    })
    .await;
    let ((_, annas), (_, berts)) = (stage.user(), stage.user());
    let url = stage.service.url();
    let mut first = stage.connect_as(Version::V2, &annas).await;
    let mut second = stage.connect_as(Version::V2, &annas).await;
    assert!(Client::try_connect(url, Version::V2, &annas).await.is_err());
    let mut other = stage.connect_as(Version::V2, &berts).await;
    let mut refused = 0;
    for number in 0..6 {
        for client in [&mut first, &mut second] {
            let topic = format!("realtime:{number}");
            let reply = client.ask(&topic, "phx_join", json!({})).await;
            refused += usize::from(reply["status"] == "error");
        }
    }
    assert!(refused > 0);
    other.join(ROOM, json!({})).await;
    let messages = |count| {
        let message = json!({ "topic": "room", "event": "x", "payload": {} });
        json!({ "messages": vec![message; count] })
    };
    let send = |token: &str| stage.service.post("/api/broadcast").bearer(token);
    let _ = send(&berts).json(&messages(7)).await.expect_status(429);
    let key = stage.db.anon_token();
    let _ = send(key).json(&messages(6)).await.expect_status(202);
}

/// A client that nothing comes from any more and that takes nothing: its connection is still
/// there, only whoever was behind it is not.
#[tokio::test]
async fn a_black_holed_client_is_gone_after_the_silence() {
    let stage = Stage::with(|settings| {
        settings
            .with("REALTIME_MAX_SILENCE", "1")
            .with("REALTIME_MAX_CLIENTS", "1")
            .with("REALTIME_BUFFER_BYTES", "100000000")
    })
    .await;
    let mut client = stage.connect(Version::V2).await;
    client.join(ROOM, json!({})).await;
    // More than the buffers of both ends hold: the server cannot even write its farewell.
    let payload = "x".repeat(2_000_000);
    let message = json!({ "topic": "room", "event": "x", "payload": payload });
    for _ in 0..8 {
        let send = stage.service.post("/api/broadcast");
        let send = send.bearer(stage.db.service_token());
        let body = json!({ "messages": [message] });
        let _ = send.json(&body).await.expect_status(202);
    }
    let began = tokio::time::Instant::now();
    let (url, token) = (stage.service.url(), stage.db.anon_token());
    while Client::try_connect(url, Version::V2, token).await.is_err() {
        assert!(
            began.elapsed() < crate::client::PATIENCE,
            "it is never gone"
        );
        tokio::task::yield_now().await;
    }
    drop(client);
}
