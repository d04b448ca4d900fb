//! Media types that the database makes itself.

use std::fmt::Write as _;

use crate::api::{Api, get, post};

/// The documentation's own example, without `PostGIS`: lines as text instead of TWKB.
const LINES: &str = r#"
    create table lines (id int primary key, name text, geom path);
    insert into lines values (1, 'line-1', '[(1,1),(5,5)]'), (2, 'line-2', '[(2,2),(6,6)]');
    create domain "application/vnd.wkb" as bytea;
    create function get_line(id int) returns "application/vnd.wkb" language sql stable as
        $$ select convert_to(geom::text, 'UTF8') from lines where lines.id = get_line.id $$;
    create function wkb_transition(state bytea, next lines)
        returns "application/vnd.wkb" language sql as
        $$ select state || convert_to(next.geom::text || ';', 'UTF8') $$;
    create aggregate wkb_agg (lines) (
        initcond = '', stype = "application/vnd.wkb", sfunc = wkb_transition);
    create function get_lines() returns setof lines language sql stable as
        $$ select * from lines order by id $$;

    create domain "text/csv" as text;
    create function bom_transition(state text, next lines) returns "text/csv" language sql as
        $$ select state || next.id || ',' || next.name || E'\n' $$;
    create function bom_final(data "text/csv") returns "text/csv" language sql as $$
        select set_config('response.headers',
            '[{"Content-Disposition": "attachment; filename=\"lines.csv\""}]', true);
        select E'\ufeff' || E'id,name\n' || data;
    $$;
    create aggregate bom_agg (lines) (
        initcond = '', stype = "text/csv", sfunc = bom_transition, finalfunc = bom_final);

    create domain "text/tab-separated-values" as text;
    create function tsv_transition(state text, next films)
        returns "text/tab-separated-values" language sql as
        $$ select state || next.id || E'\t' || next.title || E'\n' $$;
    create aggregate tsv_agg (films) (
        initcond = '', stype = "text/tab-separated-values", sfunc = tsv_transition);

    create domain "pg/outfunc" as text;
    create function outfunc_transition(state text, next anyelement)
        returns "pg/outfunc" language sql as $$ select state || next::text || E'\n' $$;
    create aggregate outfunc_agg (anyelement) (
        initcond = '', stype = "pg/outfunc", sfunc = outfunc_transition);
"#;

/// A view that is always XML, and functions that say themselves what they are.
const ANYTHING: &str = r#"
    create domain "*/*" as pg_catalog.xml;
    create view "lines.xml" as select * from lines;
    create function xml_transition(state "*/*", next "lines.xml") returns "*/*" language sql as
        $$ select xmlconcat(state, xmlelement(name line, xmlattributes(next.id as id))) $$;
    create function xml_final(data "*/*") returns "*/*" language plpgsql as $$
    declare
        accepted text := current_setting('request.headers', true)::json ->> 'accept';
    begin
        if accepted = '*/*' then
            perform set_config('response.headers', '[{"Content-Type": "text/xml"}]', true);
        elsif accepted not in ('application/xml', 'text/xml') then
            raise sqlstate 'PT415' using message = 'Unsupported Media Type';
        end if;
        return data;
    end $$;
    create aggregate xml_agg (
        "lines.xml") (stype = "*/*", sfunc = xml_transition, finalfunc = xml_final);
    create function any_media() returns "*/*" language sql as $$ select '<any/>'::xml $$;

    create domain "text/html" as text;
    create function welcome() returns "text/html" language sql as $$ select '<h1>Hi</h1>' $$;
    create function nothing(id int) returns "text/html" language sql as
        $$ select 'x' where id = 1 $$;
    create domain "text/plain" as text;
    create function plain() returns "text/plain" language sql as $$ select 'plain' $$;
    create function plain_twice() returns setof "text/plain" language sql as
        $$ values ('one'::"text/plain"), ('two') $$;
    create domain "image/png" as bytea;
    create function image() returns "image/png" language sql as $$ select '\x89504e47'::bytea $$;
    create function page() returns xml language sql as $$ select '<page/>'::xml $$;
    create function bytes() returns bytea language sql as $$ select '\x00ff10'::bytea $$;
    create domain "application/json" as json;
    create table overridden (id int);
    create function overridden_transition(state "application/json", next overridden)
        returns "application/json" language sql as $$ select '{"overridden": true}'::json $$;
    create aggregate overridden_agg (overridden) (
        initcond = '{}', stype = "application/json", sfunc = overridden_transition);
    insert into overridden values (1);
"#;

async fn api() -> Api {
    let api = Api::start().await;
    api.db.execute(LINES).await;
    api.db.execute(ANYTHING).await;
    let token = api.db.service_token();
    api.until(
        |api| {
            let request = api.service.get("/overridden").bearer(token);
            request.header("accept", "application/json")
        },
        |response| response.status == 200 && response.text().contains("overridden"),
    )
    .await;
    api
}

/// The content type and the body, or the error.
async fn table<const N: usize>(api: &Api, asked: [(&'static str, &'static str); N]) -> String {
    let mut shown = String::new();
    for (path, accept) in asked {
        let response = api.ask(&get(path).accept(accept)).await;
        let content_type = response.header("content-type").unwrap_or_default();
        let body = String::from_utf8_lossy(&response.body)
            .escape_debug()
            .to_string();
        let status = response.status.as_u16();
        let _ = writeln!(
            shown,
            "{path} as {accept}\n  {status} {content_type}\n  {body}"
        );
    }
    shown
}

#[tokio::test]
async fn a_table_with_an_aggregate_of_its_own() {
    let shown = table(
        &api().await,
        [
            ("/lines?order=id", "application/vnd.wkb"),
            ("/lines?id=eq.1", "application/vnd.wkb"),
            ("/lines?id=eq.9", "application/vnd.wkb"),
            ("/rpc/get_lines", "application/vnd.wkb"),
            ("/rpc/get_lines?id=eq.2", "text/csv"),
            ("/lines?select=id&order=id", "text/csv"),
            ("/lines?select=id", "application/vnd.wkb"),
            ("/lines?select=id,name,geom", "application/vnd.wkb"),
            ("/films", "application/vnd.wkb"),
            ("/films?id=lt.3&order=id", "text/tab-separated-values"),
            (
                "/lines?id=eq.1",
                "image/webp, text/csv;q=0.5, application/vnd.wkb;q=0.8",
            ),
            ("/overridden", "application/json"),
            ("/overridden", "application/vnd.pgrst.object+json"),
        ],
    )
    .await;
    insta::assert_snapshot!(shown, @r#"
    /lines?order=id as application/vnd.wkb
      200 application/vnd.wkb
      [(1,1),(5,5)];[(2,2),(6,6)];
    /lines?id=eq.1 as application/vnd.wkb
      200 application/vnd.wkb
      [(1,1),(5,5)];
    /lines?id=eq.9 as application/vnd.wkb
      200 application/vnd.wkb
      
    /rpc/get_lines as application/vnd.wkb
      200 application/vnd.wkb
      [(1,1),(5,5)];[(2,2),(6,6)];
    /rpc/get_lines?id=eq.2 as text/csv
      200 text/csv; charset=utf-8
      \u{feff}id,name\n2,line-2\n
    /lines?select=id&order=id as text/csv
      200 text/csv; charset=utf-8
      id\n1\n2
    /lines?select=id as application/vnd.wkb
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: application/vnd.wkb\"}
    /lines?select=id,name,geom as application/vnd.wkb
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: application/vnd.wkb\"}
    /films as application/vnd.wkb
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: application/vnd.wkb\"}
    /films?id=lt.3&order=id as text/tab-separated-values
      200 text/tab-separated-values
      1\tNorthern\n2\tSouthern\n
    /lines?id=eq.1 as image/webp, text/csv;q=0.5, application/vnd.wkb;q=0.8
      200 application/vnd.wkb
      [(1,1),(5,5)];
    /overridden as application/json
      200 application/json; charset=utf-8
      {\"overridden\": true}
    /overridden as application/vnd.pgrst.object+json
      200 application/vnd.pgrst.object+json; charset=utf-8
      {\"id\":1}
    "#);
}

#[tokio::test]
async fn an_aggregate_of_any_rows() {
    let shown = table(
        &api().await,
        [
            ("/directors?id=lt.3&order=id", "pg/outfunc"),
            (
                "/directors?id=lt.3&order=id&select=first_name,id",
                "pg/outfunc",
            ),
            ("/films?id=eq.1&select=id,directors(id)", "pg/outfunc"),
            ("/rpc/films_of?director=2&select=id,title", "pg/outfunc"),
            ("/rpc/add?a=1", "pg/outfunc"),
            ("/rpc/ids", "pg/outfunc"),
        ],
    )
    .await;
    insta::assert_snapshot!(shown, @r#"
    /directors?id=lt.3&order=id as pg/outfunc
      200 pg/outfunc
      (1,Ada,Lind)\n(2,Bo,Ek)\n
    /directors?id=lt.3&order=id&select=first_name,id as pg/outfunc
      200 pg/outfunc
      (Ada,1)\n(Bo,2)\n
    /films?id=eq.1&select=id,directors(id) as pg/outfunc
      200 pg/outfunc
      (1,\"{\"\"id\"\":1}\")\n
    /rpc/films_of?director=2&select=id,title as pg/outfunc
      200 pg/outfunc
      (3,Eastern)\n
    /rpc/add?a=1 as pg/outfunc
      200 pg/outfunc
      11\n
    /rpc/ids as pg/outfunc
      200 pg/outfunc
      1\n2\n3\n
    "#);
}

#[tokio::test]
async fn a_function_that_returns_a_media_type() {
    let shown = table(
        &api().await,
        [
            ("/rpc/get_line?id=1", "application/vnd.wkb"),
            ("/rpc/get_line?id=9", "application/vnd.wkb"),
            ("/rpc/welcome", "text/html"),
            (
                "/rpc/welcome",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            ),
            ("/rpc/welcome", "*/*"),
            ("/rpc/welcome", "text/xml"),
            ("/rpc/nothing?id=0", "text/html"),
            ("/rpc/plain", "text/plain"),
            ("/rpc/plain_twice", "text/plain"),
            ("/rpc/image", "image/png, */*"),
            ("/rpc/image", "image/jpeg"),
        ],
    )
    .await;
    insta::assert_snapshot!(shown, @r#"
    /rpc/get_line?id=1 as application/vnd.wkb
      200 application/vnd.wkb
      [(1,1),(5,5)]
    /rpc/get_line?id=9 as application/vnd.wkb
      200 application/vnd.wkb
      
    /rpc/welcome as text/html
      200 text/html
      <h1>Hi</h1>
    /rpc/welcome as text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
      200 text/html
      <h1>Hi</h1>
    /rpc/welcome as */*
      200 application/json; charset=utf-8
      \"<h1>Hi</h1>\"
    /rpc/welcome as text/xml
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: text/xml\"}
    /rpc/nothing?id=0 as text/html
      200 text/html
      
    /rpc/plain as text/plain
      200 text/plain; charset=utf-8
      plain
    /rpc/plain_twice as text/plain
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: text/plain\"}
    /rpc/image as image/png, */*
      200 image/png
      �PNG
    /rpc/image as image/jpeg
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: image/jpeg\"}
    "#);
}

#[tokio::test]
async fn text_xml_and_bytes_are_answered_as_they_are() {
    let shown = table(
        &api().await,
        [
            ("/rpc/greet", "text/plain"),
            ("/rpc/greet", "application/json"),
            ("/rpc/page", "text/xml"),
            ("/rpc/bytes", "application/octet-stream"),
            ("/rpc/bytes", "application/json"),
            ("/rpc/greet", "application/octet-stream"),
            ("/rpc/add?a=1", "text/plain"),
            ("/rpc/ids", "text/plain"),
            ("/directors", "text/plain"),
        ],
    )
    .await;
    insta::assert_snapshot!(shown, @r#"
    /rpc/greet as text/plain
      200 text/plain; charset=utf-8
      hello
    /rpc/greet as application/json
      200 application/json; charset=utf-8
      \"hello\"
    /rpc/page as text/xml
      200 text/xml; charset=utf-8
      <page/>
    /rpc/bytes as application/octet-stream
      200 application/octet-stream
      \0�\u{10}
    /rpc/bytes as application/json
      200 application/json; charset=utf-8
      \"\\\\x00ff10\"
    /rpc/greet as application/octet-stream
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: application/octet-stream\"}
    /rpc/add?a=1 as text/plain
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: text/plain\"}
    /rpc/ids as text/plain
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: text/plain\"}
    /directors as text/plain
      406 application/json; charset=utf-8
      {\"code\":\"PGRST107\",\"details\":null,\"hint\":null,\"message\":\"None of these media types are available: text/plain\"}
    "#);
}

#[tokio::test]
async fn a_handler_of_everything_says_itself_what_it_made() {
    let shown = table(
        &api().await,
        [
            ("/lines.xml", "*/*"),
            ("/lines.xml", "text/xml"),
            ("/lines.xml", "application/xml"),
            ("/lines.xml", "unknown/media"),
            ("/lines.xml?select=id", "application/json"),
            ("/rpc/any_media", "*/*"),
            ("/rpc/any_media", "app/bingo"),
        ],
    )
    .await;
    insta::assert_snapshot!(shown, @r#"
    /lines.xml as */*
      200 text/xml
      <line id=\"1\"/><line id=\"2\"/>
    /lines.xml as text/xml
      200 application/octet-stream
      <line id=\"1\"/><line id=\"2\"/>
    /lines.xml as application/xml
      200 application/octet-stream
      <line id=\"1\"/><line id=\"2\"/>
    /lines.xml as unknown/media
      415 application/json; charset=utf-8
      {\"code\":\"PT415\",\"details\":null,\"hint\":null,\"message\":\"Unsupported Media Type\"}
    /lines.xml?select=id as application/json
      200 application/json; charset=utf-8
      [{\"id\":1}, \n {\"id\":2}]
    /rpc/any_media as */*
      200 application/octet-stream
      <any/>
    /rpc/any_media as app/bingo
      200 application/octet-stream
      <any/>
    "#);
}

#[tokio::test]
async fn handlers_of_what_a_write_returns() {
    let api = api().await;
    let shown = api
        .show([
            post(
                "/lines",
                r#"{"id": 3, "name": "line-3", "geom": "[(3,3)]"}"#,
            )
            .prefer("return=representation")
            .accept("application/vnd.wkb"),
            post("/lines", r#"{"id": 4, "name": "line-4"}"#).accept("application/vnd.wkb"),
            post("/lines", r#"{"id": 5, "name": "line-5"}"#).accept("image/webp"),
            get("/lines?select=id&order=id"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /lines
      prefer: return=representation
      accept: application/vnd.wkb
      {"id": 3, "name": "line-3", "geom": "[(3,3)]"}
    = 201 | content-range: */* | preference-applied: return=representation
    [(3,3)];

    POST /lines
      accept: application/vnd.wkb
      {"id": 4, "name": "line-4"}
    = 201 | content-range: */*

    POST /lines
      accept: image/webp
      {"id": 5, "name": "line-5"}
    = 406
    {"code":"PGRST107","details":null,"hint":null,"message":"None of these media types are available: image/webp"}

    GET /lines?select=id&order=id
    = 200 | content-range: 0-3/*
    [{"id":1},{"id":2},{"id":3},{"id":4}]
    "#);
    let csv = api.ask(&get("/lines").accept("text/csv")).await;
    let disposition = csv.header("content-disposition");
    assert_eq!(disposition, Some("attachment; filename=\"lines.csv\""));
}
