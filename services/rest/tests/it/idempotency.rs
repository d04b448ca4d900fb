//! `Idempotency-Key`.

use std::time::{Duration, Instant};

use common::EnvironmentMap;
use testkit::{TestResponse, TestService};
use uuid::Uuid;

use crate::api::{Api, Scenario, delete, get, patch, post, put};

const FULL: &str = "return=representation";

fn keyed(scenario: Scenario, key: &'static str) -> Scenario {
    scenario.with("idempotency-key", key)
}

async fn count(api: &Api, table: &'static str) -> i64 {
    let query = match table {
        "items" => "select count(*) from items",
        _ => "select count(*) from selfdb.idempotent_answers",
    };
    let count = pg::sqlx::query_scalar(query);
    let counted = count.fetch_one(&api.db.admin_pool()).await;
    counted.unwrap_or(-1)
}

fn replayed(response: &TestResponse) -> bool {
    response.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn a_write_sent_again_is_answered_again_and_not_applied_again() {
    let api = Api::start().await;
    let insert = || {
        keyed(
            post("/items?select=name", r#"{"name": "one"}"#).prefer(FULL),
            "\"a\"",
        )
    };
    let first = api.ask(&insert()).await;
    assert_eq!(first.status, 201);
    assert!(!replayed(&first));
    let second = api.ask(&insert()).await;
    assert!(replayed(&second));
    assert_eq!(second.status, 201);
    assert_eq!(second.text(), first.text());
    for name in [
        "content-type",
        "content-range",
        "preference-applied",
        "vary",
    ] {
        assert_eq!(second.header(name), first.header(name), "{name}");
    }
    // Without quotes it is the same key.
    let unquoted = post("/items?select=name", r#"{"name": "one"}"#).prefer(FULL);
    assert!(replayed(&api.ask(&keyed(unquoted, "a")).await));
    assert_eq!(count(&api, "items").await, 1);
}

#[tokio::test]
async fn every_write_takes_a_key_and_reads_pass_it_by() {
    let api = Api::start().await;
    api.db
        .execute(
            "create table counters (id int primary key, n int not null default 0); \
             insert into counters values (1, 0); \
             create function tally() returns int language sql volatile \
             as 'update counters set n = n + 1 where id = 1 returning n'",
        )
        .await;
    api.until(
        |api| api.service.get("/counters").bearer(api.db.service_token()),
        |seen| seen.status == 200,
    )
    .await;
    for _ in 0..2 {
        let shown = api.ask(&keyed(post("/rpc/tally", ""), "call")).await;
        assert_eq!((shown.status.as_u16(), shown.text()), (200, "1".to_owned()));
        let put = put("/counters?id=eq.2", r#"{"id": 2, "n": 5}"#).prefer(FULL);
        assert_eq!(api.ask(&keyed(put, "put")).await.status, 201);
        let patch = patch("/counters?id=eq.1", r#"{"n": 7}"#).prefer(FULL);
        let patch = api.ask(&keyed(patch, "patch")).await;
        assert_eq!(patch.text(), r#"[{"id":1,"n":7}]"#);
        let delete = delete("/counters?id=eq.2&select=n").prefer(FULL);
        let deleted = api.ask(&keyed(delete, "delete")).await;
        assert_eq!(deleted.text(), r#"[{"n":5}]"#);
        let read = api.ask(&keyed(get("/counters?select=n"), "call")).await;
        assert_eq!(read.text(), r#"[{"n":7}]"#);
        let tried = post("/items", r#"{"name": "tried"}"#).prefer("tx=rollback");
        assert_eq!(api.ask(&keyed(tried, "tried")).await.status, 201);
    }
    assert_eq!(count(&api, "kept").await, 4);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let api = Api::start().await;
    let shown = api
        .show([
            keyed(post("/items", r#"{"name": "one"}"#), "k"),
            keyed(post("/items", r#"{"name": "two"}"#), "k"),
            keyed(post("/items?columns=name", r#"{"name": "one"}"#), "k"),
            keyed(post("/items", r#"{"name": "one"}"#).prefer(FULL), "k"),
            keyed(post("/items", r#"{"name": "one"}"#), "\"unclosed"),
            keyed(post("/items", r#"{"name": "one"}"#), ""),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items
      idempotency-key: k
      {"name": "one"}
    = 201 | content-range: */*

    POST /items
      idempotency-key: k
      {"name": "two"}
    = 422
    {"code":"SDB101","details":null,"hint":"Use a new key for each write, a random UUID for example.","message":"The Idempotency-Key was used for another request"}

    POST /items?columns=name
      idempotency-key: k
      {"name": "one"}
    = 422
    {"code":"SDB101","details":null,"hint":"Use a new key for each write, a random UUID for example.","message":"The Idempotency-Key was used for another request"}

    POST /items
      prefer: return=representation
      idempotency-key: k
      {"name": "one"}
    = 422
    {"code":"SDB101","details":null,"hint":"Use a new key for each write, a random UUID for example.","message":"The Idempotency-Key was used for another request"}

    POST /items
      idempotency-key: "unclosed
      {"name": "one"}
    = 400
    {"code":"SDB100","details":null,"hint":null,"message":"The Idempotency-Key cannot be used: it is no quoted string"}

    POST /items
      idempotency-key: 
      {"name": "one"}
    = 400
    {"code":"SDB100","details":null,"hint":null,"message":"The Idempotency-Key cannot be used: it has to be 1 to 255 characters of printable ASCII"}

    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"one"}]
    "#);
}

#[tokio::test]
async fn a_key_belongs_to_one_caller() {
    let api = Api::start().await;
    let one = api.db.user_token(Uuid::from_u128(1), "one@example.com");
    let other = api.db.user_token(Uuid::from_u128(2), "other@example.com");
    let write = || {
        keyed(
            post("/notes?select=owner_id", r#"{"body": "x"}"#).prefer(FULL),
            "same",
        )
    };
    let api = api.acting_as(&one);
    let first = api.ask(&write()).await;
    let api = api.acting_as(&other);
    let second = api.ask(&write()).await;
    assert_eq!(second.status, 201);
    assert!(!replayed(&second));
    assert_ne!(first.text(), second.text());
    // A later token of the same user is the same caller.
    let one = api.db.user_token(Uuid::from_u128(1), "one@example.com");
    let again = api.acting_as(&one).ask(&write()).await;
    assert!(replayed(&again));
    assert_eq!(again.text(), first.text());
}

#[tokio::test]
async fn what_failed_was_not_applied_and_may_be_tried_again() {
    let api = Api::start().await;
    let insert = || keyed(post("/directors", r#"{"id": 1}"#), "again");
    assert_eq!(api.ask(&insert()).await.status, 409);
    let guarded = || {
        keyed(
            patch("/directors?id=gt.0", r#"{"last_name": "x"}"#)
                .prefer("handling=strict, max-affected=1"),
            "guarded",
        )
    };
    assert_eq!(api.ask(&guarded()).await.status, 400);
    assert_eq!(count(&api, "kept").await, 0);
    api.db.execute("truncate directors cascade").await;
    assert_eq!(api.ask(&insert()).await.status, 201);
    assert!(replayed(&api.ask(&insert()).await));
    let updated = api.ask(&guarded()).await;
    assert_eq!(updated.status, 204);
}

#[tokio::test]
async fn two_at_the_same_time_are_one() {
    let api = Api::start().await;
    slow(&api).await;
    let write = || keyed(post("/rpc/slow", r#"{"seconds": 0.4}"#), "twice");
    let (one, other) = (write(), write());
    let (one, other) = tokio::join!(api.ask(&one), api.ask(&other));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200));
    assert_eq!(one.text(), other.text());
    assert!(replayed(&one) != replayed(&other), "{one:?} {other:?}");
    assert_eq!(count(&api, "items").await, 1);
}

#[tokio::test]
async fn who_waits_too_long_is_told_to_come_back() {
    let api = Api::start().await;
    slow(&api).await;
    let write = || keyed(post("/rpc/slow", r#"{"seconds": 3.5}"#), "long");
    let (one, other) = (write(), write());
    let later = async {
        api.until(
            |api| {
                api.service
                    .get("/rpc/sleepers")
                    .bearer(api.db.service_token())
            },
            |seen| seen.text() == "1",
        )
        .await;
        api.ask(&other).await
    };
    let (done, refused) = tokio::join!(api.ask(&one), later);
    assert_eq!(done.status, 200);
    assert_eq!(refused.status, 409);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["code"], "SDB102");
    assert!(replayed(&api.ask(&write()).await));
    assert_eq!(count(&api, "items").await, 1);
}

/// A function that inserts an item and takes its time.
async fn slow(api: &Api) {
    api.db
        .execute(
            "create function slow(seconds float) returns text language plpgsql volatile as $$ \
             begin insert into items (name) values ('slow'); \
             perform pg_sleep(seconds); return 'done'; end $$; \
             create function sleepers() returns bigint language sql stable security definer as \
             'select count(*) from pg_stat_activity where wait_event = ''PgSleep'' \
              and datname = current_database()'",
        )
        .await;
    api.until(
        |api| {
            api.service
                .get("/rpc/sleepers")
                .bearer(api.db.service_token())
        },
        |seen| seen.status == 200,
    )
    .await;
}

#[tokio::test]
async fn an_answer_too_large_to_keep_is_no_write() {
    let small = |settings: EnvironmentMap| settings.with("REST_IDEMPOTENCY_MAX_ANSWER_BYTES", "10");
    let api = Api::with(small).await;
    let shown = api
        .show([
            keyed(
                post("/items?select=name", r#"{"name": "a name"}"#).prefer(FULL),
                "large",
            ),
            keyed(post("/items?select=name", r#"{"name": "a name"}"#), "large"),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=name
      prefer: return=representation
      idempotency-key: large
      {"name": "a name"}
    = 422
    {"code":"SDB103","details":null,"hint":"Nothing was written. Ask for less with `select`, or for `Prefer: return=minimal`.","message":"The answer has more than 10 bytes, which is more than is kept for an Idempotency-Key"}

    POST /items?select=name
      idempotency-key: large
      {"name": "a name"}
    = 201 | content-range: */*

    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"a name"}]
    "#);
}

#[tokio::test]
async fn keys_are_forgotten_after_their_time() {
    let api = Api::with(|settings| settings.with("REST_IDEMPOTENCY_EXPIRY", "3600")).await;
    let insert = || keyed(post("/items", r#"{"name": "one"}"#), "aging");
    api.ask(&insert()).await;
    api.db
        .execute("update selfdb.idempotent_answers set expires_at = expires_at - interval '1 hour'")
        .await;
    api.db.execute("update items set name = 'earlier'").await;
    let anew = api.ask(&insert()).await;
    assert_eq!(anew.status, 201);
    assert!(!replayed(&anew));
    assert!(replayed(&api.ask(&insert()).await));
    assert_eq!(count(&api, "items").await, 2);
    api.db
        .execute("update selfdb.idempotent_answers set expires_at = expires_at - interval '1 hour'")
        .await;
    // A service that starts sweeps.
    let config: rest::Config = testkit::config(&api.db.settings());
    let _service = TestService::start(config).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while count(&api, "kept").await > 0 {
        assert!(Instant::now() < deadline, "never swept");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn roles_of_the_api_have_no_way_to_the_answers() {
    let api = Api::start().await;
    api.db
        .execute(
            "create function peek() returns text language plpgsql volatile as \
             $$ declare seen text; begin \
             execute 'select string_agg(id::text, '','') from selfdb.idempotent_answers' \
             into seen; return seen; end $$; \
             create function peek_as_login() returns text language plpgsql volatile as \
             $$ begin reset role; return peek(); end $$; \
             create function take() returns text language plpgsql volatile as \
             $$ declare seen text; begin \
             execute 'select state from selfdb.take_idempotency_key(repeat(''0'', 64), repeat(''0'', 64))' \
             into seen; return seen; end $$",
        )
        .await;
    let user = api.db.user_token(Uuid::from_u128(1), "one@example.com");
    let service = api.db.service_token().to_owned();
    let mut api = api;
    api.until(
        |api| api.service.post("/rpc/take").bearer(api.db.anon_token()),
        |seen| seen.status != 404,
    )
    .await;
    for token in [user, service] {
        api = api.acting_as(&token);
        for path in ["/rpc/peek", "/rpc/peek_as_login", "/rpc/take"] {
            let refused = api.ask(&post(path, "")).await;
            assert_eq!(refused.status, 403, "{path}: {refused:?}");
            assert_eq!(refused.json()["code"], "42501", "{path}");
        }
    }
}

#[tokio::test]
async fn without_the_platform_a_key_is_refused() {
    let api = Api::start().await;
    api.db.execute("drop schema selfdb cascade").await;
    let shown = api
        .show([
            keyed(post("/items", r#"{"name": "one"}"#), "k"),
            post("/items?select=name", r#"{"name": "one"}"#).prefer(FULL),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items
      idempotency-key: k
      {"name": "one"}
    = 501
    {"code":"SDB104","details":null,"hint":"It needs the schema of the platform, made by `selfdb init`. Send the request without the header.","message":"Idempotency-Key is not available on this database"}

    POST /items?select=name
      prefer: return=representation
      {"name": "one"}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":"one"}]
    "#);
}
