//! Which rows an answer has, as "Pagination and Count" of the documentation reads.

use http::Method;

use crate::api::{Api, get, post, scenario};

#[tokio::test]
async fn limits_and_ranges() {
    let api = Api::start().await;
    let head = |path| scenario(Method::HEAD, path, "");
    let shown = api
        .show([
            get("/films?select=id&order=id&limit=2&offset=1"),
            head("/films?select=id&order=id&limit=2&offset=1"),
            get("/films?select=id&order=id&offset=-4"),
            get("/films?select=id&limit=0"),
            get("/films?select=id&limit=0").prefer("count=exact"),
            get("/films?select=id&limit=-1"),
            get("/films?select=id&order=id").with("range", "0-1"),
            get("/films?select=id&order=id").with("range", "3-"),
            get("/films?select=id&order=id").with("range", "2-100"),
            get("/films?select=id&order=id&limit=3").with("range", "0-0"),
            get("/films?select=id&order=id").with("range", "1-0"),
            get("/films?select=id&order=id").with("range", "bytes=0-1"),
            get("/items?select=id").with("range", "0-1"),
            get("/items?offset=1").prefer("count=exact"),
            get("/films?offset=100").prefer("count=exact"),
            get("/films").with("range", "100-199").prefer("count=exact"),
            get("/rpc/pairs?n=2&offset=5").prefer("count=exact"),
            get("/rpc/pairs?n=5").with("range", "1-2"),
            post("/rpc/pairs?limit=1&offset=1", r#"{"n": 3}"#).prefer("count=exact"),
            get(
                "/directors?select=id,films(id)&films.limit=1&films.order=id.desc&order=id&limit=1",
            ),
            get("/directors?select=id,films(id)&films.limit=-1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&order=id&limit=2&offset=1
    = 200 | content-range: 1-2/*
    [{"id":2},{"id":3}]

    HEAD /films?select=id&order=id&limit=2&offset=1
    = 200 | content-range: 1-2/*

    GET /films?select=id&order=id&offset=-4
    = 200 | content-range: 0-3/*
    [{"id":1},{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&limit=0
    = 200 | content-range: */*
    []

    GET /films?select=id&limit=0
      prefer: count=exact
    = 206 | content-range: */4 | preference-applied: count=exact
    []

    GET /films?select=id&limit=-1
    = 416
    {"code":"PGRST103","details":"Limit should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?select=id&order=id
      range: 0-1
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&order=id
      range: 3-
    = 200 | content-range: 3-3/*
    [{"id":4}]

    GET /films?select=id&order=id
      range: 2-100
    = 200 | content-range: 2-3/*
    [{"id":3},{"id":4}]

    GET /films?select=id&order=id&limit=3
      range: 0-0
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&order=id
      range: 1-0
    = 416
    {"code":"PGRST103","details":"The lower boundary must be lower than or equal to the upper boundary in the Range header.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?select=id&order=id
      range: bytes=0-1
    = 200 | content-range: 0-3/*
    [{"id":1},{"id":2},{"id":3},{"id":4}]

    GET /items?select=id
      range: 0-1
    = 200 | content-range: */*
    []

    GET /items?offset=1
      prefer: count=exact
    = 416 | content-range: */0
    {"code":"PGRST103","details":"An offset of 1 was requested, but there are only 0 rows.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?offset=100
      prefer: count=exact
    = 416 | content-range: */4
    {"code":"PGRST103","details":"An offset of 100 was requested, but there are only 4 rows.","hint":null,"message":"Requested range not satisfiable"}

    GET /films
      range: 100-199
      prefer: count=exact
    = 416 | content-range: */4
    {"code":"PGRST103","details":"An offset of 100 was requested, but there are only 4 rows.","hint":null,"message":"Requested range not satisfiable"}

    GET /rpc/pairs?n=2&offset=5
      prefer: count=exact
    = 416 | content-range: */2
    {"code":"PGRST103","details":"An offset of 5 was requested, but there are only 2 rows.","hint":null,"message":"Requested range not satisfiable"}

    GET /rpc/pairs?n=5
      range: 1-2
    = 200 | content-range: 1-2/*
    [{"x":2,"y":"y2"},{"x":3,"y":"y3"}]

    POST /rpc/pairs?limit=1&offset=1
      prefer: count=exact
      {"n": 3}
    = 206 | content-range: 1-1/3 | preference-applied: count=exact
    [{"x":2,"y":"y2"}]

    GET /directors?select=id,films(id)&films.limit=1&films.order=id.desc&order=id&limit=1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"id":2}]}]

    GET /directors?select=id,films(id)&films.limit=-1
    = 416
    {"code":"PGRST103","details":"Limit should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"}
    "#);
}

#[tokio::test]
async fn no_more_rows_than_the_server_allows() {
    let api = Api::with(|settings| settings.with("PGRST_DB_MAX_ROWS", "2")).await;
    let shown = api
        .show([
            get("/films?select=id&order=id"),
            get("/films?select=id&order=id&limit=3").prefer("count=exact"),
            get("/films?select=id&order=id&limit=1"),
            get("/films?select=id&order=id&offset=3"),
            get("/rpc/pairs?n=5&select=x"),
            get("/directors?select=id,films(id)&id=eq.1"),
            post(
                "/items?select=name",
                r#"[{"name": "a"}, {"name": "b"}, {"name": "c"}]"#,
            )
            .prefer("return=representation"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&order=id
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&order=id&limit=3
      prefer: count=exact
    = 206 | content-range: 0-1/4 | preference-applied: count=exact
    [{"id":1},{"id":2}]

    GET /films?select=id&order=id&limit=1
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&order=id&offset=3
    = 200 | content-range: 3-3/*
    [{"id":4}]

    GET /rpc/pairs?n=5&select=x
    = 200 | content-range: 0-1/*
    [{"x":1},{"x":2}]

    GET /directors?select=id,films(id)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"id":1},{"id":2}]}]

    POST /items?select=name
      prefer: return=representation
      [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":"a"},{"name":"b"},{"name":"c"}]
    "#);
}
