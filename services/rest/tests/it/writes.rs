use crate::api::{Api, delete, get, patch, post, put};

#[tokio::test]
async fn inserts() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/items", r#"{"name": "a", "amount": 1}"#),
            post("/items", r#"{"name": "b"}"#).prefer("return=headers-only"),
            post("/items", r#"{"name": "c"}"#).prefer("return=representation"),
            post("/items?select=name", r#"[{"name": "d"}, {"name": "e"}]"#)
                .prefer("return=representation, count=exact"),
            post(
                "/items?columns=name",
                r#"[{"name": "f", "junk": 1}, {"name": "g"}]"#,
            )
            .prefer("return=representation"),
            post(
                "/items?columns=name,amount",
                r#"[{"name": "h"}, {"name": "i", "amount": 7}]"#,
            )
            .prefer("return=representation, missing=default"),
            post("/events?select=label", "{}").prefer("return=representation"),
            post("/events?select=label", "[{}, {}]").prefer("return=representation"),
            post("/items", "[]").prefer("return=representation"),
            post("/items", r#"[{"name": "j"}, {"amount": 1}]"#),
            post("/items", r#"{"nosuch": 1}"#),
            post("/items", r#"{"name": "#),
            post("/items", r#"{"name": "a"}"#),
            post("/items", r#"{"name": "k", "amount": -1}"#),
            post("/items", r#"{"name": "l", "amount": "many"}"#),
            post("/items", "name=m&amount=3")
                .with("content-type", "application/x-www-form-urlencoded")
                .prefer("return=representation"),
            post("/items", "<x/>").with("content-type", "text/xml"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items
      {"name": "a", "amount": 1}
    = 201 | content-range: */*

    POST /items
      prefer: return=headers-only
      {"name": "b"}
    = 201 | content-range: */* | location: /items?id=eq.2 | preference-applied: return=headers-only

    POST /items
      prefer: return=representation
      {"name": "c"}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"id":3,"name":"c","amount":5}]

    POST /items?select=name
      prefer: return=representation, count=exact
      [{"name": "d"}, {"name": "e"}]
    = 201 | content-range: */2 | preference-applied: return=representation, count=exact
    [{"name":"d"},{"name":"e"}]

    POST /items?columns=name
      prefer: return=representation
      [{"name": "f", "junk": 1}, {"name": "g"}]
    = 201 | content-range: */* | preference-applied: return=representation
    [{"id":6,"name":"f","amount":5},{"id":7,"name":"g","amount":5}]

    POST /items?columns=name,amount
      prefer: return=representation, missing=default
      [{"name": "h"}, {"name": "i", "amount": 7}]
    = 201 | content-range: */* | preference-applied: missing=default, return=representation
    [{"id":8,"name":"h","amount":5},{"id":9,"name":"i","amount":7}]

    POST /events?select=label
      prefer: return=representation
      {}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"label":"untitled"}]

    POST /events?select=label
      prefer: return=representation
      [{}, {}]
    = 201 | content-range: */* | preference-applied: return=representation
    [{"label":"untitled"},{"label":"untitled"}]

    POST /items
      prefer: return=representation
      []
    = 201 | content-range: */* | preference-applied: return=representation
    []

    POST /items
      [{"name": "j"}, {"amount": 1}]
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"All object keys must match"}

    POST /items
      {"nosuch": 1}
    = 400
    {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'nosuch' column of 'items' in the schema cache"}

    POST /items
      {"name": 
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}

    POST /items
      {"name": "a"}
    = 409
    {"code":"23505","details":"Key (name)=(a) already exists.","hint":null,"message":"duplicate key value violates unique constraint \"items_name_key\""}

    POST /items
      {"name": "k", "amount": -1}
    = 400
    {"code":"23514","details":"Failing row contains (11, k, -1).","hint":null,"message":"new row for relation \"items\" violates check constraint \"items_amount_check\""}

    POST /items
      {"name": "l", "amount": "many"}
    = 400
    {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"many\""}

    POST /items
      content-type: application/x-www-form-urlencoded
      prefer: return=representation
      name=m&amount=3
    = 201 | content-range: */* | preference-applied: return=representation
    [{"id":12,"name":"m","amount":3}]

    POST /items
      content-type: text/xml
      <x/>
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Content-Type not acceptable: text/xml"}
    "#);
}

#[tokio::test]
async fn upserts() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/items", r#"{"id": 100, "name": "a", "amount": 1}"#)
                .prefer("resolution=merge-duplicates, return=representation"),
            post("/items", r#"{"id": 100, "name": "b", "amount": 2}"#)
                .prefer("resolution=merge-duplicates, return=representation"),
            post(
                "/items",
                r#"[{"id": 100, "name": "x"}, {"id": 101, "name": "c"}]"#,
            )
            .prefer("resolution=ignore-duplicates, return=representation"),
            post("/items?on_conflict=name", r#"{"name": "c", "amount": 9}"#)
                .prefer("resolution=merge-duplicates, return=representation"),
            put(
                "/items?id=eq.200",
                r#"{"id": 200, "name": "p", "amount": 1}"#,
            )
            .prefer("return=representation"),
            put(
                "/items?id=eq.200",
                r#"{"id": 200, "name": "q", "amount": 1}"#,
            )
            .prefer("return=representation"),
            put(
                "/items?id=eq.200",
                r#"{"id": 200, "name": "r", "amount": 1}"#,
            ),
            put("/items?id=eq.200", r#"{"id": 201, "name": "s"}"#),
            put("/items?name=eq.r", r#"{"id": 200, "name": "s"}"#),
            put("/items?id=gt.200", r#"{"id": 200, "name": "s"}"#),
            put("/items?id=eq.200&limit=1", r#"{"id": 200, "name": "s"}"#),
            get("/items?order=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items
      prefer: resolution=merge-duplicates, return=representation
      {"id": 100, "name": "a", "amount": 1}
    = 201 | content-range: */* | preference-applied: resolution=merge-duplicates, return=representation
    [{"id":100,"name":"a","amount":1}]

    POST /items
      prefer: resolution=merge-duplicates, return=representation
      {"id": 100, "name": "b", "amount": 2}
    = 200 | content-range: */* | preference-applied: resolution=merge-duplicates, return=representation
    [{"id":100,"name":"b","amount":2}]

    POST /items
      prefer: resolution=ignore-duplicates, return=representation
      [{"id": 100, "name": "x"}, {"id": 101, "name": "c"}]
    = 201 | content-range: */* | preference-applied: resolution=ignore-duplicates, return=representation
    [{"id":101,"name":"c","amount":5}]

    POST /items?on_conflict=name
      prefer: resolution=merge-duplicates, return=representation
      {"name": "c", "amount": 9}
    = 200 | content-range: */* | preference-applied: resolution=merge-duplicates, return=representation
    [{"id":101,"name":"c","amount":9}]

    PUT /items?id=eq.200
      prefer: return=representation
      {"id": 200, "name": "p", "amount": 1}
    = 201 | preference-applied: return=representation
    [{"id":200,"name":"p","amount":1}]

    PUT /items?id=eq.200
      prefer: return=representation
      {"id": 200, "name": "q", "amount": 1}
    = 200 | preference-applied: return=representation
    [{"id":200,"name":"q","amount":1}]

    PUT /items?id=eq.200
      {"id": 200, "name": "r", "amount": 1}
    = 204

    PUT /items?id=eq.200
      {"id": 201, "name": "s"}
    = 400
    {"code":"PGRST115","details":null,"hint":null,"message":"Payload values do not match URL in primary key column(s)"}

    PUT /items?name=eq.r
      {"id": 200, "name": "s"}
    = 405
    {"code":"PGRST105","details":null,"hint":null,"message":"Filters must include all and only primary key columns with 'eq' operators"}

    PUT /items?id=gt.200
      {"id": 200, "name": "s"}
    = 405
    {"code":"PGRST105","details":null,"hint":null,"message":"Filters must include all and only primary key columns with 'eq' operators"}

    PUT /items?id=eq.200&limit=1
      {"id": 200, "name": "s"}
    = 400
    {"code":"PGRST114","details":null,"hint":null,"message":"limit/offset querystring parameters are not allowed for PUT"}

    GET /items?order=id
    = 200 | content-range: 0-2/*
    [{"id":100,"name":"b","amount":2},{"id":101,"name":"c","amount":9},{"id":200,"name":"r","amount":1}]
    "#);
}

#[tokio::test]
async fn updates_and_deletes() {
    let api = Api::start().await;
    let shown = api
        .show([
            patch("/events?id=eq.1", r#"{"label": "renamed"}"#),
            patch("/events?id=gt.1&select=id,label", r#"{"label": "many"}"#)
                .prefer("return=representation, count=exact"),
            patch("/events?id=eq.99&select=id", r#"{"label": "none"}"#)
                .prefer("return=representation"),
            patch("/events?id=eq.1&select=id,label", "{}").prefer("return=representation"),
            patch(
                "/events?or=(id.eq.1,id.eq.2)&select=id",
                r#"{"done": null}"#,
            )
            .prefer("return=representation"),
            delete("/events?id=eq.1"),
            delete("/events?id=eq.2&select=id,label").prefer("return=representation, count=exact"),
            delete("/events?id=eq.2").prefer("return=representation"),
            delete("/directors?id=eq.1"),
            get("/events?select=id,label"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    PATCH /events?id=eq.1
      {"label": "renamed"}
    = 204 | content-range: 0-0/*

    PATCH /events?id=gt.1&select=id,label
      prefer: return=representation, count=exact
      {"label": "many"}
    = 200 | content-range: 0-1/2 | preference-applied: return=representation, count=exact
    [{"id":2,"label":"many"},{"id":3,"label":"many"}]

    PATCH /events?id=eq.99&select=id
      prefer: return=representation
      {"label": "none"}
    = 200 | content-range: */* | preference-applied: return=representation
    []

    PATCH /events?id=eq.1&select=id,label
      prefer: return=representation
      {}
    = 200 | content-range: */* | preference-applied: return=representation
    []

    PATCH /events?or=(id.eq.1,id.eq.2)&select=id
      prefer: return=representation
      {"done": null}
    = 200 | content-range: 0-1/* | preference-applied: return=representation
    [{"id":1},{"id":2}]

    DELETE /events?id=eq.1
    = 204 | content-range: */*

    DELETE /events?id=eq.2&select=id,label
      prefer: return=representation, count=exact
    = 200 | content-range: */1 | preference-applied: return=representation, count=exact
    [{"id":2,"label":"many"}]

    DELETE /events?id=eq.2
      prefer: return=representation
    = 200 | content-range: */* | preference-applied: return=representation
    []

    DELETE /directors?id=eq.1
    = 409
    {"code":"23503","details":"Key (id)=(1) is still referenced from table \"films\".","hint":null,"message":"update or delete on table \"directors\" violates foreign key constraint \"films_director_fkey\" on table \"films\""}

    GET /events?select=id,label
    = 200 | content-range: 0-0/*
    [{"id":3,"label":"many"}]
    "#);
}

#[tokio::test]
async fn views_that_postgres_can_trace_are_written_through() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/cheap_items?select=name", r#"{"name": "thin"}"#).prefer("return=representation"),
            get("/cheap_items?select=name"),
            delete("/cheap_items?name=eq.thin"),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /cheap_items?select=name
      prefer: return=representation
      {"name": "thin"}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":"thin"}]

    GET /cheap_items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"thin"}]

    DELETE /cheap_items?name=eq.thin
    = 204 | content-range: */*

    GET /items?select=name
    = 200 | content-range: */*
    []
    "#);
}
