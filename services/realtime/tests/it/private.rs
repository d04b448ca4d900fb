//! Private topics: closed unless policies on `realtime.messages` open them.

use serde_json::{Value, json};

use crate::client::{Client, Version};
use crate::stage::Stage;

const ROOM: &str = "realtime:room";

async fn try_join(client: &mut Client) -> Value {
    let config = json!({ "private": true, "broadcast": { "ack": true } });
    client
        .ask(ROOM, "phx_join", json!({ "config": config }))
        .await
}

fn message() -> Value {
    json!({ "type": "broadcast", "event": "x", "payload": {} })
}

#[tokio::test]
async fn without_policies_nobody_gets_in() {
    let stage = Stage::new().await;
    let (_, token) = stage.user();
    for token in [stage.db.anon_token(), &token] {
        let mut client = stage.connect_as(Version::V2, token).await;
        let reply = try_join(&mut client).await;
        assert_eq!(reply["status"], "error");
        let reason = reply["response"]["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("Unauthorized"), "{reason}");
        let send = stage
            .service
            .post("/api/broadcast/room/events/x?private=true");
        let _ = send.bearer(token).json(&json!({})).await.expect_status(403);
    }
    let mut service = stage
        .connect_as(Version::V2, stage.db.service_token())
        .await;
    assert_eq!(try_join(&mut service).await["status"], "ok");
}

#[tokio::test]
async fn hearing_and_sending_are_granted_apart() {
    let stage = Stage::new().await;
    let ((anna, annas), (_, berts)) = (stage.user(), stage.user());
    stage
        .db
        .execute(&format!(
            "create policy hear on realtime.messages for select to authenticated \
                 using (realtime.topic() = 'room' and extension = 'broadcast'); \
             create policy send on realtime.messages for insert to authenticated \
                 with check (topic = 'room' and auth.uid() = '{anna}')"
        ))
        .await;
    let mut first = stage.connect_as(Version::V2, &annas).await;
    let mut second = stage.connect_as(Version::V2, &berts).await;
    assert_eq!(try_join(&mut first).await["status"], "ok");
    assert_eq!(try_join(&mut second).await["status"], "ok");
    let refused = second.ask(ROOM, "broadcast", message()).await;
    assert_eq!(refused["status"], "error");
    assert_eq!(
        first.ask(ROOM, "broadcast", message()).await["status"],
        "ok"
    );
    second.event("broadcast").await;
    let heard = first.settle().await;
    assert!(
        heard.iter().all(|event| event.event != "broadcast"),
        "{heard:?}"
    );
    let track = json!({ "type": "presence", "event": "track", "payload": {} });
    assert_eq!(first.ask(ROOM, "presence", track).await["status"], "ok");
    let other = json!({ "config": { "private": true } });
    let reply = first.ask("realtime:other", "phx_join", other).await;
    assert_eq!(reply["status"], "error");
    let path = "/api/broadcast/room/events/x?private=true";
    let _ = stage
        .service
        .post(path)
        .bearer(&berts)
        .json(&json!({}))
        .await
        .expect_status(403);
    let _ = stage
        .service
        .post(path)
        .bearer(&annas)
        .json(&json!({}))
        .await
        .expect_status(202);
    second.event("broadcast").await;
}

#[tokio::test]
async fn a_public_topic_of_the_same_name_is_another() {
    let stage = Stage::new().await;
    stage
        .run("create policy hear on realtime.messages for select using (true)")
        .await;
    let mut private = stage.connect(Version::V2).await;
    assert_eq!(try_join(&mut private).await["status"], "ok");
    let mut public = stage.connect(Version::V2).await;
    public.join(ROOM, json!({})).await;
    public.push(ROOM, "broadcast", message()).await;
    public.settle().await;
    let heard = private.settle().await;
    assert!(
        heard.iter().all(|event| event.event != "broadcast"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn revoked_rights_end_the_channel_at_the_next_token() {
    let stage = Stage::new().await;
    let (anna, annas) = stage.user();
    stage
        .run("create policy hear on realtime.messages for select to authenticated using (true)")
        .await;
    let mut client = stage.connect_as(Version::V2, &annas).await;
    assert_eq!(try_join(&mut client).await["status"], "ok");
    stage.run("drop policy hear on realtime.messages").await;
    let token = stage.db.user_token(anna, "someone@example.com");
    client
        .push(ROOM, "access_token", json!({ "access_token": token }))
        .await;
    let system = client.event("system").await;
    assert_eq!(
        (&system.payload["status"], &system.payload["extension"]),
        (&json!("error"), &json!("system"))
    );
    assert_eq!(
        system.payload["message"],
        "You no longer have permission to read from this Channel topic: room"
    );
    client.event("phx_close").await;
}

#[tokio::test]
async fn sql_may_send_where_its_role_may() {
    let stage = Stage::new().await;
    let mut client = stage
        .connect_as(Version::V2, stage.db.service_token())
        .await;
    let config = json!({ "private": true, "broadcast": { "replication_ready": true } });
    client.join(ROOM, config).await;
    client.event("system").await;
    let send = |event: &str| {
        format!(
            "begin; set local role authenticated; \
             select realtime.send('{{}}', '{event}', 'room'); commit"
        )
    };
    stage.db.execute(&send("refused")).await;
    stage
        .run(
            "create policy send on realtime.messages for insert to authenticated \
             with check (realtime.topic() = 'room')",
        )
        .await;
    stage.db.execute(&send("sent")).await;
    assert_eq!(client.event("broadcast").await.payload["event"], "sent");
}
