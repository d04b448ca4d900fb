use crate::api::{Api, delete, get, post, put};
use serde_json::json;
use uuid::Uuid;

const NEW: &str = r#"{"name": "posts", "description": "What is said", "is_public": true, "columns": [
    {"name": "id", "type": "bigserial", "primary_key": true},
    {"name": "title", "type": "varchar(20)", "nullable": false},
    {"name": "body", "type": "text", "default": "it's; empty"},
    {"name": "user_id", "type": "uuid"},
    {"name": "film_id", "type": "int", "references_table": "films", "references_column": "id"},
    {"name": "labels", "type": "text[]"},
    {"name": "at", "type": "timestamptz", "default": "now()"}]}"#;

#[tokio::test]
async fn administration_makes_changes_and_drops_tables() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/api/v1/tables", NEW),
            post(
                "/posts?select=title,body",
                r#"{"title": "One", "film_id": 1}"#,
            )
            .prefer("return=representation"),
            get("/posts?select=title,films(title)"),
            post("/api/v1/tables", NEW),
            put(
                "/api/v1/tables/posts",
                r#"{"is_public": false, "description": "Quiet"}"#,
            ),
            delete("/api/v1/tables/posts"),
            get("/api/v1/tables/posts"),
            delete("/api/v1/tables/posts"),
            delete("/api/v1/tables/films"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /api/v1/tables
      {"name": "posts", "description": "What is said", "is_public": true, "columns": [
        {"name": "id", "type": "bigserial", "primary_key": true},
        {"name": "title", "type": "varchar(20)", "nullable": false},
        {"name": "body", "type": "text", "default": "it's; empty"},
        {"name": "user_id", "type": "uuid"},
        {"name": "film_id", "type": "int", "references_table": "films", "references_column": "id"},
        {"name": "labels", "type": "text[]"},
        {"name": "at", "type": "timestamptz", "default": "now()"}]}
    = 201
    {"name":"posts","description":"What is said","is_public":true,"is_view":false,"column_count":7,"primary_key":["id"],"columns":[{"name":"id","type":"bigint","description":null,"nullable":false,"default":"nextval('public.posts_id_seq')","primary_key":true},{"name":"title","type":"character varying(20)","description":null,"nullable":false,"default":null,"primary_key":false},{"name":"body","type":"text","description":null,"nullable":true,"default":"'it''s; empty'::text","primary_key":false},{"name":"user_id","type":"uuid","description":null,"nullable":true,"default":"auth.uid()","primary_key":false},{"name":"film_id","type":"integer","description":null,"nullable":true,"default":null,"primary_key":false},{"name":"labels","type":"text[]","description":null,"nullable":true,"default":null,"primary_key":false},{"name":"at","type":"timestamp with time zone","description":null,"nullable":true,"default":"now()","primary_key":false}]}

    POST /posts?select=title,body
      prefer: return=representation
      {"title": "One", "film_id": 1}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"title":"One","body":"it's; empty"}]

    GET /posts?select=title,films(title)
    = 200 | content-range: 0-0/*
    [{"title":"One","films":{"title":"Northern"}}]

    POST /api/v1/tables
      {"name": "posts", "description": "What is said", "is_public": true, "columns": [
        {"name": "id", "type": "bigserial", "primary_key": true},
        {"name": "title", "type": "varchar(20)", "nullable": false},
        {"name": "body", "type": "text", "default": "it's; empty"},
        {"name": "user_id", "type": "uuid"},
        {"name": "film_id", "type": "int", "references_table": "films", "references_column": "id"},
        {"name": "labels", "type": "text[]"},
        {"name": "at", "type": "timestamptz", "default": "now()"}]}
    = 409
    {"code":"23505","details":null,"hint":null,"message":"relation \"posts\" already exists"}

    PUT /api/v1/tables/posts
      {"is_public": false, "description": "Quiet"}
    = 200
    {"name":"posts","description":"Quiet","is_public":false,"is_view":false,"column_count":7,"primary_key":["id"],"columns":[{"name":"id","type":"bigint","description":null,"nullable":false,"default":"nextval('public.posts_id_seq')","primary_key":true},{"name":"title","type":"character varying(20)","description":null,"nullable":false,"default":null,"primary_key":false},{"name":"body","type":"text","description":null,"nullable":true,"default":"'it''s; empty'::text","primary_key":false},{"name":"user_id","type":"uuid","description":null,"nullable":true,"default":"auth.uid()","primary_key":false},{"name":"film_id","type":"integer","description":null,"nullable":true,"default":null,"primary_key":false},{"name":"labels","type":"text[]","description":null,"nullable":true,"default":null,"primary_key":false},{"name":"at","type":"timestamp with time zone","description":null,"nullable":true,"default":"now()","primary_key":false}]}

    DELETE /api/v1/tables/posts
    = 204

    GET /api/v1/tables/posts
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.posts' in the schema cache"}

    DELETE /api/v1/tables/posts
    = 404
    {"code":"42P01","details":null,"hint":null,"message":"relation \"posts\" does not exist"}

    DELETE /api/v1/tables/films
    = 400
    {"code":"2BP01","details":"function public.films_of(integer) depends on type public.films\nfunction public.first_film() depends on type public.films\nconstraint technical_specs_film_id_fkey on table public.technical_specs depends on table public.films\nconstraint roles_film_id_fkey on table public.roles depends on table public.films","hint":"Use DROP ... CASCADE to drop the dependent objects too.","message":"cannot drop table public.films because other objects depend on it"}
    "#);
}

#[tokio::test]
async fn no_text_of_a_definition_becomes_sql() {
    let api = Api::start().await;
    for name in [
        "int); drop table films; --",
        "nosuch",
        "trigger",
        "auth.users",
    ] {
        let body = json!({ "name": "t", "columns": [{ "name": "a", "type": name }] });
        let request = api
            .service
            .post("/api/v1/tables")
            .bearer(api.db.service_token());
        let refused = request.json(&body).await.expect_status(400);
        assert_eq!(refused.json()["code"], "42704");
        assert_eq!(
            refused.json()["message"],
            format!("type \"{name}\" does not exist")
        );
    }
    let shown = api
        .show([
            post("/api/v1/tables", r#"{"name": "t", "columns": [{"name": "a", "type": "int", "default": "1); drop table films; --"}]}"#),
            post("/api/v1/tables", r#"{"name": "", "columns": [{"name": "a", "type": "int"}]}"#),
            post("/api/v1/tables", r#"{"name": "t", "columns": []}"#),
            post("/api/v1/tables", r#"{"name": "t", "columns": [{"name": "a", "type": "int", "owner": "me"}]}"#),
            post("/api/v1/tables", r#"{"name": "x\"; drop table films; --", "columns": [{"name": "a\" int); drop table films; --", "type": "int"}]}"#),
            get("/films?select=id&id=eq.1"),
            delete("/api/v1/tables/x%22%3B%20drop%20table%20films%3B%20--"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /api/v1/tables
      {"name": "t", "columns": [{"name": "a", "type": "int", "default": "1); drop table films; --"}]}
    = 400
    {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"1); drop table films; --\""}

    POST /api/v1/tables
      {"name": "", "columns": [{"name": "a", "type": "int"}]}
    = 400
    {"code":"42602","details":null,"hint":null,"message":"a table needs a name of at most 63 characters"}

    POST /api/v1/tables
      {"name": "t", "columns": []}
    = 400
    {"code":"42602","details":null,"hint":null,"message":"a table needs a column"}

    POST /api/v1/tables
      {"name": "t", "columns": [{"name": "a", "type": "int", "owner": "me"}]}
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"The body does not fit: unknown field `owner`, expected one of `name`, `type`, `description`, `nullable`, `default`, `primary_key`, `unique`, `is_foreign_key`, `references_table`, `references_column` at line 1 column 62"}

    POST /api/v1/tables
      {"name": "x\"; drop table films; --", "columns": [{"name": "a\" int); drop table films; --", "type": "int"}]}
    = 201
    {"name":"x\"; drop table films; --","description":null,"is_public":false,"is_view":false,"column_count":1,"primary_key":[],"columns":[{"name":"a\" int); drop table films; --","type":"integer","description":null,"nullable":true,"default":null,"primary_key":false}]}

    GET /films?select=id&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1}]

    DELETE /api/v1/tables/x%22%3B%20drop%20table%20films%3B%20--
    = 204
    "#);
}

#[tokio::test]
async fn only_administration_is_let_in() {
    let api = Api::start().await;
    let user = api.db.user_token(Uuid::from_u128(1), "user@example.com");
    let admin = api
        .db
        .superuser_token(Uuid::from_u128(2), "admin@example.com");
    let anon = api.db.anon_token().to_owned();
    let body = r#"{"name": "t", "columns": [{"name": "a", "type": "int"}]}"#;
    for (token, status) in [(&anon, 401), (&user, 403), (&admin, 201)] {
        let response = api
            .service
            .post("/api/v1/tables")
            .bearer(token)
            .header("content-type", "application/json")
            .body(body)
            .await;
        assert_eq!(response.status, status, "{}", response.text());
    }
    // The functions behind it are not open to the API either.
    let direct = api.service.post("/rpc/create_table").bearer(&user).await;
    assert_eq!(direct.status, 404);
}

#[tokio::test]
async fn rows_come_page_by_page_under_row_level_security() {
    let api = Api::start().await;
    api.db
        .execute("select selfdb.set_table_public('actors', true)")
        .await;
    let shown = api
        .show([
            get("/api/v1/tables/actors/data?page=2&page_size=2&order_by=id:desc"),
            get("/api/v1/tables/actors/data?filter_column=name&filter_value=Eva"),
            get("/api/v1/tables/actors/data?page_size=5000"),
            get("/api/v1/tables/actors/data?page=0"),
            get("/api/v1/tables/nosuch/data"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /api/v1/tables/actors/data?page=2&page_size=2&order_by=id:desc
    = 200
    {"data":[{"id":1,"name":"Dag"}],"metadata":{"total_count":3,"page":2,"page_size":2,"total_pages":2,"columns":[{"name":"id","type":"integer","description":null,"nullable":false,"default":null,"primary_key":true},{"name":"name","type":"text","description":null,"nullable":false,"default":null,"primary_key":false}]}}

    GET /api/v1/tables/actors/data?filter_column=name&filter_value=Eva
    = 200
    {"data":[{"id":2,"name":"Eva"}],"metadata":{"total_count":1,"page":1,"page_size":100,"total_pages":1,"columns":[{"name":"id","type":"integer","description":null,"nullable":false,"default":null,"primary_key":true},{"name":"name","type":"text","description":null,"nullable":false,"default":null,"primary_key":false}]}}

    GET /api/v1/tables/actors/data?page_size=5000
    = 400
    {"code":"PGRST100","details":"page_size is from 1 to 1000","hint":null,"message":"The page cannot be read"}

    GET /api/v1/tables/actors/data?page=0
    = 400
    {"code":"PGRST100","details":"page counts from 1","hint":null,"message":"The page cannot be read"}

    GET /api/v1/tables/nosuch/data
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.nosuch' in the schema cache"}
    "#);

    let anon = api.db.anon_token().to_owned();
    let api = api.acting_as(&anon);
    let token = &anon;
    api.until(
        |api| api.service.get("/api/v1/tables").bearer(token),
        |response| {
            response
                .json()
                .as_array()
                .is_some_and(|tables| tables.len() == 1)
        },
    )
    .await;
    let shown = api
        .show([
            get("/api/v1/tables/actors/data?page_size=1&order_by=id"),
            get("/api/v1/tables/notes/data"),
            get("/api/v1/tables/notes"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /api/v1/tables/actors/data?page_size=1&order_by=id
    = 200
    {"data":[{"id":1,"name":"Dag"}],"metadata":{"total_count":3,"page":1,"page_size":1,"total_pages":3,"columns":[{"name":"id","type":"integer","description":null,"nullable":false,"default":null,"primary_key":true},{"name":"name","type":"text","description":null,"nullable":false,"default":null,"primary_key":false}]}}

    GET /api/v1/tables/notes/data
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.notes' in the schema cache"}

    GET /api/v1/tables/notes
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.notes' in the schema cache"}
    "#);
}

#[tokio::test]
async fn rows_are_written_under_row_level_security() {
    let api = Api::start().await;
    let admin = api
        .show([
            post(
                "/api/v1/tables",
                r#"{"name": "cards", "is_public": true, "columns": [
                {"name": "id", "type": "int", "primary_key": true},
                {"name": "text", "type": "text"}, {"name": "user_id", "type": "uuid"}]}"#,
            ),
            post(
                "/api/v1/tables/cards/data",
                r#"{"id": 1, "text": "nobody's"}"#,
            ),
        ])
        .await;
    assert!(
        admin.contains(r#"{"id":1,"text":"nobody's","user_id":null}"#),
        "{admin}"
    );
    let me = api.db.user_token(Uuid::from_u128(1), "me@example.com");
    let api = api.acting_as(&me);
    let shown = api
        .show([
            post("/api/v1/tables/cards/data", r#"{"id": 2, "text": "mine"}"#),
            post("/api/v1/tables/cards/data", r#"[{"id": 3}, {"id": 4}]"#),
            put("/api/v1/tables/cards/data/2", r#"{"text": "still mine"}"#),
            put(
                "/api/v1/tables/cards/data/still%20mine?id_column=text",
                r#"{"text": "x"}"#,
            ),
            put("/api/v1/tables/cards/data/1", r#"{"text": "stolen"}"#),
            put(
                "/api/v1/tables/cards/data/9?id_column=nothing",
                r#"{"text": "x"}"#,
            ),
            put("/api/v1/tables/cards/data/abc", r#"{"text": "x"}"#),
            delete("/api/v1/tables/cards/data/1"),
            delete("/api/v1/tables/cards/data/3"),
            delete("/api/v1/tables/cards/data/3"),
            delete("/api/v1/tables/nothing/data/3"),
            get("/cards?select=id,text&order=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /api/v1/tables/cards/data
      {"id": 2, "text": "mine"}
    = 201 | content-range: */* | preference-applied: return=representation
    {"id":2,"text":"mine","user_id":"00000000-0000-0000-0000-000000000001"}

    POST /api/v1/tables/cards/data
      [{"id": 3}, {"id": 4}]
    = 201 | content-range: */* | preference-applied: return=representation
    [{"id":3,"text":null,"user_id":"00000000-0000-0000-0000-000000000001"},{"id":4,"text":null,"user_id":"00000000-0000-0000-0000-000000000001"}]

    PUT /api/v1/tables/cards/data/2
      {"text": "still mine"}
    = 200 | content-range: 0-0/* | preference-applied: return=representation
    {"id":2,"text":"still mine","user_id":"00000000-0000-0000-0000-000000000001"}

    PUT /api/v1/tables/cards/data/still%20mine?id_column=text
      {"text": "x"}
    = 200 | content-range: 0-0/* | preference-applied: return=representation
    {"id":2,"text":"x","user_id":"00000000-0000-0000-0000-000000000001"}

    PUT /api/v1/tables/cards/data/1
      {"text": "stolen"}
    = 404
    {"code":"SDB400","details":null,"hint":null,"message":"No row is '1'"}

    PUT /api/v1/tables/cards/data/9?id_column=nothing
      {"text": "x"}
    = 400
    {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'nothing' column of 'cards' in the schema cache"}

    PUT /api/v1/tables/cards/data/abc
      {"text": "x"}
    = 400
    {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"abc\""}

    DELETE /api/v1/tables/cards/data/1
    = 404
    {"code":"SDB400","details":null,"hint":null,"message":"No row is '1'"}

    DELETE /api/v1/tables/cards/data/3
    = 204

    DELETE /api/v1/tables/cards/data/3
    = 404
    {"code":"SDB400","details":null,"hint":null,"message":"No row is '3'"}

    DELETE /api/v1/tables/nothing/data/3
    = 404
    {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.nothing' in the schema cache"}

    GET /cards?select=id,text&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"text":"nobody's"},{"id":2,"text":"x"},{"id":4,"text":null}]
    "#);
}

#[tokio::test]
async fn columns_come_change_and_go_with_their_policies() {
    let api = Api::start().await;
    api.ask(&post(
        "/api/v1/tables",
        r#"{"name": "cards", "is_public": true, "columns": [
        {"name": "id", "type": "int", "primary_key": true}]}"#,
    ))
    .await;
    let shown = api
        .show([
            post("/api/v1/tables/cards/columns", r#"{"name": "owner", "type": "uuid"}"#),
            post("/api/v1/tables/cards/columns", r#"{"name": "size", "type": "int", "default": 3, "nullable": false}"#),
            put("/api/v1/tables/cards/columns/size", r#"{"name": "width", "type": "text", "default": null, "nullable": true, "description": "How wide"}"#),
            post("/api/v1/tables/cards/columns", r#"{"name": "bad", "type": "int); drop table films; --"}"#),
            post("/api/v1/tables/cards/columns", r#"{"name": "width", "type": "int"}"#),
            put("/api/v1/tables/cards/columns/nothing", r#"{"nullable": true}"#),
            put("/api/v1/tables/nothing/columns/width", r#"{"nullable": true}"#),
            delete("/api/v1/tables/cards/columns/width"),
            delete("/api/v1/tables/cards/columns/width"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /api/v1/tables/cards/columns
      {"name": "owner", "type": "uuid"}
    = 201
    {"name":"cards","description":null,"is_public":true,"is_view":false,"column_count":2,"primary_key":["id"],"columns":[{"name":"id","type":"integer","description":null,"nullable":false,"default":null,"primary_key":true},{"name":"owner","type":"uuid","description":null,"nullable":true,"default":"auth.uid()","primary_key":false}]}

    POST /api/v1/tables/cards/columns
      {"name": "size", "type": "int", "default": 3, "nullable": false}
    = 201
    {"name":"cards","description":null,"is_public":true,"is_view":false,"column_count":3,"primary_key":["id"],"columns":[{"name":"id","type":"integer","description":null,"nullable":false,"default":null,"primary_key":true},{"name":"owner","type":"uuid","description":null,"nullable":true,"default":"auth.uid()","primary_key":false},{"name":"size","type":"integer","description":null,"nullable":false,"default":"3","primary_key":false}]}

    PUT /api/v1/tables/cards/columns/size
      {"name": "width", "type": "text", "default": null, "nullable": true, "description": "How wide"}
    = 200
    {"name":"cards","description":null,"is_public":true,"is_view":false,"column_count":3,"primary_key":["id"],"columns":[{"name":"id","type":"integer","description":null,"nullable":false,"default":null,"primary_key":true},{"name":"owner","type":"uuid","description":null,"nullable":true,"default":"auth.uid()","primary_key":false},{"name":"width","type":"text","description":"How wide","nullable":true,"default":null,"primary_key":false}]}

    POST /api/v1/tables/cards/columns
      {"name": "bad", "type": "int); drop table films; --"}
    = 400
    {"code":"42704","details":null,"hint":null,"message":"type \"int); drop table films; --\" does not exist"}

    POST /api/v1/tables/cards/columns
      {"name": "width", "type": "int"}
    = 400
    {"code":"42701","details":null,"hint":null,"message":"column \"width\" of relation \"cards\" already exists"}

    PUT /api/v1/tables/cards/columns/nothing
      {"nullable": true}
    = 400
    {"code":"42703","details":null,"hint":null,"message":"column \"nothing\" of relation \"cards\" does not exist"}

    PUT /api/v1/tables/nothing/columns/width
      {"nullable": true}
    = 404
    {"code":"42P01","details":null,"hint":null,"message":"relation \"nothing\" does not exist"}

    DELETE /api/v1/tables/cards/columns/width
    = 204

    DELETE /api/v1/tables/cards/columns/width
    = 400
    {"code":"42703","details":null,"hint":null,"message":"column \"width\" of relation \"cards\" does not exist"}
    "#);
    // The new owner column is what says whose a row is.
    let [me, other] = [1, 2].map(|id| api.db.user_token(Uuid::from_u128(id), "a@example.com"));
    let api = api.acting_as(&me);
    let mine = api.ask(&post("/cards", r#"{"id": 1}"#)).await;
    assert_eq!(mine.status, 201, "{}", mine.text());
    let refused = api
        .ask(&post(
            "/api/v1/tables/cards/columns",
            r#"{"name": "x", "type": "int"}"#,
        ))
        .await;
    assert_eq!(refused.status, 403);
    let api = api.acting_as(&other);
    let deleted = api.ask(&delete("/api/v1/tables/cards/data/1")).await;
    assert_eq!(deleted.status, 404);
}
