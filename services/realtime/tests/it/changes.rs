//! Committed changes: each once, with typed payloads.

use std::collections::BTreeSet;

use pg::sqlx;
use serde_json::{Value, json};

use crate::client::{BOTH, Version};
use crate::stage::Stage;

fn all_of(table: &str) -> Value {
    json!([{ "event": "*", "schema": "public", "table": table }])
}

#[tokio::test]
async fn writes_right_after_subscribed_all_arrive_once_and_in_order() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let pool = stage.db.admin_pool();
    for (round, version) in (0i32..).zip(BOTH) {
        let mut client = stage.connect(version).await;
        client.listen("realtime:todos", all_of("todos")).await;
        let ids: Vec<i32> = (round * 200..(round + 1) * 200).collect();
        for id in &ids {
            sqlx::query("insert into todos values ($1, 'x')")
                .bind(id)
                .execute(&pool)
                .await
                .expect("an insert");
        }
        for id in &ids {
            assert_eq!(client.change().await["record"]["id"], *id);
        }
        let more = client.settle().await;
        assert!(
            more.iter().all(|event| event.event != "postgres_changes"),
            "{more:?}"
        );
    }
}

#[tokio::test]
async fn concurrent_writers_are_each_heard_once() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    client.listen("realtime:todos", all_of("todos")).await;
    let writers = (0..4).map(|writer| {
        let pool = stage.db.admin_pool();
        async move {
            for number in 0..50 {
                sqlx::query("insert into todos values ($1, 'x')")
                    .bind(writer * 50 + number)
                    .execute(&pool)
                    .await
                    .expect("an insert");
            }
        }
    });
    futures_util::future::join_all(writers).await;
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let id = client.change().await["record"]["id"]
            .as_i64()
            .expect("a number");
        assert!(seen.insert(id), "{id} came twice");
    }
}

#[tokio::test]
async fn the_payload_is_what_clients_read() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V1).await;
    let request = json!([
        { "event": "INSERT", "schema": "public", "table": "todos", "filter": "id=gt.1" },
        { "event": "*", "schema": "*" },
    ]);
    let response = client.listen("realtime:any", request).await;
    let bound = &response["postgres_changes"];
    assert_eq!(bound[0]["filter"], "id=gt.1");
    assert_eq!(bound[1].get("table"), None);
    stage
        .run("insert into todos values (1, null), (2, 'milk')")
        .await;
    let first = client.event("postgres_changes").await.payload;
    assert_eq!(first["ids"], json!([bound[1]["id"]]));
    let second = client.event("postgres_changes").await.payload;
    assert_eq!(second["ids"], json!([bound[0]["id"], bound[1]["id"]]));
    let mut data = second["data"].clone();
    let moment = data["commit_timestamp"].take();
    let moment = moment.as_str().expect("text").to_owned();
    assert!(moment.ends_with('Z') && moment.contains('T'), "{moment}");
    assert_eq!(
        data,
        json!({
            "schema": "public", "table": "todos", "commit_timestamp": null, "type": "INSERT",
            "columns": [{ "name": "id", "type": "int4" }, { "name": "body", "type": "text" }],
            "record": { "id": 2, "body": "milk" }, "errors": null,
        })
    );
}

#[tokio::test]
async fn updates_and_deletes_have_the_old_row_as_far_as_the_log_has_it() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    client.listen("realtime:todos", all_of("todos")).await;
    stage.run("insert into todos values (1, 'a')").await;
    stage.run("update todos set body = 'b'").await;
    stage.run("delete from todos").await;
    assert_eq!(client.change().await["type"], "INSERT");
    let update = client.change().await;
    assert_eq!(
        (&update["record"]["body"], &update["old_record"]),
        (&json!("b"), &json!({ "id": 1 }))
    );
    let delete = client.change().await;
    assert_eq!(delete["old_record"], json!({ "id": 1 }));
    assert_eq!(delete.get("record"), None);
    stage.run("alter table todos replica identity full").await;
    stage.run("insert into todos values (1, 'a')").await;
    stage.run("delete from todos").await;
    client.change().await;
    assert_eq!(
        client.change().await["old_record"],
        json!({ "id": 1, "body": "a" })
    );
}

#[tokio::test]
async fn values_are_json_of_their_types() {
    let stage = Stage::new().await;
    stage
        .db
        .execute(
            "create type mood as enum ('ok', 'bad'); create domain positive as int check (value > 0); \
             create type point_of_map as (name text, x float8, tags text[], mood mood); \
             create table kinds (id bigint primary key, ok bool, ratio float8, price numeric, \
                 doc jsonb, raw json, at timestamptz, local timestamp, day date, tags text[], \
                 grid int[], feeling mood, feelings mood[], size positive, bytes bytea, owner uuid, \
                 span int4range, missing text, place point_of_map, places point_of_map[], \
                 sizes positive[]); \
             select selfdb.set_table_public('kinds', true); \
             alter publication supabase_realtime add table kinds",
        )
        .await;
    let mut client = stage.connect(Version::V2).await;
    client.listen("realtime:kinds", all_of("kinds")).await;
    stage
        .run(
            "insert into kinds values (9007199254740993, true, 'NaN', 12.50, '{\"a\": [1, null]}', \
             '[1,  2]', '2024-01-02 03:04:05.678+02', '2024-01-02 03:04:05', '2024-01-02', \
             array['a', 'b,c', null], '{{1,2},{3,4}}', 'ok', array['ok', 'bad']::mood[], 7, \
             '\\x00ff', '00000000-0000-0000-0000-000000000001', '[1,5)', null, \
             row('a \"b\"', 1.5, array['x, y', null], 'bad'), \
             array[row(null, null, '{}', 'ok')]::point_of_map[], '{1,2}')",
        )
        .await;
    let change = client.change().await;
    assert_eq!(
        change["record"],
        json!({
            "id": 9_007_199_254_740_993_i64, "ok": true, "ratio": "NaN", "price": 12.50,
            "doc": { "a": [1, null] }, "raw": [1, 2], "at": "2024-01-02T01:04:05.678+00:00",
            "local": "2024-01-02T03:04:05", "day": "2024-01-02", "tags": ["a", "b,c", null],
            "grid": [[1, 2], [3, 4]], "feeling": "ok", "feelings": ["ok", "bad"], "size": 7,
            "bytes": "\\x00ff", "owner": "00000000-0000-0000-0000-000000000001",
            "span": "[1,5)", "missing": null,
            "place": { "name": "a \"b\"", "x": 1.5, "tags": ["x, y", null], "mood": "bad" },
            "places": [{ "name": null, "x": null, "tags": [], "mood": "ok" }], "sizes": [1, 2],
        })
    );
    let types: Vec<&Value> = change["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| &column["type"])
        .collect();
    let expected = json!([
        "int8",
        "bool",
        "float8",
        "numeric",
        "jsonb",
        "json",
        "timestamptz",
        "timestamp",
        "date",
        "_text",
        "_int4",
        "mood",
        "_mood",
        "int4",
        "bytea",
        "uuid",
        "int4range",
        "text",
        "point_of_map",
        "_point_of_map",
        "_positive"
    ]);
    assert_eq!(json!(types), expected);
}

#[tokio::test]
async fn a_large_row_arrives_and_a_huge_one_is_named() {
    let stage = Stage::with(|settings| settings.with("REALTIME_MAX_EVENT_BYTES", "2000000")).await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    client.listen("realtime:todos", all_of("todos")).await;
    stage
        .run("insert into todos values (1, repeat('x', 1000000))")
        .await;
    let body = client.change().await["record"]["body"].clone();
    assert_eq!(body.as_str().map(str::len), Some(1_000_000));
    stage
        .run("insert into todos values (2, repeat('x', 3000000)), (3, 'small')")
        .await;
    let huge = client.change().await;
    assert_eq!(huge["errors"], json!(["Error 413: Payload Too Large"]));
    assert_eq!(huge["record"], json!({ "id": 2 }));
    let names = huge["columns"].as_array().map(Vec::len);
    assert_eq!(names, Some(2));
    assert_eq!(client.change().await["record"]["id"], 3);
}

#[tokio::test]
async fn only_selected_columns_are_sent() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    let request = json!([{ "event": "*", "schema": "public", "table": "todos", "select": ["id"] }]);
    client.listen("realtime:todos", request).await;
    stage.run("insert into todos values (1, 'secret')").await;
    let change = client.change().await;
    assert_eq!(change["record"], json!({ "id": 1 }));
    assert_eq!(change["columns"], json!([{ "name": "id", "type": "int4" }]));
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_in_words() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let mut client = stage.connect(Version::V2).await;
    stage.run("create table unpublished (id int)").await;
    for (table, filter, reason) in [
        ("todos", "id=fts.cat", r#"`filter` params: ["fts", "cat"]"#),
        ("todos", "nothing=eq.1", "invalid column for filter nothing"),
        ("todos", "id=eq.cat", r#"{"id", "eq", "cat", false}"#),
        ("unpublished", "", "check Realtime is enabled"),
        ("missing", "", "table: missing, filters: [], select: nil]"),
    ] {
        let change =
            json!([{ "event": "*", "schema": "public", "table": table, "filter": filter }]);
        let config = json!({ "postgres_changes": change, "broadcast": { "ack": true } });
        let response = client.join("realtime:todos", config).await;
        assert!(response["postgres_changes"][0]["id"].is_u64(), "{response}");
        let system = client.event("system").await.payload;
        assert_eq!(system["status"], "error");
        assert_eq!(system["extension"], "postgres_changes");
        let told = system["message"].as_str().expect("a message");
        assert!(told.contains(reason), "{told}");
        // The rest of the channel is there.
        let message = json!({ "type": "broadcast", "event": "x", "payload": {} });
        let reply = client.ask("realtime:todos", "broadcast", message).await;
        assert_eq!(reply["status"], "ok");
    }
}
