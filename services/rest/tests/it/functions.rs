use crate::api::{Api, get, post};

#[tokio::test]
async fn arguments_and_results() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/rpc/add?a=1&b=2"),
            get("/rpc/add?a=1"),
            post("/rpc/add", r#"{"a": 1, "b": 2}"#),
            post("/rpc/add", r#"[{"a": 5}]"#),
            post("/rpc/add", "a=1&b=4").with("content-type", "application/x-www-form-urlencoded"),
            get("/rpc/greet"),
            post("/rpc/greet", ""),
            post("/rpc/touch", ""),
            get("/rpc/first_film?select=id,title"),
            get("/rpc/pairs?n=2"),
            get("/rpc/pairs?n=3&x=gt.1&select=y&order=x.desc"),
            get("/rpc/ids"),
            get("/rpc/total?nums=1&nums=2&nums=3"),
            post("/rpc/total", r#"{"nums": [4, 5]}"#),
            get("/rpc/total?nums={6,7}"),
            get("/rpc/pairs?n=2&x=eq.1").accept("application/vnd.pgrst.object+json"),
            get("/rpc/pairs?n=2").accept("text/csv"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /rpc/add?a=1&b=2
    = 200 | content-range: 0-0/*
    3

    GET /rpc/add?a=1
    = 200 | content-range: 0-0/*
    11

    POST /rpc/add
      {"a": 1, "b": 2}
    = 200 | content-range: 0-0/*
    3

    POST /rpc/add
      [{"a": 5}]
    = 200 | content-range: 0-0/*
    15

    POST /rpc/add
      content-type: application/x-www-form-urlencoded
      a=1&b=4
    = 200 | content-range: 0-0/*
    5

    GET /rpc/greet
    = 200 | content-range: 0-0/*
    "hello"

    POST /rpc/greet
    = 200 | content-range: 0-0/*
    "hello"

    POST /rpc/touch
    = 204 | content-range: 0-0/*

    GET /rpc/first_film?select=id,title
    = 200 | content-range: 0-0/*
    {"id":1,"title":"Northern"}

    GET /rpc/pairs?n=2
    = 200 | content-range: 0-1/*
    [{"x":1,"y":"y1"},{"x":2,"y":"y2"}]

    GET /rpc/pairs?n=3&x=gt.1&select=y&order=x.desc
    = 200 | content-range: 0-1/*
    [{"y":"y3"},{"y":"y2"}]

    GET /rpc/ids
    = 200 | content-range: 0-2/*
    [1, 2, 3]

    GET /rpc/total?nums=1&nums=2&nums=3
    = 200 | content-range: 0-0/*
    6

    POST /rpc/total
      {"nums": [4, 5]}
    = 200 | content-range: 0-0/*
    9

    GET /rpc/total?nums={6,7}
    = 200 | content-range: 0-0/*
    13

    GET /rpc/pairs?n=2&x=eq.1
      accept: application/vnd.pgrst.object+json
    = 200 | content-range: 0-0/*
    {"x":1,"y":"y1"}

    GET /rpc/pairs?n=2
      accept: text/csv
    = 200 | content-range: 0-1/*
    x,y
    1,y1
    2,y2
    "#);
}

#[tokio::test]
async fn overloads_and_what_is_missing() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/rpc/overloaded?a=1"),
            get("/rpc/overloaded?a=1&b=2"),
            post("/rpc/overloaded", r#"{"a": 1, "b": 2}"#),
            get("/rpc/overloaded?a=1&c=2"),
            get("/rpc/ad?a=1"),
            post("/rpc/add", r#"{"x": 1}"#),
            get("/rpc/noclosealternative"),
            get("/rpc/add?a=one"),
            get("/rpc/touch"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /rpc/overloaded?a=1
    = 200 | content-range: 0-0/*
    "one"

    GET /rpc/overloaded?a=1&b=2
    = 200 | content-range: 0-0/*
    "two"

    POST /rpc/overloaded
      {"a": 1, "b": 2}
    = 200 | content-range: 0-0/*
    "two"

    GET /rpc/overloaded?a=1&c=2
    = 404
    {"code":"PGRST202","details":"Searched for the function public.overloaded with parameters a, c, but no matches were found in the schema cache.","hint":"Perhaps you meant to call the function public.overloaded(a, b)","message":"Could not find the function public.overloaded(a, c) in the schema cache"}

    GET /rpc/ad?a=1
    = 404
    {"code":"PGRST202","details":"Searched for the function public.ad with parameter a, but no matches were found in the schema cache.","hint":null,"message":"Could not find the function public.ad(a) in the schema cache"}

    POST /rpc/add
      {"x": 1}
    = 404
    {"code":"PGRST202","details":"Searched for the function public.add with parameter x or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.","hint":"Perhaps you meant to call the function public.add(a, b)","message":"Could not find the function public.add(x) in the schema cache"}

    GET /rpc/noclosealternative
    = 404
    {"code":"PGRST202","details":"Searched for the function public.noclosealternative without parameters, but no matches were found in the schema cache.","hint":null,"message":"Could not find the function public.noclosealternative without parameters in the schema cache"}

    GET /rpc/add?a=one
    = 400
    {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"one\""}

    GET /rpc/touch
    = 405
    {"code":"25006","details":null,"hint":null,"message":"cannot execute INSERT in a read-only transaction"}
    "#);
}

#[tokio::test]
async fn the_body_as_the_only_parameter() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/rpc/keys_of", r#"{"one": 1, "two": 2}"#),
            post("/rpc/shout", "quiet").with("content-type", "text/plain"),
            post("/rpc/size_of", "12345").with("content-type", "application/octet-stream"),
            post("/rpc/shout", "{}"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /rpc/keys_of
      {"one": 1, "two": 2}
    = 200 | content-range: 0-1/*
    ["one", "two"]

    POST /rpc/shout
      content-type: text/plain
      quiet
    = 200 | content-range: 0-0/*
    "QUIET"

    POST /rpc/size_of
      content-type: application/octet-stream
      12345
    = 200 | content-range: 0-0/*
    5

    POST /rpc/shout
      {}
    = 404
    {"code":"PGRST202","details":"Searched for the function public.shout without parameters or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.","hint":"Perhaps you meant to call the function public.shout()","message":"Could not find the function public.shout without parameters in the schema cache"}
    "#);
}

#[tokio::test]
async fn settings_of_the_request_and_the_response() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/rpc/settings", "{}")
                .with("user-agent", "tests")
                .with("cookie", "a=b; flavour=plain"),
            post("/rpc/teapot", "{}"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /rpc/settings
      user-agent: tests
      cookie: a=b; flavour=plain
      {}
    = 200 | content-range: 0-0/*
    {"role" : "service_role", "method" : "POST", "path" : "/rpc/settings", "agent" : "tests", "cookie" : "plain", "sub" : null}

    POST /rpc/teapot
      {}
    = 418 | content-range: 0-0/*
    "tea"
    "#);
    let response = api.ask(&post("/rpc/teapot", "{}")).await;
    let pots: Vec<_> = response.headers.get_all("x-pot").iter().collect();
    assert_eq!(pots, ["short", "stout"]);
}

#[tokio::test]
async fn a_function_runs_before_each_request_where_one_is_set() {
    let api =
        Api::with(|settings| settings.with("PGRST_DB_PRE_REQUEST", "public.paint_it_black")).await;
    let shown = api.show([get("/films")]).await;
    insta::assert_snapshot!(shown, @r#"
    GET /films
    = 402
    {"code":"123","details":"Quota","hint":"Pay","message":"Payment required"}
    "#);
}
