//! Pages after a row: `after=`.

use http::Method;
use testkit::TestResponse;

use crate::api::{Api, get, patch};

/// Rows with nulls, equal values, and a column called `after`.
const TABLE: &str = "
    create table entries (
        a int, b text, id int, part int not null default 0, at timestamptz, \"after\" text,
        data jsonb, note text, primary key (part, id));
    insert into entries (id, a, b, at, \"after\", data)
    select i, nullif(i % 4, 0), case when i % 3 > 0 then 'b' || i % 3 end,
           '2024-01-01 00:00:00Z'::timestamptz + i * interval '1 hour',
           'x', json_build_object('n', i % 5)
      from generate_series(1, 23) i;
    insert into entries (id, part) values (1, 1), (2, 1);
    create table plain (n int);
    create view seen as select a from entries";

async fn entries() -> Api {
    let api = Api::start().await;
    api.db.execute(TABLE).await;
    api.until(
        |api| api.service.get("/seen").bearer(api.db.service_token()),
        |seen| seen.status == 200,
    )
    .await;
    api
}

async fn ask(api: &Api, path: &str) -> TestResponse {
    let path = path.replace('>', "%3E").replace(' ', "%20");
    let request = api.service.request(Method::GET, &path);
    request.bearer(api.db.service_token()).await
}

fn rows(response: &TestResponse) -> Vec<serde_json::Value> {
    response.json().as_array().cloned().unwrap_or_default()
}

/// Every row, page by page, following the links.
async fn follow(api: &Api, query: &str) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    let mut query = format!("?{query}&after=");
    for _ in 0..40 {
        let page = ask(api, &format!("/entries{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        found.extend(rows(&page));
        let Some(link) = page.header("link") else {
            assert_eq!(page.header("x-next-cursor"), None);
            return found;
        };
        let next = link.strip_prefix('<').and_then(|link| link.split_once('>'));
        let (next, relation) = next.unwrap_or_default();
        assert_eq!(relation, "; rel=\"next\"");
        let cursor = page.header("x-next-cursor").unwrap_or_default();
        assert!(next.ends_with(&format!("&after={cursor}")), "{next}");
        next.clone_into(&mut query);
    }
    found
}

#[tokio::test]
async fn pages_are_the_whole_in_any_order() {
    let api = entries().await;
    for order in [
        "",
        "a",
        "a.desc",
        "a.nullsfirst",
        "a.desc.nullslast",
        "a.desc,b.asc,id.desc",
        "b.nullsfirst,a.desc",
        "part.desc,id.desc",
        "at.desc",
        "id",
        "data->n.desc,id",
        "data->>n,a",
    ] {
        let total = if order.is_empty() { "part,id" } else { order };
        let descends = total.split(',').all(|term| term.contains("desc"));
        let tie = if descends {
            "part.desc,id.desc"
        } else {
            "part,id"
        };
        let plain = format!("/entries?select=part,id,a&order={total},{tie}");
        let whole = rows(&ask(&api, &plain).await);
        assert_eq!(whole.len(), 25, "{order}");
        for limit in [1, 4, 5, 25, 30] {
            let order = match order {
                "" => String::new(),
                order => format!("&order={order}"),
            };
            let paged = follow(&api, &format!("select=part,id,a&limit={limit}{order}")).await;
            assert_eq!(paged, whole, "{order} by {limit}");
        }
    }
}

#[tokio::test]
async fn pages_keep_their_filters_embeds_and_forms() {
    let api = entries().await;
    let found = follow(
        &api,
        "select=id&id=lt.9&or=(a.eq.1,a.is.null)&after=eq.x&limit=2",
    )
    .await;
    let ids: Vec<_> = found.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids, ["1", "4", "5", "8"]);

    let films = "/films?select=title,directors(first_name),...technical_specs(runtime),roles(character)&order=year.desc&limit=2&after=";
    let first = ask(&api, films).await;
    assert_eq!(first.header("content-range"), Some("*/*"));
    let plain = ask(&api, &films.replace("&after=", "")).await;
    assert_eq!(first.text(), plain.text());
    let cursor = first.header("x-next-cursor").unwrap_or_default();
    let second = api.service.get(&format!("{films}{cursor}"));
    let second = second
        .bearer(api.db.service_token())
        .header("prefer", "count=exact")
        .header("accept", "application/vnd.pgrst.array+json;nulls=stripped")
        .await;
    assert_eq!(second.status, 206);
    assert_eq!(second.header("content-range"), Some("*/4"));
    insta::assert_snapshot!(second.text(), @r#"
    [{"title":"Southern","directors":{"first_name":"Ada"},"roles":[{"character":"Judge"}]},{"title":"Northern","directors":{"first_name":"Ada"},"runtime":"2:00","roles":[{"character":"Hunter"},{"character":"Widow"}]}]
    "#);
}

#[tokio::test]
async fn rows_that_come_and_go_shift_no_page() {
    let api = entries().await;
    let first = ask(&api, "/entries?select=id&part=eq.0&limit=5&after=").await;
    api.db
        .execute("delete from entries where id < 5; insert into entries (id) values (-1), (0)")
        .await;
    let cursor = first.header("x-next-cursor").unwrap_or_default();
    let path = format!("/entries?select=id&part=eq.0&limit=2&after={cursor}");
    assert_eq!(ask(&api, &path).await.text(), "[{\"id\":6}, \n {\"id\":7}]");
}

#[tokio::test]
async fn a_cursor_is_of_one_table_and_order() {
    let api = entries().await;
    let first = ask(&api, "/entries?order=a&limit=5&after=").await;
    let cursor = first.header("x-next-cursor").unwrap_or_default().to_owned();
    let bent = format!("B{}", cursor.get(1..).unwrap_or_default());
    for (path, code) in [
        (
            format!("/entries?order=a.desc&limit=5&after={cursor}"),
            "SDB201",
        ),
        (
            format!("/entries?order=a.nullsfirst&limit=5&after={cursor}"),
            "SDB201",
        ),
        (format!("/films?limit=5&after={cursor}"), "SDB201"),
        (format!("/entries?order=a&limit=5&after={bent}"), "SDB200"),
        ("/entries?limit=5&after=abc".to_owned(), "SDB200"),
        (format!("/entries?after={}", "A".repeat(6000)), "SDB200"),
        ("/plain?after=".to_owned(), "SDB202"),
        ("/seen?after=".to_owned(), "SDB202"),
        ("/entries?after=&offset=3".to_owned(), "SDB203"),
        (
            "/films?after=&order=directors(id)&select=id,directors(id)".to_owned(),
            "SDB203",
        ),
        ("/entries?after=a b".to_owned(), "PGRST100"),
    ] {
        let refused = ask(&api, &path).await;
        assert_eq!(refused.status, 400, "{path}");
        assert_eq!(refused.json()["code"], code, "{path}: {}", refused.text());
    }
    let shown = api
        .show([
            get("/entries?after=&limit=1").accept("text/csv"),
            patch("/entries?after=", "{\"a\": 1}"),
            get("/entries?select=id&after=eq.y"),
            get("/entries?select=id&after=like.x*&limit=1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /entries?after=&limit=1
      accept: text/csv
    = 400
    {"code":"SDB203","details":null,"hint":null,"message":"`after` cannot be combined with this media type"}

    PATCH /entries?after=
      {"a": 1}
    = 400
    {"code":"SDB205","details":null,"hint":null,"message":"`after` is for reads of tables and views"}

    GET /entries?select=id&after=eq.y
    = 200 | content-range: */*
    []

    GET /entries?select=id&after=like.x*&limit=1
    = 200 | content-range: 0-0/*
    [{"id":1}]
    "#);
}

#[tokio::test]
async fn values_too_long_for_a_header_are_refused() {
    let api = entries().await;
    api.db
        .execute("update entries set note = repeat('n', 5000)")
        .await;
    let refused = ask(&api, "/entries?order=note&limit=1&after=").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (400, &"SDB204".into())
    );
    assert_eq!(ask(&api, "/entries?order=note&after=").await.status, 200);
}
