use crate::api::{Api, get};

#[tokio::test]
async fn counts_and_partial_content() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&order=id").prefer("count=exact"),
            get("/films?select=id&order=id&limit=2").prefer("count=exact"),
            get("/films?select=id&id=eq.0").prefer("count=exact"),
            get("/films?select=id&order=id")
                .with("range", "2-9")
                .prefer("count=exact"),
            get("/films?select=id&offset=9").prefer("count=exact"),
            get("/films?select=id&offset=9"),
            get("/films?select=id&order=id").prefer("count=estimated"),
            get("/films?select=id,technical_specs!inner(runtime)&order=id&limit=1")
                .prefer("count=exact"),
            get("/films?select=id,technical_specs(runtime)&technical_specs=not.is.null&limit=1")
                .prefer("count=exact"),
            get("/rpc/films_of?director=1&select=id&limit=1").prefer("count=exact"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&order=id
      prefer: count=exact
    = 200 | content-range: 0-3/4 | preference-applied: count=exact
    [{"id":1},{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&order=id&limit=2
      prefer: count=exact
    = 206 | content-range: 0-1/4 | preference-applied: count=exact
    [{"id":1},{"id":2}]

    GET /films?select=id&id=eq.0
      prefer: count=exact
    = 200 | content-range: */0 | preference-applied: count=exact
    []

    GET /films?select=id&order=id
      range: 2-9
      prefer: count=exact
    = 206 | content-range: 2-3/4 | preference-applied: count=exact
    [{"id":3},{"id":4}]

    GET /films?select=id&offset=9
      prefer: count=exact
    = 416 | content-range: */4
    {"code":"PGRST103","details":"An offset of 9 was requested, but there are only 4 rows.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?select=id&offset=9
    = 200 | content-range: */*
    []

    GET /films?select=id&order=id
      prefer: count=estimated
    = 200 | content-range: 0-3/4 | preference-applied: count=estimated
    [{"id":1},{"id":2},{"id":3},{"id":4}]

    GET /films?select=id,technical_specs!inner(runtime)&order=id&limit=1
      prefer: count=exact
    = 206 | content-range: 0-0/2 | preference-applied: count=exact
    [{"id":1,"technical_specs":{"runtime":"2:00"}}]

    GET /films?select=id,technical_specs(runtime)&technical_specs=not.is.null&limit=1
      prefer: count=exact
    = 206 | content-range: 0-0/2 | preference-applied: count=exact
    [{"id":1,"technical_specs":{"runtime":"2:00"}}]

    GET /rpc/films_of?director=1&select=id&limit=1
      prefer: count=exact
    = 206 | content-range: 0-0/2 | preference-applied: count=exact
    [{"id":1}]
    "#);
}

#[tokio::test]
async fn a_planned_count_is_the_planners() {
    let api = Api::start().await;
    api.db
        .execute("insert into items (name) select 'n' || i from generate_series(1, 500) i")
        .await;
    api.db.execute("analyze items").await;
    let response = api
        .ask(&get("/items?select=id&limit=1").prefer("count=planned"))
        .await;
    assert_eq!(response.status, 206);
    assert_eq!(response.header("content-range"), Some("0-0/500"));
}
