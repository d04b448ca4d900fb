//! Who may ask, as whom, and what is set for them.

use serde_json::{Value, json};

use super::server::{Ground, SECRET, Server, token};

const ROLES: &str = "
    create schema api;
    create role anon# nologin;
    create role author# nologin;
    create role login# login noinherit;
    grant anon#, author# to login#;
    grant usage on schema api to anon#, author#;
    create function api.who() returns json stable language sql as $$
      select json_build_object('role', current_user,
                               'claims', current_setting('request.jwt.claims')::json)
    $$;
    create function api.shows(name text) returns text stable language sql as $$
      select current_setting(name, true)
    $$;
";

const ANON: (&str, &str) = ("PGRST_DB_ANON_ROLE", "anon#");
const KEY: (&str, &str) = ("PGRST_JWT_SECRET", SECRET);
const SCHEMA: (&str, &str) = ("PGRST_DB_SCHEMAS", "api");

async fn as_bearer(server: &Server, path: &str, claims: &Value) -> super::server::Answer {
    let bearer = format!("Bearer {}", token(claims));
    server
        .ask("GET", path, &[("authorization", &bearer)], "")
        .await
}

#[tokio::test]
async fn a_token_names_its_role_where_the_operator_says() {
    let ground = Ground::new(ROLES).await;
    let path = ("PGRST_JWT_ROLE_CLAIM_KEY", ".app.roles[?(@ ^== \"auth\")]");
    let audience = ("PGRST_JWT_AUD", "me");
    let server = ground
        .serve("login#", &[ANON, KEY, SCHEMA, path, audience])
        .await;
    let author = ground.named("author#");
    let asked = as_bearer(
        &server,
        "/rpc/who",
        &json!({ "app": { "roles": ["x", author] } }),
    )
    .await;
    assert_eq!(asked.json()["role"], author.as_str());
    assert_eq!(asked.json()["claims"]["role"], author.as_str());
    let asked = as_bearer(&server, "/rpc/who", &json!({ "email": "a@b.c" })).await;
    assert_eq!(asked.json()["role"], ground.named("anon#").as_str());
    assert_eq!(
        asked.json()["claims"]["role"],
        ground.named("anon#").as_str()
    );
    let asked = as_bearer(&server, "/rpc/who", &json!({ "aud": "you" })).await;
    assert_eq!(asked.code(), (401, "PGRST303".to_owned()));
    assert_eq!(asked.json()["message"], "JWT not in audience");
}

#[tokio::test]
async fn bearers_that_are_refused_are_told_why() {
    let ground = Ground::new(ROLES).await;
    let server = ground.serve("login#", &[KEY, SCHEMA]).await;
    let ask = |value: String| {
        let server = &server;
        async move {
            server
                .ask("GET", "/rpc/who", &[("authorization", &value)], "")
                .await
        }
    };
    let nobody = server.get("/rpc/who").await;
    assert_eq!(nobody.code(), (401, "PGRST302".to_owned()));
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    let parts = ask("Bearer a.b".to_owned()).await;
    assert_eq!(parts.code(), (401, "PGRST301".to_owned()));
    assert_eq!(
        parts.header("www-authenticate"),
        Some(
            "Bearer error=\"invalid_token\", error_description=\"Expected 3 parts in JWT; got 2\""
        )
    );
    let empty = ask("Bearer ".to_owned()).await;
    assert_eq!(
        empty.json()["message"],
        "Empty JWT is sent in Authorization header"
    );
    let genuine = token(&json!({ "role": ground.named("author#") }));
    let forged = ask(format!("bearer {genuine}x")).await;
    assert_eq!(
        forged.json(),
        json!({ "code": "PGRST301", "details": "None of the keys was able to decode the JWT",
                "hint": null, "message": "No suitable key or wrong key type" })
    );
    assert_eq!(ask(format!("bearer {genuine}")).await.status, 200);
    let strange = ask(format!("bearer {}", token(&json!({ "role": "nobody" })))).await;
    assert_eq!(strange.status, 401, "{strange:?}");
    let none = ask(format!("bearer {}", token(&json!({ "role": "none" })))).await;
    assert!([401, 403].contains(&none.status), "{none:?}");
}

#[tokio::test]
async fn without_a_key_no_token_can_be_believed() {
    let ground = Ground::new(ROLES).await;
    let server = ground.serve("login#", &[ANON, SCHEMA]).await;
    let asked = as_bearer(&server, "/rpc/who", &json!({})).await;
    assert_eq!(asked.code(), (500, "PGRST300".to_owned()));
    assert_eq!(server.get("/rpc/who").await.status, 200);
}

#[tokio::test]
async fn the_login_may_be_a_role_itself() {
    let ground = Ground::new(ROLES).await;
    ground.execute("grant usage on schema api to login#").await;
    let own = ("PGRST_DB_ANON_ROLE", "login#");
    let server = ground.serve("login#", &[own, SCHEMA]).await;
    let who = server.get("/rpc/who").await;
    assert_eq!(who.json()["role"], ground.named("login#").as_str());
}

#[tokio::test]
async fn settings_of_the_login_the_role_and_the_function_hold() {
    let ground = Ground::new(ROLES).await;
    ground
        .execute(
            "alter role login# set statement_timeout to '10s';
             alter role author# set statement_timeout to '4s';
             alter role author# set default_transaction_isolation to 'serializable';
             alter role author# set search_path to 'pg_catalog';
             create function api.slow() returns text stable language sql
               set statement_timeout to '7s' set work_mem to '1MB'
               as $$ select current_setting('statement_timeout') $$;
             create function api.repeats() returns text volatile language plpgsql
               set default_transaction_isolation to 'repeatable read'
               as $$ begin return current_setting('transaction_isolation'); end $$",
        )
        .await;
    let app = ("PGRST_APP_SETTINGS_greeting", "hello");
    let server = ground.serve("login#", &[ANON, KEY, SCHEMA, app]).await;
    let author = json!({ "role": ground.named("author#") });
    let shows = |name: &str| format!("/rpc/shows?name={name}");
    let timeout = shows("statement_timeout");
    assert_eq!(server.get(&timeout).await.json(), "10s");
    assert_eq!(as_bearer(&server, &timeout, &author).await.json(), "4s");
    assert_eq!(as_bearer(&server, "/rpc/slow", &author).await.json(), "7s");
    let isolation = shows("transaction_isolation");
    assert_eq!(server.get(&isolation).await.json(), "read committed");
    assert_eq!(
        as_bearer(&server, &isolation, &author).await.json(),
        "serializable"
    );
    let repeats = server.ask("POST", "/rpc/repeats", &[], "{}").await;
    assert_eq!(repeats.json(), "repeatable read");
    assert_eq!(
        server.get(&shows("app.settings.greeting")).await.json(),
        "hello"
    );
}
