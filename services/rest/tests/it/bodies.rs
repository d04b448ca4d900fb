use crate::api::{Api, get, patch, post, put};

const CSV: (&str, &str) = ("content-type", "text/csv");

#[tokio::test]
async fn rows_as_csv() {
    let api = Api::start().await;
    let csv = |path, body| post(path, body).with(CSV.0, CSV.1);
    let shown = api
        .show([
            csv(
                "/items?select=name,amount",
                "name,amount\na,1\r\n\"b, c\",2\n",
            )
            .prefer("return=representation"),
            csv(
                "/films?select=title,year,tags",
                "id,title,year,tags\n11,\"\",NULL,\"{x,y}\"\n12,\"NULL\",2000,{}\n",
            )
            .prefer("return=representation"),
            csv(
                "/items?columns=name,amount&select=name,amount",
                "name,junk\nd,1\ne,2\n",
            )
            .prefer("return=representation, missing=default"),
            csv(
                "/items?on_conflict=name&select=name,amount",
                "name,amount\na,10\nf,11\n",
            )
            .prefer("return=representation, resolution=merge-duplicates"),
            csv("/items", "name,amount\n").prefer("return=representation"),
            csv("/items", "name,amount\ng\n"),
            csv("/items", "name,amount\ng,1,2\n"),
            csv("/items", "name,nosuch\ng,1\n"),
            csv("/items", "name,amount\ng,many\n"),
            csv("/items", ""),
            patch("/items?name=eq.a&select=name,amount", "amount\n12\n")
                .with(CSV.0, CSV.1)
                .prefer("return=representation"),
            put("/items?id=eq.900", "id,name,amount\n900,put,1\n")
                .with(CSV.0, CSV.1)
                .prefer("return=representation"),
            csv("/rpc/add", "a,b\n1,2\n"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=name,amount
      content-type: text/csv
      prefer: return=representation
      name,amount
    a,1
    "b, c",2

    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":"a","amount":1},{"name":"b, c","amount":2}]

    POST /films?select=title,year,tags
      content-type: text/csv
      prefer: return=representation
      id,title,year,tags
    11,"",NULL,"{x,y}"
    12,"NULL",2000,{}

    = 201 | content-range: */* | preference-applied: return=representation
    [{"title":"","year":null,"tags":["x","y"]},{"title":"NULL","year":2000,"tags":[]}]

    POST /items?columns=name,amount&select=name,amount
      content-type: text/csv
      prefer: return=representation, missing=default
      name,junk
    d,1
    e,2

    = 201 | content-range: */* | preference-applied: missing=default, return=representation
    [{"name":"d","amount":5},{"name":"e","amount":5}]

    POST /items?on_conflict=name&select=name,amount
      content-type: text/csv
      prefer: return=representation, resolution=merge-duplicates
      name,amount
    a,10
    f,11

    = 201 | content-range: */* | preference-applied: resolution=merge-duplicates, return=representation
    [{"name":"a","amount":10},{"name":"f","amount":11}]

    POST /items
      content-type: text/csv
      prefer: return=representation
      name,amount

    = 201 | content-range: */* | preference-applied: return=representation
    []

    POST /items
      content-type: text/csv
      name,amount
    g

    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"All lines must have same number of fields"}

    POST /items
      content-type: text/csv
      name,amount
    g,1,2

    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"All lines must have same number of fields"}

    POST /items
      content-type: text/csv
      name,nosuch
    g,1

    = 400
    {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'nosuch' column of 'items' in the schema cache"}

    POST /items
      content-type: text/csv
      name,amount
    g,many

    = 400
    {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"many\""}

    POST /items
      content-type: text/csv
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty csv"}

    PATCH /items?name=eq.a&select=name,amount
      content-type: text/csv
      prefer: return=representation
      amount
    12

    = 200 | content-range: 0-0/* | preference-applied: return=representation
    [{"name":"a","amount":12}]

    PUT /items?id=eq.900
      content-type: text/csv
      prefer: return=representation
      id,name,amount
    900,put,1

    = 201 | preference-applied: return=representation
    [{"id":900,"name":"put","amount":1}]

    POST /rpc/add
      content-type: text/csv
      a,b
    1,2

    = 200 | content-range: 0-0/*
    3
    "#);
}

#[tokio::test]
async fn rows_as_json() {
    let api = Api::start().await;
    let shown = api
        .show([
            post("/items", "[]").prefer("return=representation"),
            post("/items?columns=name", "[]").prefer("return=representation"),
            post("/items", "3").prefer("return=representation"),
            post("/items?columns=name", "{").prefer("return=representation"),
            post("/items?columns=name", ""),
            post("/items?columns=nosuch", "{}"),
            post("/items", r#"[{"name": "a"}, 3]"#),
            post("/items", r#"[{"name": "a"}, {"name": "b", "amount": 1}]"#),
            patch("/items?name=eq.a", "[]").prefer("return=representation"),
            patch("/items?name=eq.a", ""),
            patch("/items?name=eq.a", "nothing"),
            put("/items?id=eq.1", "[]"),
            put(
                "/items?id=eq.1",
                r#"[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]"#,
            ),
            get("/items?select=name"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items
      prefer: return=representation
      []
    = 201 | content-range: */* | preference-applied: return=representation
    []

    POST /items?columns=name
      prefer: return=representation
      []
    = 201 | content-range: */* | preference-applied: return=representation
    []

    POST /items
      prefer: return=representation
      3
    = 201 | content-range: */* | preference-applied: return=representation
    []

    POST /items?columns=name
      prefer: return=representation
      {
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}

    POST /items?columns=name
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}

    POST /items?columns=nosuch
      {}
    = 400
    {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'nosuch' column of 'items' in the schema cache"}

    POST /items
      [{"name": "a"}, 3]
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"All object keys must match"}

    POST /items
      [{"name": "a"}, {"name": "b", "amount": 1}]
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"All object keys must match"}

    PATCH /items?name=eq.a
      prefer: return=representation
      []
    = 200 | content-range: */* | preference-applied: return=representation
    []

    PATCH /items?name=eq.a
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}

    PATCH /items?name=eq.a
      nothing
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}

    PUT /items?id=eq.1
      []
    = 400
    {"code":"PGRST115","details":null,"hint":null,"message":"Payload values do not match URL in primary key column(s)"}

    PUT /items?id=eq.1
      [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    = 204

    GET /items?select=name
    = 200 | content-range: 0-0/*
    [{"name":"a"}]
    "#);
}

#[tokio::test]
async fn rows_and_arguments_as_forms() {
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let api = Api::start().await;
    let form = |path, body| post(path, body).with(FORM.0, FORM.1);
    let shown = api
        .show([
            form("/items?select=name,amount", "name=J+Doe%20%26+Co&amount=3")
                .prefer("return=representation"),
            form("/items?select=name,amount", "").prefer("return=representation"),
            form("/items", "nosuch=1"),
            form("/rpc/add", "a=1&b=2"),
            form("/rpc/total", "nums=1&nums=2"),
            form("/rpc/add", "x=1"),
            patch("/items?name=like.J*&select=name,amount", "amount=4")
                .with(FORM.0, FORM.1)
                .prefer("return=representation"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=name,amount
      content-type: application/x-www-form-urlencoded
      prefer: return=representation
      name=J+Doe%20%26+Co&amount=3
    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":"J Doe & Co","amount":3}]

    POST /items?select=name,amount
      content-type: application/x-www-form-urlencoded
      prefer: return=representation
    = 201 | content-range: */* | preference-applied: return=representation
    [{"name":null,"amount":5}]

    POST /items
      content-type: application/x-www-form-urlencoded
      nosuch=1
    = 400
    {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'nosuch' column of 'items' in the schema cache"}

    POST /rpc/add
      content-type: application/x-www-form-urlencoded
      a=1&b=2
    = 200 | content-range: 0-0/*
    3

    POST /rpc/total
      content-type: application/x-www-form-urlencoded
      nums=1&nums=2
    = 200 | content-range: 0-0/*
    3

    POST /rpc/add
      content-type: application/x-www-form-urlencoded
      x=1
    = 404
    {"code":"PGRST202","details":"Searched for the function public.add with parameter x, but no matches were found in the schema cache.","hint":"Perhaps you meant to call the function public.add(a, b)","message":"Could not find the function public.add(x) in the schema cache"}

    PATCH /items?name=like.J*&select=name,amount
      content-type: application/x-www-form-urlencoded
      prefer: return=representation
      amount=4
    = 200 | content-range: 0-0/* | preference-applied: return=representation
    [{"name":"J Doe & Co","amount":4}]
    "#);
}

#[tokio::test]
async fn the_whole_body_as_one_argument() {
    let api = Api::start().await;
    api.db
        .execute(
            "create function root(xml) returns text language sql immutable as
                $$ select (xpath('name(/*)', $1))[1]::text $$;
             create function kind(json) returns text language sql immutable as
                $$ select json_typeof($1) $$;
             create function kind(jsonb, extra int) returns text language sql immutable as
                $$ select 'two' $$;
             create function named(doc text) returns text language sql immutable as
                $$ select doc $$;",
        )
        .await;
    api.until(
        |api| {
            api.service
                .post("/rpc/named")
                .bearer(api.db.service_token())
                .body(r#"{"doc": "d"}"#)
        },
        |response| response.status == 200,
    )
    .await;
    let typed = |path, body, content_type| post(path, body).with("content-type", content_type);
    let shown = api
        .show([
            typed("/rpc/root", "<page><x/></page>", "text/xml"),
            typed("/rpc/root", "<page>", "text/xml"),
            typed("/rpc/shout", "grüße", "text/plain; charset=utf-8"),
            typed("/rpc/kind", "[1, 2]", "application/json"),
            typed("/rpc/kind", "3", "application/json"),
            typed(
                "/rpc/kind",
                r#"[{"a": 1}, {"b": 2}]"#,
                "application/json; charset=utf-8",
            ),
            typed("/rpc/kind", "{", "application/json"),
            typed("/rpc/named", "d", "text/plain"),
            typed("/rpc/shout", "quiet", "application/octet-stream"),
            typed("/rpc/shout", "quiet", "text/html"),
            typed("/items", "quiet", "text/plain"),
            typed("/items", "quiet", "application/octet-stream"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /rpc/root
      content-type: text/xml
      <page><x/></page>
    = 200 | content-range: 0-0/*
    "page"

    POST /rpc/root
      content-type: text/xml
      <page>
    = 400
    {"code":"2200N","details":"line 1: Premature end of data in tag page line 1\n<page>\n      ^","hint":null,"message":"invalid XML content"}

    POST /rpc/shout
      content-type: text/plain; charset=utf-8
      grüße
    = 200 | content-range: 0-0/*
    "GRÜßE"

    POST /rpc/kind
      content-type: application/json
      [1, 2]
    = 200 | content-range: 0-0/*
    "array"

    POST /rpc/kind
      content-type: application/json
      3
    = 200 | content-range: 0-0/*
    "number"

    POST /rpc/kind
      content-type: application/json; charset=utf-8
      [{"a": 1}, {"b": 2}]
    = 200 | content-range: 0-0/*
    "array"

    POST /rpc/kind
      content-type: application/json
      {
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}

    POST /rpc/named
      content-type: text/plain
      d
    = 404
    {"code":"PGRST202","details":"Searched for the function public.named with a single unnamed text parameter, but no matches were found in the schema cache.","hint":"Perhaps you meant to call the function public.named(doc)","message":"Could not find the function public.named in the schema cache"}

    POST /rpc/shout
      content-type: application/octet-stream
      quiet
    = 404
    {"code":"PGRST202","details":"Searched for the function public.shout with a single unnamed bytea parameter, but no matches were found in the schema cache.","hint":"Perhaps you meant to call the function public.shout()","message":"Could not find the function public.shout in the schema cache"}

    POST /rpc/shout
      content-type: text/html
      quiet
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Content-Type not acceptable: text/html"}

    POST /items
      content-type: text/plain
      quiet
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Content-Type not acceptable: text/plain"}

    POST /items
      content-type: application/octet-stream
      quiet
    = 400
    {"code":"PGRST102","details":null,"hint":null,"message":"Content-Type not acceptable: application/octet-stream"}
    "#);
    let raw = |path, content_type, body: &[u8]| {
        let request = api.service.post(path).bearer(api.db.service_token());
        request
            .header("content-type", content_type)
            .body(body.to_vec())
    };
    let bytes = raw("/rpc/size_of", "application/octet-stream", b"\x01\x00\xff").await;
    assert_eq!(bytes.text(), "3");
    for broken in [&b"\xff\xfe"[..], b"\x00"] {
        let response = raw("/rpc/shout", "text/plain", broken).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.json()["code"], "PGRST102");
    }
}
