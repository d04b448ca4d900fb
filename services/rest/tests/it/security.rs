use crate::api::{Api, get, patch, post};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn users_see_their_own_rows() {
    let api = Api::start().await;
    let me = api.db.user_token(Uuid::from_u128(1), "me@example.com");
    let api = api.acting_as(&me);
    let shown = api
        .show([
            get("/notes?select=body"),
            post("/notes?select=body", r#"{"body": "new"}"#).prefer("return=representation"),
            post(
                "/notes",
                r#"{"owner_id": "00000000-0000-0000-0000-000000000002"}"#,
            ),
            patch("/notes?body=eq.yours&select=id", r#"{"body": "taken"}"#)
                .prefer("return=representation"),
            get("/notes?select=body&order=id"),
            get("/films?select=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /notes?select=body
    = 200 | content-range: 0-0/*
    [{"body":"mine"}]

    POST /notes?select=body
      prefer: return=representation
      {"body": "new"}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"body":"new"}]

    POST /notes
      {"owner_id": "00000000-0000-0000-0000-000000000002"}
    = 403
    {"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy for table \"notes\""}

    PATCH /notes?body=eq.yours&select=id
      prefer: return=representation
      {"body": "taken"}
    = 200 | content-range: */* | preference-applied: return=representation
    []

    GET /notes?select=body&order=id
    = 200 | content-range: 0-1/*
    [{"body":"mine"},{"body":"new"}]

    GET /films?select=id
    = 200 | content-range: */*
    []
    "#);
}

#[tokio::test]
async fn nobody_in_particular_gets_nothing_by_default() {
    let api = Api::start().await;
    let anon = api.db.anon_token().to_owned();
    let api = api.acting_as(&anon);
    let shown = api
        .show([
            get("/notes"),
            post("/notes", r#"{"body": "x"}"#),
            get("/users").with("accept-profile", "auth"),
            get("/users"),
            post("/rpc/become_service", "{}"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /notes
    = 200 | content-range: */*
    []

    POST /notes
      {"body": "x"}
    = 401
    {"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy for table \"notes\""}

    GET /users
      accept-profile: auth
    = 406
    {"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: public","message":"Invalid schema: auth"}

    GET /users
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.users' in the schema cache"}

    POST /rpc/become_service
      {}
    = 401
    {"code":"42501","details":null,"hint":null,"message":"permission denied to set role \"service_role\""}
    "#);
}

#[tokio::test]
async fn a_request_without_a_bearer_is_anonymous() {
    let api = Api::start().await.acting_as("");
    let response = api.ask(&post("/rpc/settings", "{}")).await;
    assert_eq!(response.json()["role"], "anon");
}

#[tokio::test]
async fn a_public_table_is_read_and_inserted_into_by_anybody() {
    let api = Api::start().await;
    api.db
        .execute("select selfdb.set_table_public('items', true)")
        .await;
    let anon = api.db.anon_token().to_owned();
    let api = api.acting_as(&anon);
    let shown = api
        .show([
            post("/items?select=name", r#"{"name": "open"}"#).prefer("return=representation"),
            get("/items?select=name"),
            patch("/items?name=eq.open&select=name", r#"{"name": "shut"}"#)
                .prefer("return=representation"),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=name
      prefer: return=representation
      {"name": "open"}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":"open"}]

    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"open"}]

    PATCH /items?name=eq.open&select=name
      prefer: return=representation
      {"name": "shut"}
    = 200 | content-range: */* | preference-applied: return=representation
    []

    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"open"}]
    "#);
}

#[tokio::test]
async fn tokens_that_are_not_believed() {
    let api = Api::start().await;
    let expired = json!({"role": "service_role", "iss": "selfdb", "exp": 1_500_000_000});
    let expired = api.db.token(&expired);
    let anon = api.db.anon_token();
    let forged = format!(
        "{}x",
        anon.trim_end_matches(|last: char| last.is_alphanumeric())
    );
    for (bearer, code) in [
        (expired.as_str(), "PGRST303"),
        (forged.as_str(), "PGRST301"),
        ("a.b.c", "PGRST301"),
        ("junk", "PGRST301"),
    ] {
        let response = api.service.get("/films").bearer(bearer).await;
        assert_eq!(response.status, 401, "{bearer}");
        assert_eq!(response.json()["code"], code, "{bearer}");
        let challenge = response.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""));
    }
}

#[tokio::test]
async fn a_role_that_the_login_may_not_become_is_refused() {
    let api = Api::start().await;
    let token = api.db.token(&json!({
        "role": "supabase_auth_admin", "iss": "selfdb", "iat": 1_700_000_000, "exp": 4_000_000_000_i64
    }));
    let response = api.service.get("/films").bearer(&token).await;
    assert!(
        [401, 403].contains(&response.status.as_u16()),
        "{}",
        response.text()
    );
}
