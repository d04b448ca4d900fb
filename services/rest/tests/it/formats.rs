use crate::api::{Api, get, post};

#[tokio::test]
async fn forms_of_an_answer() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/directors?id=eq.1").accept("application/vnd.pgrst.object+json"),
            get("/directors").accept("application/vnd.pgrst.object"),
            get("/directors?id=eq.0").accept("application/vnd.pgrst.object+json"),
            get("/directors?id=eq.3").accept("application/vnd.pgrst.object+json;nulls=stripped"),
            get("/directors?id=gt.1").accept("application/vnd.pgrst.array+json;nulls=stripped"),
            get("/directors?id=gt.1").accept("application/vnd.pgrst.array+json"),
            get("/films?select=id,title,tags&order=id").accept("text/csv"),
            get("/films?id=eq.0").accept("text/csv"),
            get("/directors?id=eq.1").accept("text/html, */*;q=0.1"),
            get("/directors?id=eq.1").accept("text/csv;q=0.5, application/json;q=0.9"),
            get("/directors").accept("image/png"),
            post("/items?select=name", r#"{"name": "csv"}"#)
                .prefer("return=representation")
                .accept("text/csv"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /directors?id=eq.1
      accept: application/vnd.pgrst.object+json
    = 200 | content-range: 0-0/*
    {"id":1,"first_name":"Ada","last_name":"Lind"}

    GET /directors
      accept: application/vnd.pgrst.object
    = 406
    {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    GET /directors?id=eq.0
      accept: application/vnd.pgrst.object+json
    = 406
    {"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}

    GET /directors?id=eq.3
      accept: application/vnd.pgrst.object+json;nulls=stripped
    = 200 | content-range: 0-0/*
    {"id":3,"first_name":"Cy"}

    GET /directors?id=gt.1
      accept: application/vnd.pgrst.array+json;nulls=stripped
    = 200 | content-range: 0-1/*
    [{"id":2,"first_name":"Bo","last_name":"Ek"},{"id":3,"first_name":"Cy"}]

    GET /directors?id=gt.1
      accept: application/vnd.pgrst.array+json
    = 200 | content-range: 0-1/*
    [{"id":2,"first_name":"Bo","last_name":"Ek"},{"id":3,"first_name":"Cy","last_name":null}]

    GET /films?select=id,title,tags&order=id
      accept: text/csv
    = 200 | content-range: 0-3/*
    id,title,tags
    1,Northern,"{drama,""snow, ice""}"
    2,Southern,{drama}
    3,Eastern,{}
    4,"West (end), ""so""",{comedy}

    GET /films?id=eq.0
      accept: text/csv
    = 200 | content-range: */*



    GET /directors?id=eq.1
      accept: text/html, */*;q=0.1
    = 200 | content-range: 0-0/*
    [{"id":1,"first_name":"Ada","last_name":"Lind"}]

    GET /directors?id=eq.1
      accept: text/csv;q=0.5, application/json;q=0.9
    = 200 | content-range: 0-0/*
    [{"id":1,"first_name":"Ada","last_name":"Lind"}]

    GET /directors
      accept: image/png
    = 406
    {"code":"PGRST107","details":null,"hint":null,"message":"None of these media types are available: image/png"}

    POST /items?select=name
      prefer: return=representation
      accept: text/csv
      {"name": "csv"}
    = 201 | content-range: */* | preference-applied: return=representation
    name
    csv
    "#);
}

#[tokio::test]
async fn the_content_type_says_the_form() {
    let api = Api::start().await;
    for (accept, content_type) in [
        (
            "application/vnd.pgrst.object+json",
            "application/vnd.pgrst.object+json; charset=utf-8",
        ),
        (
            "application/vnd.pgrst.array+json;nulls=stripped",
            "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
        ),
        ("text/csv", "text/csv; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
    ] {
        let response = api.ask(&get("/directors?id=eq.1").accept(accept)).await;
        assert_eq!(response.header("content-type"), Some(content_type));
    }
}

#[tokio::test]
async fn schemas_are_chosen_by_profile() {
    let api = Api::with(|settings| settings.with("PGRST_DB_SCHEMAS", "public,private_data")).await;
    api.db
        .execute("grant usage on schema private_data to service_role; grant all on private_data.secrets to service_role")
        .await;
    let shown = api
        .show([
            get("/secrets").with("accept-profile", "private_data"),
            post("/secrets", r#"{"id": 1}"#).with("content-profile", "private_data"),
            get("/secrets"),
            get("/secrets").with("accept-profile", "pg_catalog"),
            post("/secrets", r#"{"id": 1}"#).with("content-profile", "nosuch"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /secrets
      accept-profile: private_data
    = 200 | content-range: */*
    []

    POST /secrets
      content-profile: private_data
      {"id": 1}
    = 201 | content-range: */*

    GET /secrets
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.secrets' in the schema cache"}

    GET /secrets
      accept-profile: pg_catalog
    = 406
    {"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: public, private_data","message":"Invalid schema: pg_catalog"}

    POST /secrets
      content-profile: nosuch
      {"id": 1}
    = 406
    {"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: public, private_data","message":"Invalid schema: nosuch"}
    "#);
    let response = api.ask(&get("/films?limit=1")).await;
    assert_eq!(response.header("content-profile"), Some("public"));
}
