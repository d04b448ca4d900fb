//! SelfDB's own socket.

use common::{Environment as _, ProcessEnvironment};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::client::PATIENCE;
use crate::stage::Stage;

struct SelfDbClient(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl SelfDbClient {
    async fn connect(stage: &Stage) -> Self {
        let url = format!("{}/api/v1/realtime/ws", stage.service.url());
        let url = url.replace("http://", "ws://");
        let any_size = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _) = connect_async_with_config(url, Some(any_size), false)
            .await
            .expect("a socket");
        Self(socket)
    }

    async fn say(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .expect("an open socket");
    }

    async fn hear(&mut self) -> Value {
        let next = tokio::time::timeout(PATIENCE, self.0.next())
            .await
            .expect("in time");
        let message = next.expect("an open socket").expect("a message");
        let text = message.into_text().expect("text");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.say(message).await;
        self.hear().await
    }
}

#[tokio::test]
async fn a_user_hears_of_their_rows_once() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    let (anna, token) = stage.user();
    let mut client = SelfDbClient::connect(&stage).await;
    assert_eq!(
        client.ask(json!({ "type": "ping" })).await,
        json!({ "type": "pong" })
    );
    let early =
        json!({ "type": "subscribe", "subscription_id": "n", "data": { "table": "notes" } });
    assert_eq!(client.ask(early.clone()).await["type"], "error");
    let connected = client
        .ask(json!({ "type": "authenticate", "token": token }))
        .await;
    assert_eq!(connected, json!({ "type": "connected", "user_id": anna }));
    let subscribed = client.ask(early.clone()).await;
    let token = subscribed["resume_token"].clone();
    assert_eq!(
        subscribed,
        json!({ "type": "subscribed", "subscription_id": "n", "resume_token": token })
    );
    // Subscribed again under the same name: still told once.
    assert_eq!(client.ask(early).await["type"], "subscribed");
    stage.note(1, uuid::Uuid::new_v4(), "of another").await;
    let large = "x".repeat(20_000);
    stage.note(2, anna, &large).await;
    let change = client.hear().await;
    assert_eq!(
        change,
        json!({ "type": "database_change", "subscription_id": "n", "data": {
            "operation": "INSERT", "table": "notes",
            "data": { "id": 2, "user_id": anna, "body": large }, "old_data": null },
            "resume_token": change["resume_token"] })
    );
    let gone =
        json!({ "type": "unsubscribe", "subscription_id": "n", "data": { "table": "notes" } });
    assert_eq!(client.ask(gone).await["type"], "unsubscribed");
    stage.note(3, anna, "unheard").await;
    assert_eq!(client.ask(json!({ "type": "ping" })).await["type"], "pong");
}

#[tokio::test]
async fn the_anon_key_is_enough_for_open_tables() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = SelfDbClient::connect(&stage).await;
    let key = stage.db.anon_token();
    let connected = client
        .ask(json!({ "type": "authenticate", "token": key }))
        .await;
    assert_eq!(connected, json!({ "type": "connected", "user_id": null }));
    let bogus =
        json!({ "type": "subscribe", "subscription_id": "b", "data": { "table": "bogus" } });
    assert_eq!(client.ask(bogus).await["subscription_id"], "b");
    let secret =
        json!({ "type": "subscribe", "subscription_id": "s", "data": { "table": "auth.users" } });
    assert_eq!(client.ask(secret).await["type"], "error");
    let todos =
        json!({ "type": "subscribe", "subscription_id": "t", "data": { "table": "todos" } });
    assert_eq!(client.ask(todos).await["type"], "subscribed");
    stage.run("insert into todos values (1, 'a')").await;
    assert_eq!(
        client.hear().await["data"]["data"],
        json!({ "id": 1, "body": "a" })
    );
    stage.run("delete from todos").await;
    let deleted = client.hear().await;
    assert_eq!(
        (&deleted["data"]["data"], &deleted["data"]["old_data"]),
        (&Value::Null, &json!({ "id": 1 }))
    );
}

#[tokio::test]
async fn whoever_was_away_is_told_what_it_missed() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let key = json!({ "type": "authenticate", "token": stage.db.anon_token() });
    let subscribe = |resume: &Value| {
        json!({ "type": "subscribe", "subscription_id": "t", "data": { "table": "todos" },
            "resume": resume })
    };
    let mut client = SelfDbClient::connect(&stage).await;
    client.ask(key.clone()).await;
    let token = client.ask(subscribe(&Value::Null)).await["resume_token"].clone();
    drop(client);
    stage.run("insert into todos values (1, 'a')").await;
    stage.run("insert into todos values (2, 'b')").await;
    let mut client = SelfDbClient::connect(&stage).await;
    client.ask(key.clone()).await;
    assert_eq!(client.ask(subscribe(&token)).await["resume"], "resumed");
    let first = client.hear().await;
    assert_eq!(first["data"]["data"]["id"], 1);
    assert_eq!(client.hear().await["data"]["data"]["id"], 2);
    stage.run("insert into todos values (3, 'c')").await;
    assert_eq!(client.hear().await["data"]["data"]["id"], 3);
    let mut client = SelfDbClient::connect(&stage).await;
    client.ask(key).await;
    let wrong = client.ask(subscribe(&json!("wrong"))).await;
    assert_eq!(wrong["resume"], "resync_required");
}

#[tokio::test]
async fn a_wrong_token_ends_the_socket() {
    let stage = Stage::new().await;
    let mut client = SelfDbClient::connect(&stage).await;
    let refused = client
        .ask(json!({ "type": "authenticate", "token": "wrong" }))
        .await;
    assert_eq!(refused["type"], "error");
    let end = tokio::time::timeout(PATIENCE, client.0.next())
        .await
        .expect("in time");
    assert!(matches!(end, Some(Ok(Message::Close(Some(_))))), "{end:?}");
}

/// Megabytes of one value: `REALTIME_ROW_MEGABYTES=100` tries as large a row.
#[tokio::test]
async fn a_row_of_any_size_arrives_and_the_next_one_too() {
    let setting = ProcessEnvironment.var("REALTIME_ROW_MEGABYTES");
    let megabytes: usize = setting.and_then(|text| text.parse().ok()).unwrap_or(3);
    let stage = Stage::with(|settings| {
        settings
            .with("REALTIME_MAX_EVENT_BYTES", "1000000")
            .with("REALTIME_BUFFER_BYTES", "1000000")
    })
    .await;
    stage.open_table().await;
    let mut client = SelfDbClient::connect(&stage).await;
    let hello = json!({ "type": "authenticate", "token": stage.db.anon_token() });
    assert_eq!(client.ask(hello).await["type"], "connected");
    let todos =
        json!({ "type": "subscribe", "subscription_id": "t", "data": { "table": "todos" } });
    assert_eq!(client.ask(todos).await["type"], "subscribed");
    let insert = "insert into todos values (1, repeat('x', $1)), (2, 'small')";
    let length = i32::try_from(megabytes * 1_000_000).expect("a length");
    let inserted = pg::sqlx::query(insert).bind(length);
    let inserted = inserted.execute(&stage.db.admin_pool()).await;
    inserted.expect("the rows");
    let row = client.hear().await["data"]["data"].take();
    assert_eq!(row["id"], 1);
    assert_eq!(
        row["body"].as_str().map(str::len),
        Some(megabytes * 1_000_000)
    );
    assert_eq!(
        client.hear().await["data"]["data"],
        json!({ "id": 2, "body": "small" })
    );
}
