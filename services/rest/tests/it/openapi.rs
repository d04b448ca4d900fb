use serde_json::json;

use crate::api::{Api, get};

#[tokio::test]
async fn the_root_describes_what_the_role_may_use() {
    let api = Api::start().await;
    let response = api.ask(&get("/").accept("application/openapi+json")).await;
    assert_eq!(
        response.header("content-type"),
        Some("application/openapi+json; charset=utf-8")
    );
    let document = response.json();
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(document["basePath"], "/rest/v1");
    let of = |pointer: &str| document.pointer(pointer).expect(pointer).clone();
    assert_eq!(
        of("/definitions/films"),
        json!({
            "description": "Films that were shown",
            "required": ["id", "title", "tags"],
            "properties": {
                "id": { "format": "integer", "type": "integer",
                        "description": "Note:\nThis is a Primary Key.<pk/>" },
                "director_id": { "format": "integer", "type": "integer",
                    "description": "Note:\nThis is a Foreign Key to `directors.id`.<fk table='directors' column='id'/>" },
                "title": { "format": "text", "type": "string" },
                "year": { "format": "integer", "type": "integer" },
                "rating": { "format": "numeric", "type": "number" },
                "tags": { "format": "text[]", "type": "array", "items": { "type": "string" } },
                "details": { "format": "jsonb" },
            },
            "type": "object",
        })
    );
    assert_eq!(
        of("/paths/~1rpc~1add"),
        json!({
            "get": {
                "tags": ["(rpc) add"],
                "produces": ["application/json", "application/vnd.pgrst.object+json;nulls=stripped",
                             "application/vnd.pgrst.object+json"],
                "parameters": [
                    { "name": "a", "in": "query", "required": true, "type": "integer", "format": "integer" },
                    { "name": "b", "in": "query", "required": false, "type": "integer", "format": "integer" },
                ],
                "responses": { "200": { "description": "OK" } },
            },
            "post": {
                "tags": ["(rpc) add"],
                "produces": ["application/json", "application/vnd.pgrst.object+json;nulls=stripped",
                             "application/vnd.pgrst.object+json"],
                "parameters": [
                    { "name": "args", "in": "body", "required": true, "schema": {
                        "required": ["a"],
                        "properties": {
                            "a": { "format": "integer", "type": "integer" },
                            "b": { "format": "integer", "type": "integer" },
                        },
                        "type": "object",
                    } },
                    { "$ref": "#/parameters/preferParams" },
                ],
                "responses": { "200": { "description": "OK" } },
            },
        })
    );
    let films = of("/paths/~1films/get");
    assert_eq!(films["summary"], "Films that were shown");
    assert_eq!(
        films["parameters"][7],
        json!({ "$ref": "#/parameters/select" })
    );
    assert_eq!(
        of("/definitions/events/properties/label/default"),
        "untitled"
    );
    assert_eq!(of("/parameters/rangeUnit/default"), "items");
    assert_eq!(of("/paths/~1/get/tags"), json!(["Introspection"]));
    assert_eq!(of("/host"), "localhost:8000");
    assert!(document["paths"]["/films"]["patch"].is_object());
    assert!(document["paths"]["/secrets"].is_null());

    let html = api.ask(&get("/").accept("text/html")).await;
    assert_eq!(html.json()["code"], "PGRST107");
}

#[tokio::test]
async fn the_description_may_ignore_privileges_and_tell_of_tokens() {
    let api = Api::with(|settings| {
        settings
            .with("PGRST_OPENAPI_MODE", "ignore-privileges")
            .with("PGRST_OPENAPI_SECURITY_ACTIVE", "true")
    })
    .await;
    api.db
        .execute(
            "create table hidden (id int);
             revoke all on hidden from public, anon, authenticated, service_role;
             comment on schema public is E'The shop\n\nEverything in it';
             comment on function add is E'Adds\n\nTwo numbers\nor one'",
        )
        .await;
    let document = api
        .until(
            |api| api.service.get("/").bearer(api.db.service_token()),
            |answer| answer.json()["paths"]["/rpc/add"]["get"]["summary"] == "Adds",
        )
        .await
        .json();
    assert!(document["paths"]["/hidden"].is_object());
    assert_eq!(document["info"]["title"], "The shop");
    assert_eq!(document["info"]["description"], "Everything in it");
    assert_eq!(
        document["paths"]["/rpc/add"]["post"]["description"],
        "Two numbers\nor one"
    );
    assert_eq!(document["security"], json!([{ "JWT": [] }]));
    assert_eq!(
        document["securityDefinitions"]["JWT"]["name"],
        "Authorization"
    );
}
