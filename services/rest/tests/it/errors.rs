use crate::api::{Api, get, post, scenario};
use http::Method;

#[tokio::test]
async fn what_postgres_refuses() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/rpc/refuse", r#"{"sqlstate": "P0001"}"#),
            post("/rpc/refuse", r#"{"sqlstate": "PT402"}"#),
            post("/rpc/refuse", r#"{"sqlstate": "23505"}"#),
            post("/rpc/refuse", r#"{"sqlstate": "42501"}"#),
            post("/rpc/refuse", r#"{"sqlstate": "57014"}"#),
            post("/rpc/paint_it_black", "{}"),
            post("/films", r#"{"id": 1, "title": "Again"}"#),
            post("/films", r#"{"id": 7}"#),
            post(
                "/films",
                r#"{"id": 7, "title": "Orphan", "director_id": 77}"#,
            ),
            get("/films?id=eq.one"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /rpc/refuse
      {"sqlstate": "P0001"}
    = 400
    {"code":"P0001","details":"why","hint":"how","message":"refused"}

    POST /rpc/refuse
      {"sqlstate": "PT402"}
    = 402
    {"code":"PT402","details":"why","hint":"how","message":"refused"}

    POST /rpc/refuse
      {"sqlstate": "23505"}
    = 409
    {"code":"23505","details":"why","hint":"how","message":"refused"}

    POST /rpc/refuse
      {"sqlstate": "42501"}
    = 403
    {"code":"42501","details":"why","hint":"how","message":"refused"}

    POST /rpc/refuse
      {"sqlstate": "57014"}
    = 500
    {"code":"57014","details":"why","hint":"how","message":"refused"}

    POST /rpc/paint_it_black
      {}
    = 402
    {"code":"123","details":"Quota","hint":"Pay","message":"Payment required"}

    POST /films
      {"id": 1, "title": "Again"}
    = 409
    {"code":"23505","details":"Key (id)=(1) already exists.","hint":null,"message":"duplicate key value violates unique constraint \"films_pkey\""}

    POST /films
      {"id": 7}
    = 400
    {"code":"23502","details":"Failing row contains (7, null, null, null, null, {}, null).","hint":null,"message":"null value in column \"title\" of relation \"films\" violates not-null constraint"}

    POST /films
      {"id": 7, "title": "Orphan", "director_id": 77}
    = 409
    {"code":"23503","details":"Key (director_id)=(77) is not present in table \"directors\".","hint":null,"message":"insert or update on table \"films\" violates foreign key constraint \"films_director_fkey\""}

    GET /films?id=eq.one
    = 400
    {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"one\""}
    "#);
    let raised = api.ask(&post("/rpc/paint_it_black", "{}")).await;
    assert_eq!(raised.header("x-powered-by"), Some("Nerd Rage"));
}

#[tokio::test]
async fn what_the_protocol_refuses() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?id=noop.1"),
            get("/films?id=5"),
            get("/films/1"),
            get("/rpc"),
            get("/nosuch"),
            get("/films?select=%ff"),
            get("/films?title=eq.%00"),
            scenario(Method::PATCH, "/rpc/greet", "{}"),
            scenario(Method::TRACE, "/films", ""),
            post("/films", ""),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?id=noop.1
    = 400
    {"code":"PGRST100","details":"unexpected \"o\" expecting \"not\" or operator (eq, gt, ...)","hint":null,"message":"\"failed to parse filter (noop.1)\" (line 1, column 1)"}

    GET /films?id=5
    = 400
    {"code":"PGRST100","details":"unexpected \"5\" expecting \"not\" or operator (eq, gt, ...)","hint":null,"message":"\"failed to parse filter (5)\" (line 1, column 1)"}

    GET /films/1
    = 404
    {"code":"PGRST125","details":null,"hint":null,"message":"Invalid path specified in request URL"}

    GET /rpc
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.rpc' in the schema cache"}

    GET /nosuch
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.nosuch' in the schema cache"}

    GET /films?select=%ff
    = 400
    {"code":"PGRST100","details":"names and values must be UTF-8 without NUL","hint":null,"message":"\"failed to parse the query string\" (line 1, column 1)"}

    GET /films?title=eq.%00
    = 400
    {"code":"PGRST100","details":"names and values must be UTF-8 without NUL","hint":null,"message":"\"failed to parse the query string\" (line 1, column 1)"}

    PATCH /rpc/greet
      {}
    = 405
    {"code":"PGRST101","details":null,"hint":null,"message":"Cannot use the PATCH method on RPC"}

    TRACE /films
    = 405
    {"code":"PGRST117","details":null,"hint":null,"message":"Unsupported HTTP method: TRACE"}

    POST /films
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}
    "#);
}

#[tokio::test]
async fn abuse_is_answered_clearly() {
    let api = Api::with(|settings| settings.with("REST_MAX_BODY_BYTES", "10000")).await;
    let nested = format!(
        "/films?or={}id.eq.1{}",
        "(or".repeat(10_000),
        ")".repeat(10_000)
    );
    let response = api
        .service
        .get(&nested)
        .bearer(api.db.service_token())
        .await;
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["code"], "PGRST100");
    assert!(response.body.len() < 1000, "the answer repeats the request");

    let token = api.db.service_token();
    let large = api
        .service
        .post("/items")
        .bearer(token)
        .body(" ".repeat(20_000))
        .await;
    assert_eq!(large.status, 413);
    let deep = format!("[{}{}]", "[".repeat(3000), "]".repeat(3000));
    let deep = api.service.post("/items").bearer(token).body(deep).await;
    assert_eq!(deep.status, 400);
}
