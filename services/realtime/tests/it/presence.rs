//! Who is present: state, differences, and leaving without a word.

use serde_json::{Value, json};

use crate::client::{Client, Version};
use crate::stage::Stage;

const ROOM: &str = "realtime:room";

async fn join(stage: &Stage, version: Version, key: &str) -> Client {
    let mut client = stage.connect(version).await;
    client
        .join(ROOM, json!({ "presence": { "key": key, "enabled": true } }))
        .await;
    client
}

async fn track(client: &mut Client, payload: Value) {
    let track = json!({ "type": "presence", "event": "track", "payload": payload });
    assert_eq!(client.ask(ROOM, "presence", track).await["status"], "ok");
}

#[tokio::test]
async fn the_present_are_told_to_whoever_joins_and_to_whoever_is_there() {
    let stage = Stage::new().await;
    let mut anna = join(&stage, Version::V2, "anna").await;
    assert_eq!(anna.event("presence_state").await.payload, json!({}));
    track(&mut anna, json!({ "mood": "ok" })).await;
    let diff = anna.event("presence_diff").await.payload;
    let first = diff["joins"]["anna"]["metas"][0]["phx_ref"].clone();
    assert!(first.is_string());
    let mut bert = join(&stage, Version::V1, "bert").await;
    let state = bert.event("presence_state").await.payload;
    assert_eq!(
        state,
        json!({ "anna": { "metas": [{ "mood": "ok", "phx_ref": first }] } })
    );
    track(&mut anna, json!({ "mood": "bad" })).await;
    let left = bert.event("presence_diff").await.payload;
    assert_eq!(left["leaves"]["anna"]["metas"][0]["phx_ref"], first);
    let diff = bert.event("presence_diff").await.payload;
    let joined = &diff["joins"]["anna"]["metas"][0];
    assert_eq!(
        (&joined["mood"], &joined["phx_ref_prev"]),
        (&json!("bad"), &first)
    );
    let untrack = json!({ "type": "presence", "event": "untrack" });
    anna.ask(ROOM, "presence", untrack).await;
    let diff = bert.event("presence_diff").await.payload;
    assert_eq!(diff["joins"], json!({}));
    assert_eq!(diff["leaves"]["anna"]["metas"][0]["mood"], "bad");
}

#[tokio::test]
async fn a_client_that_vanishes_leaves() {
    let stage = Stage::new().await;
    let mut anna = join(&stage, Version::V2, "").await;
    track(&mut anna, json!({ "n": 1 })).await;
    let mut bert = join(&stage, Version::V2, "bert").await;
    let state = bert.event("presence_state").await.payload;
    let key = state
        .as_object()
        .expect("an object")
        .keys()
        .next()
        .expect("a random key")
        .clone();
    drop(anna);
    let diff = bert.event("presence_diff").await.payload;
    assert_eq!(diff["leaves"][key]["metas"][0]["n"], 1);
}

#[tokio::test]
async fn who_did_not_ask_hears_nothing_until_it_is_present_itself() {
    let stage = Stage::new().await;
    let mut quiet = stage.connect(Version::V2).await;
    quiet
        .join(
            ROOM,
            json!({ "presence": { "key": "quiet", "enabled": false } }),
        )
        .await;
    let mut anna = join(&stage, Version::V2, "anna").await;
    track(&mut anna, json!({})).await;
    assert_eq!(quiet.settle().await, []);
    track(&mut quiet, json!({})).await;
    let state = quiet.event("presence_state").await.payload;
    assert!(
        state["anna"].is_object() && state["quiet"].is_null(),
        "{state}"
    );
    quiet.event("presence_diff").await;
}
