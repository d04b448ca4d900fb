//! SQL in every place where a value or a name stands.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::assert_no_fault;
use crate::api::{Api, get};

const OPERATORS: [&str; 31] = [
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "imatch",
    "in",
    "is",
    "isdistinct",
    "fts",
    "plfts",
    "phfts",
    "wfts",
    "cs",
    "cd",
    "ov",
    "sl",
    "sr",
    "nxr",
    "nxl",
    "adj",
    "eq(any)",
    "like(all)",
    "fts(english)",
    "not.eq",
    "not.in",
    "not.fts",
];

const SQL: [&str; 9] = [
    "'; drop table films; --",
    "1 or 1=1",
    "\"; drop table films; --",
    "(select pg_sleep(10))",
    "1) union select 1,2,3--",
    "$$; drop table films; $$",
    "\\'; drop table films; --",
    "{1,2}'); drop table films; --",
    "/* */ 1; /*",
];

#[tokio::test]
async fn sql_is_never_more_than_a_value() {
    let api = Api::start().await;
    let mut answers = Vec::new();
    for sql in SQL {
        let text = utf8_percent_encode(sql, NON_ALPHANUMERIC).to_string();
        let mut paths = vec![
            format!("/films?{text}=eq.1"),
            format!("/films?select={text}"),
            format!("/films?select=title::{text}"),
            format!("/films?select={text}:title"),
            format!("/films?select=details->>{text}").replace('>', "%3E"),
            format!("/films?order={text}"),
            format!("/films?limit={text}"),
            format!("/films?or=(title.eq.{text})"),
            format!("/films?select=directors!{text}(id)"),
            format!("/films?title=fts({text}).a"),
            format!("/{text}"),
            format!("/rpc/{text}?a={text}"),
        ];
        for operator in OPERATORS {
            paths.push(format!("/films?title={operator}.{text}"));
            paths.push(format!("/films?id={operator}.{text}"));
        }
        for path in paths {
            let request = api.service.get(&path).bearer(api.db.service_token());
            answers.push((path, request.await.status));
        }
    }
    assert_no_fault(&answers);
    let shown = api.show([get("/films?select=id")]).await;
    assert_eq!(
        shown,
        "GET /films?select=id\n= 200 | content-range: 0-3/*\n[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4}]\n\n"
    );
}
