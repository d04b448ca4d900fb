//! Execution plans: `application/vnd.pgrst.plan`.

use serde_json::Value;

use crate::api::{Api, Scenario, delete, get, patch, post, put, scenario};

const JSON: &str = "application/vnd.pgrst.plan+json";

async fn api() -> Api {
    Api::with(|settings| settings.with("PGRST_DB_PLAN_ENABLED", "true")).await
}

async fn plan(api: &Api, scenario: Scenario) -> Value {
    let response = api.ask(&scenario).await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.header("content-range").is_none());
    response.json()
}

#[tokio::test]
async fn every_request_can_be_explained() {
    let api = api().await;
    for asked in [
        get("/films?id=in.(1,2,3)"),
        get("/cheap_items?select=name&order=id"),
        get("/directors?select=*,films(*)&id=eq.1"),
        get("/films?select=id,directors!inner(id)&limit=1").prefer("count=exact"),
        scenario(http::Method::HEAD, "/films", ""),
        post("/items", r#"{"name": "a"}"#),
        post("/items", r#"[{"name": "a"}, {"name": "b"}]"#).prefer("return=representation"),
        patch("/events?id=eq.1", r#"{"label": "x"}"#),
        put("/items?id=eq.1", r#"{"id": 1, "name": "a"}"#),
        delete("/events?id=in.(1,2,3)"),
        get("/rpc/films_of?director=1&id=in.(1,2,3)"),
        post("/rpc/add", r#"{"a": 1}"#),
        post("/rpc/touch", "{}"),
    ] {
        let response = api.ask(&asked.accept(JSON)).await;
        assert_eq!(response.status, 200, "{}", response.text());
        let content_type =
            r#"application/vnd.pgrst.plan+json; for="application/json"; charset=utf-8"#;
        assert_eq!(response.header("content-type"), Some(content_type));
        if !response.body.is_empty() {
            let cost = &response.json()[0]["Plan"]["Total Cost"];
            assert!(cost.as_f64().is_some_and(|cost| cost > 0.0));
        }
    }
    let unchanged = api.ask(&get("/events?label=eq.untitled")).await;
    assert_eq!(unchanged.text(), "[]");
    let items = api.ask(&get("/items")).await;
    assert_eq!(items.text(), "[]", "a plan does not write");
}

#[tokio::test]
async fn the_text_form_is_what_explain_prints() {
    let api = api().await;
    for accept in [
        "application/vnd.pgrst.plan",
        "application/vnd.pgrst.plan+text",
    ] {
        let response = api.ask(&get("/films?id=eq.1").accept(accept)).await;
        let content_type =
            r#"application/vnd.pgrst.plan+text; for="application/json"; charset=utf-8"#;
        assert_eq!(response.header("content-type"), Some(content_type));
        let text = response.text();
        assert!(text.starts_with("Aggregate  (cost="), "{text}");
        assert!(
            text.contains("\n  ->  Index Scan using films_pkey on films"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn options_are_those_of_explain() {
    let api = api().await;
    let with = |options: &'static str| get("/films").accept(options);
    let analyzed = plan(
        &api,
        with("application/vnd.pgrst.plan+json; options=analyze|wal|buffers"),
    )
    .await;
    assert_eq!(analyzed[0]["Plan"]["Actual Rows"], 1);
    assert!(analyzed[0]["Plan"]["WAL Records"].is_number());
    assert!(analyzed[0]["Plan"]["Shared Hit Blocks"].is_number());
    let verbose = plan(
        &api,
        with("application/vnd.pgrst.plan+json; options=verbose"),
    )
    .await;
    assert!(verbose[0]["Plan"]["Output"].is_array());
    let settings = plan(
        &api,
        with("application/vnd.pgrst.plan+json; options=settings"),
    )
    .await;
    assert!(settings[0]["Settings"]["search_path"].is_string());
    let plain = plan(
        &api,
        with("application/vnd.pgrst.plan+json; options=nosuch"),
    )
    .await;
    assert!(plain[0]["Plan"]["Output"].is_null());

    let analyzed =
        delete("/events?id=eq.1").accept("application/vnd.pgrst.plan+json; options=analyze");
    plan(&api, analyzed).await;
    let gone = api.ask(&get("/events?id=eq.1&select=id")).await;
    assert_eq!(gone.text(), "[]", "as with explain itself, analyze does it");
    let tried =
        delete("/events?id=eq.2").accept("application/vnd.pgrst.plan+json; options=analyze");
    plan(&api, tried.prefer("tx=rollback")).await;
    let stays = api.ask(&get("/events?id=eq.2&select=id")).await;
    assert_eq!(stays.text(), r#"[{"id":2}]"#);
}

#[tokio::test]
async fn a_plan_is_for_the_form_that_is_named() {
    let api = api().await;
    for (accept, output) in [
        (
            r#"application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object"; options=verbose"#,
            "-> 0",
        ),
        (
            r#"application/vnd.pgrst.plan+json; for="text/csv"; options=verbose"#,
            "string_agg",
        ),
        (
            r#"application/vnd.pgrst.plan+json; for="application/vnd.pgrst.array+json;nulls=stripped"; options=verbose"#,
            "json_strip_nulls",
        ),
    ] {
        let plan = plan(&api, get("/films").accept(accept)).await;
        let body = plan[0]["Plan"]["Output"][2].to_string();
        assert!(body.contains(output), "{accept}: {body}");
    }
    let shown = api
        .show([
            get("/films").accept(r#"application/vnd.pgrst.plan; for="image/png""#),
            get("/films")
                .accept(r#"application/vnd.pgrst.plan; for="image/png", */*;q=0.1"#)
                .prefer("count=exact"),
        ])
        .await;
    assert!(shown.contains(r#"None of these media types are available: application/vnd.pgrst.plan+text; for=\"image/png\""#), "{shown}");
    assert!(shown.contains("= 200 | content-range: 0-3/4"), "{shown}");
}

#[tokio::test]
async fn plans_are_off_unless_told() {
    let api = Api::start().await;
    for asked in [
        get("/films"),
        get("/rpc/greet"),
        delete("/films?id=eq.1"),
        post("/items", r#"{"name": "a"}"#),
    ] {
        let response = api.ask(&asked.accept("application/vnd.pgrst.plan")).await;
        assert_eq!(response.status, 406);
        assert_eq!(response.json()["code"], "PGRST107");
    }
}
