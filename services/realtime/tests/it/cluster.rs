//! What ends streams and slots. One at a time: these look at the whole cluster's state.

use std::time::Duration;

use pg::sqlx;
use serde_json::json;
use tokio::time::Instant;

use crate::client::{Client, PATIENCE, Version};
use crate::stage::Stage;

async fn listening(stage: &Stage, url: &str) -> Client {
    let mut client = Client::connect(url, Version::V2, stage.db.anon_token()).await;
    let todos = json!([{ "event": "*", "schema": "public", "table": "todos" }]);
    client.listen("realtime:todos", todos).await;
    client
}

async fn insert(stage: &Stage, id: i32) {
    sqlx::query("insert into todos values ($1, 'x')")
        .bind(id)
        .execute(&stage.db.admin_pool())
        .await
        .expect("an insert");
}

/// Ends whoever reads the slot of the stage's database; answers whether anybody did.
async fn end_reader(stage: &Stage) -> bool {
    let sql = "select count(pg_terminate_backend(active_pid)) from pg_replication_slots \
               where database = current_database() and active";
    let ended: i64 = sqlx::query_scalar(sql)
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("an answer");
    ended > 0
}

async fn until_reader_ended(stage: &Stage) {
    let deadline = Instant::now() + PATIENCE;
    while !end_reader(stage).await {
        assert!(Instant::now() < deadline, "nobody reads the slot");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn events_go_on_without_loss_when_the_server_ends_the_stream() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = listening(&stage, stage.service.url()).await;
    for id in 0..120 {
        if id % 30 == 10 {
            until_reader_ended(&stage).await;
        }
        insert(&stage, id).await;
    }
    for id in 0..120 {
        assert_eq!(client.change().await["record"]["id"], id);
    }
    let more = client.settle().await;
    assert!(
        more.iter().all(|event| event.event == "presence_state"),
        "{more:?}"
    );
}

#[tokio::test]
async fn a_lost_slot_is_made_anew_and_listeners_are_told() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = listening(&stage, stage.service.url()).await;
    // The service reconnects at once; the slot must be dropped in between.
    let deadline = Instant::now() + PATIENCE;
    let drop = "select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots \
                where database = current_database()";
    loop {
        end_reader(&stage).await;
        let dropped = sqlx::query(drop).execute(&stage.db.admin_pool()).await;
        if dropped.is_ok() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "the slot cannot be dropped: {dropped:?}"
        );
    }
    let system = client.event("system").await;
    assert_eq!(system.payload["status"], "error");
    client.event("phx_error").await;
    stage.until_ready().await;
    let todos = json!([{ "event": "*", "schema": "public", "table": "todos" }]);
    client.listen("realtime:todos", todos).await;
    insert(&stage, 1).await;
    assert_eq!(client.change().await["record"]["id"], 1);
}

#[tokio::test]
async fn another_process_takes_over_in_under_five_seconds() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut first = listening(&stage, stage.service.url()).await;
    let second = stage.another_service().await;
    let mut waiting = Client::connect(second.url(), Version::V2, stage.db.anon_token()).await;
    let todos = json!([{ "event": "*", "schema": "public", "table": "todos" }]);
    let config = json!({ "config": { "postgres_changes": todos } });
    waiting.push("realtime:todos", "phx_join", config).await;
    insert(&stage, 1).await;
    assert_eq!(first.change().await["record"]["id"], 1);
    assert_eq!(second.get("/ready").await.status.as_u16(), 503);
    let Stage { service, db } = stage;
    drop(service);
    let began = Instant::now();
    waiting.event("phx_reply").await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    sqlx::query("insert into todos values (2, 'x')")
        .execute(&db.admin_pool())
        .await
        .expect("an insert");
    assert_eq!(waiting.change().await["record"]["id"], 2);
}

#[tokio::test]
async fn an_idle_database_holds_back_no_log() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let _client = listening(&stage, stage.service.url()).await;
    // Written elsewhere: nothing of it concerns the slot's database.
    let sql = "select pg_logical_emit_message(false, 'elsewhere', repeat('x', 100000))";
    sqlx::query(sql)
        .execute(&stage.db.admin_pool())
        .await
        .expect("a message");
    let now: String = sqlx::query_scalar("select pg_current_wal_lsn()::text")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a position");
    let sql = "select confirmed_flush_lsn >= $1::pg_lsn from pg_replication_slots \
               where database = current_database()";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let confirmed: bool = sqlx::query_scalar(sql)
            .bind(&now)
            .fetch_one(&stage.db.admin_pool())
            .await
            .expect("a slot");
        if confirmed {
            return;
        }
        assert!(Instant::now() < deadline, "the position is never confirmed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_slot_that_waits_for_open_transactions_says_so() {
    let db = testkit::TestDatabase::new(&[realtime::MIGRATIONS]).await;
    let mut open = db.admin_pool().begin().await.expect("a transaction");
    sqlx::query("select pg_current_xact_id()")
        .execute(&mut *open)
        .await
        .expect("an id");
    let config = testkit::config::<realtime::Config>(&db.settings());
    let service = testkit::TestService::listen(config).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = service.get("/ready").await;
        if answer
            .text()
            .contains("the transactions that were open before")
        {
            break;
        }
        assert!(Instant::now() < deadline, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    open.rollback().await.expect("its end");
    while service.get("/ready").await.status.as_u16() != 200 {
        assert!(Instant::now() < deadline, "the stream never starts");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
