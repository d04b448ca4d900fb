//! Clients that come back are told exactly what they missed, or that they must read anew.

use std::ops::Range;

use pg::sqlx;
use serde_json::{Value, json};
use testkit::TestService;

use crate::client::{BOTH, Client, Version};
use crate::stage::Stage;

const TODOS: &str = "realtime:todos";

fn todos() -> Value {
    json!([{ "event": "*", "schema": "public", "table": "todos" }])
}

async fn insert(stage: &Stage, ids: Range<i64>) {
    let sql = "insert into todos select id, 'x' from generate_series($1::bigint, $2) id";
    for start in ids.clone().step_by(7) {
        let end = (start + 7).min(ids.end) - 1;
        sqlx::query(sql)
            .bind(start)
            .bind(end)
            .execute(&stage.db.admin_pool())
            .await
            .expect("rows");
    }
}

/// The ids of the next changes, which must be these, and the last one's token.
async fn expect(client: &mut Client, ids: Range<i64>) -> String {
    let mut token = None;
    for id in ids {
        let payload = client.event("postgres_changes").await.payload;
        assert_eq!(payload["data"]["record"]["id"], id);
        token = payload["resume_token"].as_str().map(str::to_owned);
    }
    token.expect("a token")
}

async fn settled(client: &mut Client) {
    let more = client.settle().await;
    let changes = more
        .iter()
        .filter(|event| event.event == "postgres_changes");
    assert_eq!(changes.count(), 0, "{more:?}");
}

#[tokio::test]
async fn a_client_that_was_away_is_told_what_it_missed_once() {
    let stage = Stage::new().await;
    stage.open_table().await;
    for (round, version) in (0i64..).zip(BOTH) {
        let first = round * 1000;
        let mut client = stage.connect(version).await;
        let response = client.listen(TODOS, todos()).await;
        let begun = response["resume_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        insert(&stage, first..first + 20).await;
        let token = expect(&mut client, first..first + 20).await;
        drop(client);
        insert(&stage, first + 20..first + 60).await;
        // From its last event, from the middle of a transaction, and from before the first.
        for (token, missed) in [(token, 20), (begun, 0)] {
            let mut client = stage.connect(version).await;
            let response = client.resume(TODOS, &token).await;
            assert_eq!(response["resume"], "resumed");
            expect(&mut client, first + missed..first + 60).await;
            let told = client
                .until(|event| event.payload["extension"] == "resume")
                .await;
            assert_eq!(told.payload["status"], "ok");
            settled(&mut client).await;
        }
        let mut client = stage.connect(version).await;
        client
            .resume(
                TODOS,
                &response["resume_token"].to_string().replace('"', ""),
            )
            .await;
        expect(&mut client, first..first + 3).await;
        insert(&stage, first + 60..first + 62).await;
        expect(&mut client, first + 3..first + 62).await;
    }
}

#[tokio::test]
async fn nothing_is_missed_or_doubled_while_others_write() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    let response = client.listen(TODOS, todos()).await;
    let mut token = response["resume_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let writing = insert(&stage, 0..700);
    let reading = async {
        let mut next = 0;
        while next < 700 {
            drop(client);
            client = stage.connect(Version::V2).await;
            client.resume(TODOS, &token).await;
            let until = (next + 90).min(700);
            token = expect(&mut client, next..until).await;
            next = until;
        }
        settled(&mut client).await;
    };
    tokio::join!(writing, reading);
}

#[tokio::test]
async fn a_restarted_service_goes_on_where_it_ended() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    client.listen(TODOS, todos()).await;
    insert(&stage, 0..10).await;
    let token = expect(&mut client, 0..10).await;
    let Stage { service, db } = stage;
    drop((client, service));
    let config = testkit::config::<realtime::Config>(&db.settings());
    let stage = Stage {
        service: TestService::listen(config).await,
        db,
    };
    insert(&stage, 10..30).await;
    stage.until_ready().await;
    let mut client = stage.connect(Version::V2).await;
    let response = client.resume(TODOS, &token).await;
    assert_eq!(response["resume"], "resumed");
    expect(&mut client, 10..30).await;
    insert(&stage, 30..35).await;
    expect(&mut client, 30..35).await;
}

#[tokio::test]
async fn what_is_not_known_any_more_is_said() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    let response = client.listen(TODOS, todos()).await;
    let token = response["resume_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let (epoch, rest) = token.split_once('-').expect("an epoch");
    let epoch = u64::from_str_radix(epoch, 16).expect("a number");
    for wrong in [
        "rubbish".to_owned(),
        format!("{:x}-{rest}", epoch - 1),
        format!("{:x}-{rest}", epoch + 1),
        format!("{epoch:x}-1-1"),
        format!("{epoch:x}-ffffffffffff-1"),
    ] {
        let mut client = stage.connect(Version::V2).await;
        let response = client.resume(TODOS, &wrong).await;
        assert_eq!(response["resume"], "resync_required", "{wrong}");
        let told = client
            .until(|event| event.payload["extension"] == "resume")
            .await;
        assert_eq!(told.payload["message"], "resync_required");
    }
    let mut client = stage.connect(Version::V2).await;
    client.resume(TODOS, "rubbish").await;
    insert(&stage, 0..5).await;
    expect(&mut client, 0..5).await;
}

#[tokio::test]
async fn without_a_journal_nothing_is_kept() {
    let stage = Stage::with(|settings| settings.with("REALTIME_JOURNAL_BYTES", "0")).await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    client.listen(TODOS, todos()).await;
    insert(&stage, 0..5).await;
    let token = expect(&mut client, 0..5).await;
    let mut client = stage.connect(Version::V2).await;
    let response = client.resume(TODOS, &token).await;
    assert_eq!(response["resume"], "resync_required");
    insert(&stage, 5..6).await;
    expect(&mut client, 5..6).await;
}

#[tokio::test]
async fn policies_decide_over_what_was_missed() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    let ((anna, annas), (bert, _)) = (stage.user(), stage.user());
    let notes = json!([{ "event": "*", "schema": "public", "table": "notes" }]);
    let mut client = stage.connect_as(Version::V2, &annas).await;
    let response = client.listen("realtime:notes", notes.clone()).await;
    drop(client);
    for (id, owner) in [(1, bert), (2, anna), (3, bert), (4, anna)] {
        stage.note(id, owner, "x").await;
    }
    let mut client = stage.connect_as(Version::V2, &annas).await;
    let config = json!({ "postgres_changes": notes, "resume": response["resume_token"] });
    client.join("realtime:notes", config).await;
    for id in [2, 4] {
        assert_eq!(client.change().await["record"]["id"], id);
    }
    client
        .until(|event| event.payload["extension"] == "resume")
        .await;
    settled(&mut client).await;
}

#[tokio::test]
async fn messages_from_sql_are_told_again_too() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    let response = client.listen(TODOS, todos()).await;
    drop(client);
    stage
        .run("select realtime.send('{\"n\": 1}', 'told', topic, false) from unnest(array['todos', 'other']) topic")
        .await;
    insert(&stage, 0..1).await;
    let token = response["resume_token"].as_str().expect("a token");
    let mut client = stage.connect(Version::V2).await;
    client.resume(TODOS, token).await;
    let heard = client.event("broadcast").await;
    assert_eq!(heard.payload["payload"]["n"], 1);
    expect(&mut client, 0..1).await;
    let more = client.settle().await;
    assert!(
        more.iter().all(|event| event.event != "broadcast"),
        "{more:?}"
    );
}
