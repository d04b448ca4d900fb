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
    insta::assert_snapshot!(document["definitions"]["films"].to_string(), @r#"{"type":"object","properties":{"id":{"type":"integer","format":"integer","description":"Note:\nThis is a Primary Key.<pk/>"},"director_id":{"type":"integer","format":"integer"},"title":{"type":"string","format":"text"},"year":{"type":"integer","format":"integer"},"rating":{"type":"number","format":"numeric(3,1)"},"tags":{"type":"array","items":{"type":"string","format":"text"},"default":"'{}'::text[]"},"details":{"format":"jsonb"}},"required":["id","title"],"description":"Films that were shown"}"#);
    insta::assert_snapshot!(document["paths"]["/rpc/add"].to_string(), @r#"{"post":{"tags":["(rpc) add"],"description":"","parameters":[{"name":"args","in":"body","required":true,"schema":{"type":"object","properties":{"a":{"type":"integer","format":"integer"},"b":{"type":"integer","format":"integer"}},"required":["a"]}}],"responses":{"200":{"description":"OK"}}},"get":{"tags":["(rpc) add"],"description":"","parameters":[{"name":"a","in":"query","type":"string","required":true,"format":"integer"},{"name":"b","in":"query","type":"string","required":false,"format":"integer"}],"responses":{"200":{"description":"OK"}}}}"#);
    assert!(document["paths"]["/films"]["patch"].is_object());
    assert!(document["paths"]["/secrets"].is_null());

    let html = api.ask(&get("/").accept("text/html")).await;
    assert_eq!(html.json()["code"], "PGRST107");
}
