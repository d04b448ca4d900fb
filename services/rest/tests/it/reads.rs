use crate::api::{Api, get, scenario};
use http::Method;

#[tokio::test]
async fn columns_aliases_casts_and_paths() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/directors?order=id"),
            get("/directors?select=*&id=eq.1"),
            get("/directors?select=id,name:first_name&id=lt.3"),
            get("/films?select=id,year::text,score:rating::int&id=eq.1"),
            get("/films?select=id,details->lang,details->>lang,crew:details->crew->0->>n&id=eq.1"),
            get("/films?select=details->crew->-1&id=eq.1"),
            get("/films?select=id&details->>lang=eq.en"),
            get("/films?select=id&details->crew->0->n=eq.1"),
            get("/films?select=tags->0&id=eq.1"),
            get("/films?select=nosuch"),
            get("/films?select=id,"),
            get("/films?select=id->>"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /directors?order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"first_name":"Ada","last_name":"Lind"},{"id":2,"first_name":"Bo","last_name":"Ek"},{"id":3,"first_name":"Cy","last_name":null}]

    GET /directors?select=*&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"first_name":"Ada","last_name":"Lind"}]

    GET /directors?select=id,name:first_name&id=lt.3
    = 200 | content-range: 0-1/*
    [{"id":1,"name":"Ada"},{"id":2,"name":"Bo"}]

    GET /films?select=id,year::text,score:rating::int&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"year":"1999","score":8}]

    GET /films?select=id,details->lang,details->>lang,crew:details->crew->0->>n&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"lang":"sv","lang":"sv","crew":"1"}]

    GET /films?select=details->crew->-1&id=eq.1
    = 200 | content-range: 0-0/*
    [{"crew":{"n": 2}}]

    GET /films?select=id&details->>lang=eq.en
    = 200 | content-range: 0-1/*
    [{"id":2},{"id":4}]

    GET /films?select=id&details->crew->0->n=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=tags->0&id=eq.1
    = 200 | content-range: 0-0/*
    [{"tags":"drama"}]

    GET /films?select=nosuch
    = 400
    {"code":"42703","details":null,"hint":null,"message":"column films.nosuch does not exist"}

    GET /films?select=id,
    = 400
    {"code":"PGRST100","details":"unexpected end of input expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse select parameter (id,)\" (line 1, column 4)"}

    GET /films?select=id->>
    = 400
    {"code":"PGRST100","details":"unexpected end of input expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse select parameter (id->>)\" (line 1, column 6)"}
    "#);
}

#[tokio::test]
async fn order_limit_and_offset() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&order=year.desc"),
            get("/films?select=id,rating&order=rating.asc.nullsfirst,id"),
            get("/films?select=id,rating&order=rating.desc.nullslast"),
            get("/films?select=id&order=details->>lang.nullsfirst,id.desc"),
            get("/films?select=id&order=id&limit=2"),
            get("/films?select=id&order=id&limit=2&offset=1"),
            get("/films?select=id&order=id&offset=3"),
            get("/films?select=id&order=id&limit=0"),
            get("/films?select=id&order=id").with("range", "1-2"),
            get("/films?select=id&order=id&limit=1").with("range", "1-2"),
            get("/films?select=id&order=id").with("range", "2-"),
            get("/films?select=id&order=id").with("range", "2-1"),
            get("/films?select=id&limit=-1"),
            get("/films?select=id&order=id.up"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&order=year.desc
    = 200 | content-range: 0-3/*
    [{"id":4},{"id":3},{"id":2},{"id":1}]

    GET /films?select=id,rating&order=rating.asc.nullsfirst,id
    = 200 | content-range: 0-3/*
    [{"id":3,"rating":null},{"id":2,"rating":6.0},{"id":1,"rating":7.5},{"id":4,"rating":9.1}]

    GET /films?select=id,rating&order=rating.desc.nullslast
    = 200 | content-range: 0-3/*
    [{"id":4,"rating":9.1},{"id":1,"rating":7.5},{"id":2,"rating":6.0},{"id":3,"rating":null}]

    GET /films?select=id&order=details->>lang.nullsfirst,id.desc
    = 200 | content-range: 0-3/*
    [{"id":3},{"id":4},{"id":2},{"id":1}]

    GET /films?select=id&order=id&limit=2
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&order=id&limit=2&offset=1
    = 200 | content-range: 1-2/*
    [{"id":2},{"id":3}]

    GET /films?select=id&order=id&offset=3
    = 200 | content-range: 3-3/*
    [{"id":4}]

    GET /films?select=id&order=id&limit=0
    = 200 | content-range: */*
    []

    GET /films?select=id&order=id
      range: 1-2
    = 200 | content-range: 1-2/*
    [{"id":2},{"id":3}]

    GET /films?select=id&order=id&limit=1
      range: 1-2
    = 416
    {"code":"PGRST103","details":"Limit should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?select=id&order=id
      range: 2-
    = 200 | content-range: 2-3/*
    [{"id":3},{"id":4}]

    GET /films?select=id&order=id
      range: 2-1
    = 416
    {"code":"PGRST103","details":"The lower boundary must be lower than or equal to the upper boundary in the Range header.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?select=id&limit=-1
    = 416
    {"code":"PGRST103","details":"Limit should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"}

    GET /films?select=id&order=id.up
    = 400
    {"code":"PGRST100","details":"unexpected \"u\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"","hint":null,"message":"\"failed to parse order (id.up)\" (line 1, column 4)"}
    "#);
}

#[tokio::test]
async fn head_and_options_have_no_body() {
    let api = Api::start().await;
    let head = api
        .ask(&scenario(Method::HEAD, "/films?select=id", ""))
        .await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-range"), Some("0-3/*"));
    assert!(head.body.is_empty());

    for (path, allowed) in [
        ("/films", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("/rpc/touch", "OPTIONS,POST"),
        ("/rpc/greet", "OPTIONS,GET,HEAD,POST"),
        ("/", "OPTIONS,GET,HEAD"),
    ] {
        let options = api.ask(&scenario(Method::OPTIONS, path, "")).await;
        assert_eq!(options.header("allow"), Some(allowed), "{path}");
        assert!(options.body.is_empty());
    }
    for path in ["/nosuch", "/rpc/nosuch"] {
        let options = api.ask(&scenario(Method::OPTIONS, path, "")).await;
        assert_eq!(options.status, 404, "{path}");
        assert_eq!(options.header("allow"), None, "{path}");
    }
}

#[tokio::test]
async fn the_most_rows_a_read_answers() {
    let api = Api::with(|settings| settings.with("PGRST_DB_MAX_ROWS", "2")).await;
    api.db.execute("analyze films").await;
    let shown = api
        .show([
            get("/films?select=id&order=id"),
            get("/films?select=id&order=id&limit=3"),
            get("/films?select=id&order=id&limit=1"),
            get("/directors?select=films(id)&id=eq.1"),
            get("/films?select=id&order=id").prefer("count=estimated"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&order=id
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&order=id&limit=3
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&order=id&limit=1
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /directors?select=films(id)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"films":[{"id":1},{"id":2}]}]

    GET /films?select=id&order=id
      prefer: count=estimated
    = 206 | content-range: 0-1/4 | preference-applied: count=estimated
    [{"id":1},{"id":2}]
    "#);
}

#[tokio::test]
async fn an_answer_says_what_it_is() {
    let api = Api::start().await;
    let response = api.ask(&get("/films?title=eq.a b&select=id&limit=1")).await;
    assert_eq!(
        response.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(
        response.header("content-location"),
        Some("/films?limit=1&select=id&title=eq.a%20b")
    );
    assert_eq!(response.header("vary"), Some("Accept, Prefer, Range"));
}
