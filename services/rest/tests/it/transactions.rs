use crate::api::{Api, delete, get, patch, post};

#[tokio::test]
async fn a_write_that_is_only_tried_does_not_last() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/items?select=name", r#"{"name": "tried"}"#)
                .prefer("tx=rollback, return=representation"),
            delete("/events").prefer("tx=rollback, return=representation, count=exact"),
            get("/items?select=name"),
            get("/events?select=id").prefer("tx=commit"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=name
      prefer: tx=rollback, return=representation
      {"name": "tried"}
    = 201 | content-range: */* | preference-applied: return=representation, tx=rollback
    [{"name":"tried"}]

    DELETE /events
      prefer: tx=rollback, return=representation, count=exact
    = 200 | content-range: */3 | preference-applied: return=representation, count=exact, tx=rollback
    [{"id":1,"label":"first","during":"[2020-01-01,2020-02-01)","body":"The quick brown fox jumps","vector":"'brown':3 'fox':4 'jump':5 'quick':2","done":true,"created_at":"2020-01-01T00:00:00+00:00"},{"id":2,"label":"second","during":"[2020-02-01,2020-03-01)","body":"A lazy dog sleeps","vector":"'dog':3 'lazi':2 'sleep':4","done":false,"created_at":"2020-01-01T00:00:00+00:00"},{"id":3,"label":"third","during":"[2020-06-01,2020-07-01)","body":"Foxes and dogs","vector":"'dog':3 'fox':1","done":null,"created_at":"2020-01-01T00:00:00+00:00"}]

    GET /items?select=name
    = 200 | content-range: */*
    []

    GET /events?select=id
      prefer: tx=commit
    = 200 | content-range: 0-2/* | preference-applied: tx=commit
    [{"id":1},{"id":2},{"id":3}]
    "#);
}

#[tokio::test]
async fn the_client_has_no_choice_where_the_server_has_none() {
    let api = Api::with(|settings| settings.with("PGRST_DB_TX_END", "commit")).await;
    let shown = api
        .show([
            post("/items?select=name", r#"{"name": "kept"}"#).prefer("tx=rollback"),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=name
      prefer: tx=rollback
      {"name": "kept"}
    = 201 | content-range: */*

    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"kept"}]
    "#);
}

#[tokio::test]
async fn a_result_that_is_not_wanted_is_rolled_back() {
    let api = Api::start().await;
    let shown = api
        .show([
            patch("/events?id=gt.0", r#"{"label": "x"}"#)
                .prefer("return=representation")
                .accept("application/vnd.pgrst.object+json"),
            patch("/events?id=gt.0", r#"{"label": "x"}"#).prefer("handling=strict, max-affected=2"),
            delete("/events?id=gt.0").prefer("handling=strict, max-affected=2"),
            delete("/events?id=gt.0").prefer("max-affected=2, tx=rollback"),
            patch("/events?id=eq.1&select=label", r#"{"label": "one"}"#)
                .prefer("handling=strict, max-affected=2, return=representation"),
            get("/events?select=id").prefer("handling=strict, nonsense, timezone=Mars/Base"),
            get("/events?select=id").prefer("handling=lenient, nonsense"),
            get("/events?select=created_at&id=eq.1").prefer("timezone=Asia/Tokyo"),
            get("/events?select=label&order=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    PATCH /events?id=gt.0
      prefer: return=representation
      accept: application/vnd.pgrst.object+json
      {"label": "x"}
    = 406
    {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    PATCH /events?id=gt.0
      prefer: handling=strict, max-affected=2
      {"label": "x"}
    = 400
    {"code":"PGRST124","details":"The query affects 3 rows","hint":null,"message":"Query result exceeds max-affected preference constraint"}

    DELETE /events?id=gt.0
      prefer: handling=strict, max-affected=2
    = 400
    {"code":"PGRST124","details":"The query affects 3 rows","hint":null,"message":"Query result exceeds max-affected preference constraint"}

    DELETE /events?id=gt.0
      prefer: max-affected=2, tx=rollback
    = 204 | content-range: */* | preference-applied: tx=rollback

    PATCH /events?id=eq.1&select=label
      prefer: handling=strict, max-affected=2, return=representation
      {"label": "one"}
    = 200 | content-range: 0-0/* | preference-applied: return=representation, handling=strict, max-affected=2
    [{"label":"one"}]

    GET /events?select=id
      prefer: handling=strict, nonsense, timezone=Mars/Base
    = 400
    {"code":"PGRST122","details":"Invalid preferences: nonsense, timezone=Mars/Base","hint":null,"message":"Invalid preferences given with handling=strict"}

    GET /events?select=id
      prefer: handling=lenient, nonsense
    = 200 | content-range: 0-2/* | preference-applied: handling=lenient
    [{"id":2},{"id":3},{"id":1}]

    GET /events?select=created_at&id=eq.1
      prefer: timezone=Asia/Tokyo
    = 200 | content-range: 0-0/* | preference-applied: timezone=Asia/Tokyo
    [{"created_at":"2020-01-01T09:00:00+09:00"}]

    GET /events?select=label&order=id
    = 200 | content-range: 0-2/*
    [{"label":"one"},{"label":"second"},{"label":"third"}]
    "#);
}

#[tokio::test]
async fn one_object_is_asked_of_a_write_that_shows_nothing_as_well() {
    const ONE: &str = "application/vnd.pgrst.object+json";
    let api = Api::start().await;
    let shown = api
        .show([
            post("/items", r#"[{"name": "a"}, {"name": "b"}]"#).accept(ONE),
            post("/items", r#"[{"name": "a"}, {"name": "b"}]"#)
                .prefer("return=minimal")
                .accept(ONE),
            post("/items", "[]").accept(ONE),
            patch("/events?id=gt.0", r#"{"label": "x"}"#).accept(ONE),
            patch("/events?id=eq.99", r#"{"label": "x"}"#).accept(ONE),
            delete("/events?id=gt.0").accept(ONE),
            delete("/events?id=gt.0")
                .prefer("handling=strict, max-affected=9")
                .accept(ONE),
            get("/items?select=name"),
            get("/events?select=label&order=id"),
            post("/items", r#"{"name": "c"}"#).accept(ONE),
            patch("/events?id=eq.1", r#"{"label": "one"}"#)
                .prefer("return=minimal")
                .accept(ONE),
            delete("/events?id=eq.2").accept(ONE),
            get("/events?select=label&order=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items
      accept: application/vnd.pgrst.object+json
      [{"name": "a"}, {"name": "b"}]
    = 406
    {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    POST /items
      prefer: return=minimal
      accept: application/vnd.pgrst.object+json
      [{"name": "a"}, {"name": "b"}]
    = 406
    {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    POST /items
      accept: application/vnd.pgrst.object+json
      []
    = 406
    {"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    PATCH /events?id=gt.0
      accept: application/vnd.pgrst.object+json
      {"label": "x"}
    = 406
    {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    PATCH /events?id=eq.99
      accept: application/vnd.pgrst.object+json
      {"label": "x"}
    = 406
    {"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    DELETE /events?id=gt.0
      accept: application/vnd.pgrst.object+json
    = 406
    {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    DELETE /events?id=gt.0
      prefer: handling=strict, max-affected=9
      accept: application/vnd.pgrst.object+json
    = 406
    {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    GET /items?select=name
    = 200 | content-range: */*
    []

    GET /events?select=label&order=id
    = 200 | content-range: 0-2/*
    [{"label":"first"},{"label":"second"},{"label":"third"}]

    POST /items
      accept: application/vnd.pgrst.object+json
      {"name": "c"}
    = 201 | content-range: */*

    PATCH /events?id=eq.1
      prefer: return=minimal
      accept: application/vnd.pgrst.object+json
      {"label": "one"}
    = 204 | content-range: 0-0/* | preference-applied: return=minimal

    DELETE /events?id=eq.2
      accept: application/vnd.pgrst.object+json
    = 204 | content-range: */*

    GET /events?select=label&order=id
    = 200 | content-range: 0-1/*
    [{"label":"one"},{"label":"third"}]
    "#);
}
