//! That no text of a client becomes SQL, and that one shape of request is one text.

use std::sync::Arc;

use axum::http::Request;
use bytes::Bytes;
use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Statements, statements};
use crate::plan::plain::RowForm;
use crate::plan::{Aggregates, Limits, Plan};
use crate::request::preferences::{TransactionChoice, TransactionEnd};
use crate::request::query::encode;
use crate::request::{ApiRequest, Rules};
use crate::schema_cache::table::Table;
use crate::schema_cache::{QualifiedName, SchemaCache};

fn films() -> SchemaCache {
    let column = |name: &str, type_name: &str| {
        serde_json::json!({"name": name, "type": type_name, "nullable": true,
                           "generated": false, "labels": []})
    };
    let table: Table = serde_json::from_value(serde_json::json!({
        "schema": "public", "name": "films", "is_view": false,
        "writable": {"insert": true, "update": true, "delete": true},
        "is_public": false, "primary_key": ["id"],
        "columns": [column("id", "integer"), column("title", "text"), column("data", "jsonb")],
    }))
    .expect("a table");
    let mut cache = SchemaCache::default();
    cache
        .tables
        .insert(QualifiedName::new("public", "films"), Arc::new(table));
    cache
}

fn write(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Option<Statements> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    let rules = Rules {
        schemas: &["public".to_owned()],
        transaction: TransactionChoice::Client,
        is_timezone: &|_| true,
    };
    let body = Bytes::copy_from_slice(body.as_bytes());
    let request = ApiRequest::parse(&parts, &body, &rules).ok()?;
    let limits = Limits {
        explained: crate::plan::negotiate::Explained::Refused,
        max_rows: None,
        aggregates: Aggregates::Allowed,
        end: TransactionEnd::Commit,
    };
    let plan = Plan::new(&request, &films(), limits).ok()?;
    Some(statements(&plan, RowForm::Gathered, None))
}

fn text(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> String {
    let statements = write(method, uri, headers, body).expect("a plan");
    statements.main.into_parts().0
}

#[test]
fn the_text_of_each_kind_of_request() {
    assert_snapshot!(text("GET", "/films", &[], ""), @r#"select null::bigint, count(*), coalesce(json_agg(_pgrst), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), null, null from (select "public"."films".* from "public"."films") as _pgrst"#);
    assert_snapshot!(
        text("GET", "/films?select=id,data-%3Ek&title=in.(a,b)&order=id&limit=1", &[], ""),
        @r#"select null::bigint, count(*), coalesce(json_agg(_pgrst), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), null, null from (select "public"."films"."id", "public"."films"."data"->$1::text as "k" from "public"."films" where "public"."films"."title" = any ($2) order by "public"."films"."id" limit $3) as _pgrst"#
    );
    let full = [("prefer", "return=representation")];
    assert_snapshot!(text("POST", "/films", &full, r#"{"id": 1, "title": "t"}"#), @r#"with pgrst_source as (insert into "public"."films"("id", "title") select "pgrst_body"."id", "pgrst_body"."title" from json_to_record($1::json) as pgrst_body("id" integer, "title" text) returning "public"."films".*) select null::bigint, count(*), coalesce(json_agg(_pgrst), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), null, null from (select "pgrst_source".* from "pgrst_source") as _pgrst"#);
    let merge = [("prefer", "resolution=merge-duplicates")];
    assert_snapshot!(text("POST", "/films", &merge, r#"[{"id": 1}]"#), @r#"with pgrst_source as (insert into "public"."films"("id") select "pgrst_body"."id" from json_to_recordset($1::json) as pgrst_body("id" integer) where set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) + 1)::text, true) <> '0' on conflict ("id") do update set "id" = excluded."id" where set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) - 1)::text, true) <> '-1' returning 1) select null::bigint, count(*), '', nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), nullif(current_setting('pgrst.inserted', true), ''), null from "pgrst_source" as _pgrst"#);
    assert_snapshot!(text("PATCH", "/films?id=eq.1", &[], r#"{"title": "t"}"#), @r#"with pgrst_source as (update "public"."films" set "title" = "pgrst_body"."title" from json_to_record($1::json) as pgrst_body("title" text) where "public"."films"."id" = $2 returning 1) select null::bigint, count(*), '', nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), null, null from "pgrst_source" as _pgrst"#);
    assert_snapshot!(text("DELETE", "/films?id=eq.1", &[], ""), @r#"with pgrst_source as (delete from "public"."films" where "public"."films"."id" = $1 returning 1) select null::bigint, count(*), '', nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), null, null from "pgrst_source" as _pgrst"#);
}

#[test]
fn values_do_not_change_the_text() {
    let one = text(
        "GET",
        "/films?id=eq.1&title=in.(a)&limit=1&data-%3Ea=eq.x",
        &[],
        "",
    );
    let other = text(
        "GET",
        "/films?id=eq.2&title=in.(b,c)&limit=9&data-%3Eb=eq.y",
        &[],
        "",
    );
    assert_eq!(one, other);
    let one = text("POST", "/films", &[], r#"[{"id": 1}]"#);
    let other = text("POST", "/films", &[], r#"[{"id": 2}, {"id": 3}]"#);
    assert_eq!(one, other);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_value_is_in_the_text(value in "zq[a-z';()\"\\\\ -]{1,30}") {
        let encoded = encode(&value).to_string();
        for query in [
            format!("title=eq.{encoded}"),
            format!("title=like.*{encoded}"),
            format!("title=cs.{encoded}"),
            format!("title=fts.{encoded}"),
            format!("title=isdistinct.{encoded}"),
        ] {
            let statements = write("GET", &format!("/films?{query}"), &[], "");
            let (text, _) = statements.expect("a plan").main.into_parts();
            prop_assert!(!text.contains("zq"), "{text}");
        }
    }

    #[test]
    fn a_name_is_in_the_text_only_between_quotes(name in "zq[a-z0-9;' \"()-]{0,20}") {
        let quoted = format!("\"{}\"", name.replace('"', "\\\""));
        let encoded = encode(&quoted);
        for query in [
            format!("{encoded}=eq.1"),
            format!("select={encoded}"),
            format!("order={encoded}"),
            format!("select=a:id,{encoded}:id"),
        ] {
            let statements = write("GET", &format!("/films?{query}"), &[], "");
            let (text, _) = statements.expect("a plan").main.into_parts();
            let escaped = format!("\"{}\"", name.replace('"', "\"\""));
            let outside = text.replace(&escaped, "");
            prop_assert!(!outside.contains("zq"), "{text}");
        }
    }
}
