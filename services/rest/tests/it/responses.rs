//! What SQL says of the answer: settings, raised errors, the settings of roles and functions.

use serde_json::json;

use crate::api::{Api, delete, get, patch, post};

const FUNCTIONS: &str = r#"
    create function answer(headers text, status text) returns text language sql as $$
        select set_config('response.headers', headers, true);
        select set_config('response.status', status, true);
        select 'answered';
    $$;
    create function lasting() returns text language sql as $$
        select set_config('response.headers', '[{"X-Lasting": "yes"}]', false) $$;
    create function raising(message text, detail text) returns void language plpgsql as $$
    begin
        if detail is null then
            raise sqlstate 'PGRST' using message = message;
        end if;
        raise sqlstate 'PGRST' using message = message, detail = detail;
    end $$;
    create function isolation() returns text language sql stable as
        $$ select current_setting('transaction_isolation') $$;
    create function serial() returns text language sql stable
        set default_transaction_isolation = 'serializable' as
        $$ select current_setting('transaction_isolation') $$;
    create function touch_all() returns setof events language sql as
        $$ update events set label = 'touched' returning * $$;
    create function touch_one() returns int language sql as
        $$ update events set label = 'touched' where id = 1 returning id $$;
    alter role authenticated set default_transaction_isolation = 'repeatable read';
"#;

async fn api() -> Api {
    let api = Api::start().await;
    api.db.execute(FUNCTIONS).await;
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/rpc/isolation").bearer(token),
        |response| response.status == 200,
    )
    .await;
    api
}

#[tokio::test]
async fn headers_and_status_that_sql_sets() {
    let api = api().await;
    let shown = api
        .show([
            post("/rpc/answer", r#"{"headers": "[]", "status": "201"}"#),
            post(
                "/rpc/answer",
                r#"{"headers": "{\"a\": \"b\"}", "status": ""}"#,
            ),
            post(
                "/rpc/answer",
                r#"{"headers": "[{\"a\": \"b\", \"c\": \"d\"}]", "status": ""}"#,
            ),
            post("/rpc/answer", r#"{"headers": "", "status": "much"}"#),
            post("/rpc/answer", r#"{"headers": "", "status": "1000"}"#),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /rpc/answer
      {"headers": "[]", "status": "201"}
    = 201 | content-range: 0-0/*
    "answered"

    POST /rpc/answer
      {"headers": "{\"a\": \"b\"}", "status": ""}
    = 500
    {"code":"PGRST111","details":null,"hint":null,"message":"response.headers guc must be a JSON array composed of objects with a single key and a string value"}

    POST /rpc/answer
      {"headers": "[{\"a\": \"b\", \"c\": \"d\"}]", "status": ""}
    = 500
    {"code":"PGRST111","details":null,"hint":null,"message":"response.headers guc must be a JSON array composed of objects with a single key and a string value"}

    POST /rpc/answer
      {"headers": "", "status": "much"}
    = 500
    {"code":"PGRST112","details":null,"hint":null,"message":"response.status guc must be a valid status code"}

    POST /rpc/answer
      {"headers": "", "status": "1000"}
    = 500
    {"code":"PGRST112","details":null,"hint":null,"message":"response.status guc must be a valid status code"}
    "#);
    let own = r#"{"headers": "[{\"Content-Type\": \"text/odd\"}, {\"Set-Cookie\": \"a=1\"}, {\"Set-Cookie\": \"b=2\"}]", "status": ""}"#;
    let response = api.ask(&post("/rpc/answer", own)).await;
    assert_eq!(response.header("content-type"), Some("text/odd"));
    assert_eq!(response.headers.get_all("set-cookie").iter().count(), 2);
}

#[tokio::test]
async fn what_one_request_sets_is_not_the_next_ones() {
    let api = Api::with(|settings| settings.with("PGRST_DB_POOL", "1")).await;
    api.db.execute(FUNCTIONS).await;
    let lasting = api
        .until(
            |api| {
                api.service
                    .post("/rpc/lasting")
                    .bearer(api.db.service_token())
            },
            |response| response.status == 200,
        )
        .await;
    assert_eq!(lasting.header("x-lasting"), Some("yes"));
    let next = api.ask(&get("/films?limit=1")).await;
    assert_eq!(next.header("x-lasting"), None);
}

#[tokio::test]
async fn whole_answers_that_sql_raises() {
    const MESSAGE: &str = r#"{\"code\": \"123\", \"message\": \"Payment\", \"hint\": \"Pay\"}"#;
    let api = api().await;
    let raise = |message: &str, detail: &str| {
        let body = format!(r#"{{"message": "{message}", "detail": {detail}}}"#);
        let request = api.service.post("/rpc/raising");
        request
            .bearer(api.db.service_token())
            .header("content-type", "application/json")
            .body(body)
    };
    let page = r#""{\"status\": 419, \"status_text\": \"Page Expired\", \"headers\": {\"X-Powered-By\": \"Nerd Rage\", \"Content-Type\": \"text/odd\"}}""#;
    let raised = raise(MESSAGE, page).await;
    assert_eq!(raised.status, 419);
    assert_eq!(raised.header("x-powered-by"), Some("Nerd Rage"));
    assert_eq!(raised.header("content-type"), Some("text/odd"));
    assert_eq!(raised.header("proxy-status"), Some("PostgREST; error=123"));
    let expected = json!({"code": "123", "message": "Payment", "details": null, "hint": "Pay"});
    assert_eq!(raised.json(), expected);
    for (message, detail, details) in [
        ("no json", page, "Invalid JSON value for MESSAGE: 'no json'"),
        (
            r#"{\"code\": \"1\"}"#,
            page,
            r#"Invalid JSON value for MESSAGE: '{"code": "1"}'"#,
        ),
        (MESSAGE, "null", "DETAIL is missing in the RAISE statement"),
        (
            MESSAGE,
            "\"no json\"",
            "Invalid JSON value for DETAIL: 'no json'",
        ),
        (
            MESSAGE,
            r#""{\"status\": 402}""#,
            r#"Invalid JSON value for DETAIL: '{"status": 402}'"#,
        ),
    ] {
        let response = raise(message, detail).await;
        assert_eq!(response.status, 500);
        let error = response.json();
        assert_eq!(error["code"], "PGRST121");
        assert_eq!(error["details"], details);
        assert_eq!(
            error["message"],
            "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
        );
    }
}

#[tokio::test]
async fn roles_and_functions_choose_the_isolation() {
    let api = api().await;
    let asked = api.ask(&get("/rpc/isolation")).await;
    assert_eq!(asked.text(), "\"read committed\"");
    let asked = api.ask(&get("/rpc/serial")).await;
    assert_eq!(asked.text(), "\"serializable\"");
    let token = api
        .db
        .user_token(uuid::Uuid::from_u128(1), "one@example.com");
    let api = api.acting_as(&token);
    let asked = api.ask(&get("/rpc/isolation")).await;
    assert_eq!(asked.text(), "\"repeatable read\"");
    let asked = api.ask(&post("/rpc/serial", "{}")).await;
    assert_eq!(asked.text(), "\"serializable\"");
}

#[tokio::test]
async fn how_many_rows_a_request_may_touch() {
    let api = api().await;
    let shown = api
        .show([
            post("/rpc/touch_all", "{}").prefer("handling=strict, max-affected=2"),
            post("/rpc/touch_one", "{}").prefer("handling=strict, max-affected=2"),
            post("/rpc/touch_one", "{}").prefer("handling=lenient, max-affected=2"),
            post("/rpc/touch_all?select=id&order=id", "{}")
                .prefer("handling=strict, max-affected=3"),
            patch("/events?id=gt.0", r#"{"label": "x"}"#).prefer("handling=strict, max-affected=0"),
            delete("/events").prefer("handling=strict, max-affected=3, tx=rollback"),
            delete("/events").prefer("handling=strict, max-affected=many"),
            post("/items", r#"[{"name": "a"}, {"name": "b"}]"#)
                .prefer("handling=strict, max-affected=1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /rpc/touch_all
      prefer: handling=strict, max-affected=2
      {}
    = 400
    {"code":"PGRST124","details":"The query affects 3 rows","hint":null,"message":"Query result exceeds max-affected preference constraint"}

    POST /rpc/touch_one
      prefer: handling=strict, max-affected=2
      {}
    = 400
    {"code":"PGRST128","details":null,"hint":null,"message":"Function must return SETOF or TABLE when max-affected preference is used with handling=strict"}

    POST /rpc/touch_one
      prefer: handling=lenient, max-affected=2
      {}
    = 200 | content-range: 0-0/* | preference-applied: handling=lenient
    1

    POST /rpc/touch_all?select=id&order=id
      prefer: handling=strict, max-affected=3
      {}
    = 200 | content-range: 0-2/* | preference-applied: handling=strict, max-affected=3
    [{"id":1},{"id":2},{"id":3}]

    PATCH /events?id=gt.0
      prefer: handling=strict, max-affected=0
      {"label": "x"}
    = 400
    {"code":"PGRST124","details":"The query affects 3 rows","hint":null,"message":"Query result exceeds max-affected preference constraint"}

    DELETE /events
      prefer: handling=strict, max-affected=3, tx=rollback
    = 204 | content-range: */* | preference-applied: tx=rollback, handling=strict, max-affected=3

    DELETE /events
      prefer: handling=strict, max-affected=many
    = 400
    {"code":"PGRST122","details":"Invalid preferences: max-affected=many","hint":null,"message":"Invalid preferences given with handling=strict"}

    POST /items
      prefer: handling=strict, max-affected=1
      [{"name": "a"}, {"name": "b"}]
    = 201 | content-range: */* | preference-applied: handling=strict
    "#);
}

#[tokio::test]
async fn a_role_that_is_not_there_or_not_ours_is_refused() {
    let api = api().await;
    let expires = 4_000_000_000_u64;
    for (role, status) in [
        ("nosuch", 401),
        ("postgres", 403),
        ("supabase_auth_admin", 403),
    ] {
        let token = api.db.token(&json!({"role": role, "exp": expires}));
        let response = api.service.get("/films").bearer(&token).await;
        assert_eq!(
            response.status.as_u16(),
            status,
            "{role}: {}",
            response.text()
        );
    }
}
