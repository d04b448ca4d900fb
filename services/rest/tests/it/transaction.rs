//! `POST /tx`: several operations, all or nothing.

use uuid::Uuid;

use crate::api::{Api, get, post};

const ORDER: &str = r#"[
    {"method": "POST", "path": "/directors?select=id", "headers": {"Prefer": "return=representation"},
     "body": {"id": 10, "first_name": "Di"}},
    {"method": "POST", "path": "/films?select=title,directors(first_name)", "headers": {"Prefer": "return=representation"},
     "body": [{"id": 20, "title": "New", "director_id": {"$result": "/0/body/0/id"}}]},
    {"method": "PATCH", "path": "/films?id=eq.20", "body": {"year": 2020}},
    {"method": "GET", "path": "/films?select=id,year&id=eq.20", "headers": {"accept": "application/vnd.pgrst.object+json"}},
    {"method": "GET", "path": "/films?select=id&id=eq.20", "headers": {"accept": "text/csv"}},
    {"method": "POST", "path": "/rpc/touch_items", "body": {}},
    {"method": "DELETE", "path": "/technical_specs?film_id=eq.3", "headers": {"prefer": "count=exact"}}]"#;

#[tokio::test]
async fn operations_are_done_together() {
    let api = Api::start().await;
    api.db
        .execute(
            "create function touch_items() returns void language sql volatile \
             as $$ insert into items (name) values ('by tx') $$",
        )
        .await;
    api.until(
        |api| {
            api.service
                .post("/rpc/touch_items")
                .bearer(api.db.service_token())
        },
        |seen| seen.status == 204,
    )
    .await;
    api.db.execute("truncate items").await;
    let done = api.ask(&post("/tx", ORDER)).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let results = serde_json::to_string_pretty(&done.json()).expect("text");
    insta::assert_snapshot!(results, @r#"
    [
      {
        "status": 201,
        "headers": {
          "content-range": "*/*",
          "content-type": "application/json; charset=utf-8",
          "preference-applied": "return=representation"
        },
        "body": [
          {
            "id": 10
          }
        ]
      },
      {
        "status": 201,
        "headers": {
          "content-range": "*/*",
          "content-type": "application/json; charset=utf-8",
          "preference-applied": "return=representation"
        },
        "body": [
          {
            "title": "New",
            "directors": {
              "first_name": "Di"
            }
          }
        ]
      },
      {
        "status": 204,
        "headers": {
          "content-range": "0-0/*"
        },
        "body": null
      },
      {
        "status": 200,
        "headers": {
          "content-range": "0-0/*",
          "content-type": "application/vnd.pgrst.object+json; charset=utf-8",
          "content-location": "/films?id=eq.20&select=id%2Cyear"
        },
        "body": {
          "id": 20,
          "year": 2020
        }
      },
      {
        "status": 200,
        "headers": {
          "content-range": "0-0/*",
          "content-type": "text/csv; charset=utf-8",
          "content-location": "/films?id=eq.20&select=id"
        },
        "body": "id\n20"
      },
      {
        "status": 204,
        "headers": {
          "content-range": "0-0/*"
        },
        "body": null
      },
      {
        "status": 204,
        "headers": {
          "content-range": "*/1",
          "preference-applied": "count=exact"
        },
        "body": null
      }
    ]
    "#);
    let shown = api
        .show([
            get("/items?select=name"),
            get("/films?select=year&id=eq.20"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"by tx"}]

    GET /films?select=year&id=eq.20
    = 200 | content-range: 0-0/*
    [{"year":2020}]
    "#);
}

#[tokio::test]
async fn the_first_that_fails_undoes_them_all() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/tx", r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"POST","path":"/directors","body":{"id":1}}]"#),
            post("/tx", r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"GET","path":"/nothing"}]"#),
            post("/tx", r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"PATCH","path":"/events?id=gt.0","headers":{"prefer":"handling=strict, max-affected=1"},"body":{"label":"x"}}]"#),
            post("/tx", r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"GET","path":"/events","headers":{"accept":"application/vnd.pgrst.object+json"}}]"#),
            post("/tx", r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"POST","path":"/items","body":{"name":{"$result":"/0/body/0/name"}}}]"#),
            post("/tx", r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"POST","path":"/items","headers":{"Authorization":"Bearer x"},"body":{"name":"b"}}]"#),
            post("/tx", r#"[{"method":"POST","path":"/items","headers":{"prefer":"tx=rollback"},"body":{"name":"b"}}]"#),
            post("/tx", r#"[{"method":"GET","path":"/"}]"#),
            post("/tx", r#"[{"method":"GET","path":"items"}]"#),
            post("/tx", "[]"),
            post("/tx", r#"{"method":"GET"}"#),
            post("/tx", r#"[{"method":"GET","path":"/items","extra":1}]"#),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /tx
      [{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"POST","path":"/directors","body":{"id":1}}]
    = 409
    {"code":"23505","details":"Key (id)=(1) already exists.","hint":null,"message":"duplicate key value violates unique constraint \"directors_pkey\"","operation":1}

    POST /tx
      [{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"GET","path":"/nothing"}]
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.nothing' in the schema cache","operation":1}

    POST /tx
      [{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"PATCH","path":"/events?id=gt.0","headers":{"prefer":"handling=strict, max-affected=1"},"body":{"label":"x"}}]
    = 400
    {"code":"PGRST124","details":"The query affects 3 rows","hint":null,"message":"Query result exceeds max-affected preference constraint","operation":1}

    POST /tx
      [{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"GET","path":"/events","headers":{"accept":"application/vnd.pgrst.object+json"}}]
    = 406
    {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object","operation":1}

    POST /tx
      [{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"POST","path":"/items","body":{"name":{"$result":"/0/body/0/name"}}}]
    = 400
    {"code":"SDB303","details":null,"hint":"Ask the earlier operation for `Prefer: return=representation`.","message":"No result of an earlier operation has the value '/0/body/0/name'","operation":1}

    POST /tx
      [{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"POST","path":"/items","headers":{"Authorization":"Bearer x"},"body":{"name":"b"}}]
    = 400
    {"code":"SDB302","details":null,"hint":null,"message":"The operation cannot be done: its headers cannot say who asks, nor have a key of their own","operation":1}

    POST /tx
      [{"method":"POST","path":"/items","headers":{"prefer":"tx=rollback"},"body":{"name":"b"}}]
    = 400
    {"code":"SDB302","details":null,"hint":null,"message":"The operation cannot be done: Prefer: tx=… is for the whole transaction","operation":0}

    POST /tx
      [{"method":"GET","path":"/"}]
    = 400
    {"code":"SDB302","details":null,"hint":null,"message":"The operation cannot be done: it names no table and no function","operation":0}

    POST /tx
      [{"method":"GET","path":"items"}]
    = 400
    {"code":"SDB302","details":null,"hint":null,"message":"The operation cannot be done: its path does not begin with a slash","operation":0}

    POST /tx
      []
    = 400
    {"code":"SDB300","details":null,"hint":"Use [{\"method\": \"POST\", \"path\": \"/todos\", \"body\": {…}}, …].","message":"The body is no list of operations: it has no operation"}

    POST /tx
      {"method":"GET"}
    = 400
    {"code":"SDB300","details":null,"hint":"Use [{\"method\": \"POST\", \"path\": \"/todos\", \"body\": {…}}, …].","message":"The body is no list of operations: invalid type: map, expected a sequence at line 1 column 0"}

    POST /tx
      [{"method":"GET","path":"/items","extra":1}]
    = 400
    {"code":"SDB300","details":null,"hint":"Use [{\"method\": \"POST\", \"path\": \"/todos\", \"body\": {…}}, …].","message":"The body is no list of operations: unknown field `extra`, expected one of `method`, `path`, `headers`, `body` at line 1 column 40"}

    GET /items?select=name
    = 200 | content-range: */*
    []
    "#);
}

#[tokio::test]
async fn it_is_the_callers_transaction() {
    let api = Api::start().await;
    let me = api.db.user_token(Uuid::from_u128(1), "me@example.com");
    let api = api.acting_as(&me);
    let shown = api
        .show([
            post("/tx", r#"[{"method":"POST","path":"/notes?select=body","headers":{"prefer":"return=representation"},"body":{"body":"by tx"}},{"method":"GET","path":"/notes?select=body&order=id"}]"#),
            post("/tx", r#"[{"method":"POST","path":"/notes","body":{"body":"x"}},{"method":"POST","path":"/notes","body":{"owner_id":"00000000-0000-0000-0000-000000000002"}}]"#),
            post("/tx", r#"[{"method":"POST","path":"/notes","body":{"body":"tried"}}]"#).prefer("tx=rollback"),
            get("/notes?select=body&order=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /tx
      [{"method":"POST","path":"/notes?select=body","headers":{"prefer":"return=representation"},"body":{"body":"by tx"}},{"method":"GET","path":"/notes?select=body&order=id"}]
    = 200
    [{"status":201,"headers":{"content-range":"*/*","content-type":"application/json; charset=utf-8","preference-applied":"return=representation"},"body":[{"body":"by tx"}]},{"status":200,"headers":{"content-range":"0-1/*","content-type":"application/json; charset=utf-8","content-location":"/notes?order=id&select=body"},"body":[{"body":"mine"},{"body":"by tx"}]}]

    POST /tx
      [{"method":"POST","path":"/notes","body":{"body":"x"}},{"method":"POST","path":"/notes","body":{"owner_id":"00000000-0000-0000-0000-000000000002"}}]
    = 403
    {"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy for table \"notes\"","operation":1}

    POST /tx
      prefer: tx=rollback
      [{"method":"POST","path":"/notes","body":{"body":"tried"}}]
    = 200
    [{"status":201,"headers":{"content-range":"*/*"},"body":null}]

    GET /notes?select=body&order=id
    = 200 | content-range: 0-1/*
    [{"body":"mine"},{"body":"by tx"}]
    "#);
    let nobody = api
        .acting_as("")
        .ask(&post(
            "/tx",
            r#"[{"method":"POST","path":"/notes","body":{"body":"x"}}]"#,
        ))
        .await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.json()["operation"]),
        (401, &0.into())
    );
}

#[tokio::test]
async fn a_transaction_takes_an_idempotency_key() {
    let api = Api::start().await;
    let body = r#"[{"method":"POST","path":"/items?select=name","headers":{"prefer":"return=representation"},"body":{"name":"once"}}]"#;
    let ask = || post("/tx", body).with("idempotency-key", "tx-1");
    let first = api.ask(&ask()).await;
    let second = api.ask(&ask()).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
    assert_eq!(first.text(), second.text());
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let other = post("/tx", r#"[{"method":"GET","path":"/items"}]"#);
    let other = api.ask(&other.with("idempotency-key", "tx-1")).await;
    assert_eq!(other.status, 422);
}

#[tokio::test]
async fn it_has_limits_and_can_be_absent() {
    let few = |settings: common::EnvironmentMap| settings.with("REST_TRANSACTION_OPERATIONS", "2");
    let api = Api::with(few).await;
    let three = r#"[{"method":"GET","path":"/items"},{"method":"GET","path":"/items"},{"method":"GET","path":"/items"}]"#;
    let refused = api.ask(&post("/tx", three)).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (400, &"SDB301".into())
    );

    let without = |settings: common::EnvironmentMap| settings.with("REST_TRANSACTIONS", "false");
    let api = Api::with(without).await;
    let missing = api.ask(&post("/tx", "{}")).await;
    assert_eq!(
        (missing.status.as_u16(), &missing.json()["code"]),
        (404, &"PGRST205".into())
    );
}

#[tokio::test]
async fn a_table_of_that_name_is_read_as_ever() {
    let api = Api::start().await;
    api.db.execute("create table tx (id int primary key)").await;
    api.until(
        |api| api.service.get("/tx").bearer(api.db.service_token()),
        |seen| seen.status == 200,
    )
    .await;
    let done = api
        .ask(&post(
            "/tx",
            r#"[{"method":"POST","path":"/tx","body":{"id":5}}]"#,
        ))
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(api.ask(&get("/tx")).await.text(), r#"[{"id":5}]"#);
}

#[tokio::test]
async fn what_is_only_tried_is_checked_as_if_it_lasted() {
    let api = Api::start().await;
    api.db
        .execute(
            "create table halves (
                id int primary key, other int references halves deferrable initially deferred);
             alter table halves disable row level security;
             notify pgrst",
        )
        .await;
    api.until(
        |api| api.service.get("/halves").bearer(api.db.service_token()),
        |seen| seen.status == 200,
    )
    .await;
    let whole = r#"[{"method":"POST","path":"/halves","body":{"id":1,"other":2}},{"method":"POST","path":"/halves","body":{"id":2,"other":1}}]"#;
    let half = r#"[{"method":"POST","path":"/halves","body":{"id":3,"other":4}}]"#;
    for (operations, status) in [(whole, 200), (half, 409)] {
        let tried = api
            .ask(&post("/tx", operations).prefer("tx=rollback"))
            .await;
        assert_eq!(tried.status, status, "{}", tried.text());
    }
    assert_eq!(api.ask(&get("/halves")).await.text(), "[]");
}

#[tokio::test]
async fn a_server_may_undo_every_transaction() {
    let api = Api::with(|settings| settings.with("PGRST_DB_TX_END", "rollback")).await;
    let insert = r#"[{"method":"POST","path":"/items","body":{"name":"a"}},{"method":"GET","path":"/items?select=name"}]"#;
    let done = api.ask(&post("/tx", insert).prefer("tx=commit")).await;
    assert_eq!(done.json()[1]["body"][0]["name"], "a");
    assert_eq!(api.ask(&get("/items?select=name")).await.text(), "[]");
}
