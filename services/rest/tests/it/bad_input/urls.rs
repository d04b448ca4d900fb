use http::StatusCode;

use super::{assert_no_fault, assert_refused};
use crate::api::Api;

const MEANINGLESS: [&str; 48] = [
    "/films?id=eq.1%00",
    "/films?title=eq.%00",
    "/films?ti%00tle=eq.1",
    "/fi%00lms",
    "/rpc/a%00b",
    "/films?select=%00",
    "/films?order=%00",
    "/films?title=eq.%ff%fe",
    "/films?%ff=eq.1",
    "/%ff%fe",
    "/films?title=eq.%c0%80",
    "/films/1",
    "/films/1/2/3",
    "/rpc/",
    "/rpc/a/b",
    "//films",
    "/films?id=lt",
    "/films?id=eq",
    "/films?id=",
    "/films?id=nope.1",
    "/films?id=eq.abc",
    "/films?id=eq.1;drop table films",
    "/films?id=in.1,2",
    "/films?id=in.(1",
    "/films?id=is.maybe",
    "/films?or=()",
    "/films?or=(id.eq.1",
    "/films?or=id.eq.1",
    "/films?and=(,)",
    "/films?not=eq.1",
    "/films?limit=-1",
    "/films?order=id.up",
    "/films?order=id..",
    "/films?select=id,",
    "/films?select=,",
    "/films?select=id::",
    "/films?select=id::no_such_type",
    "/films?select=nope",
    "/films?select=id.nope()",
    "/films?select=...directors",
    "/films?select=nope(id)",
    "/films?nope.id=eq.1",
    "/films?id=fts(no_such_config).a",
    "/films?title=fts.a%20b%20%26%26",
    "/films?title=match.(",
    "/films?tags=cs.{",
    "/films?tags=eq(any).1",
    "/films?details->>a->>b=eq.1&select=details->>a->>b",
];

async fn statuses(api: &Api, paths: &[String]) -> Vec<(String, StatusCode)> {
    let mut answers = Vec::new();
    for path in paths {
        let request = api.service.get(path).bearer(api.db.service_token());
        let shown: String = path.chars().take(80).collect();
        answers.push((shown, request.await.status));
    }
    answers
}

#[tokio::test]
async fn queries_that_mean_nothing() {
    let api = Api::start().await;
    let open = "(".repeat(10_000);
    let mut paths = vec![
        format!("/films?or={open}"),
        format!(
            "/films?or={}id.eq.1{}",
            "(or".repeat(10_000),
            ")".repeat(10_000)
        ),
        format!("/films?select={}", "films(".repeat(9_000)),
        format!(
            "/films?select={}id{}",
            "roles(".repeat(5_000),
            ")".repeat(5_000)
        ),
        format!("/films?select=details{}", "->a".repeat(10_000)),
        format!("/films?details{}=eq.1", "->a".repeat(10_000)),
        format!("/films?{}=eq.1", "a.".repeat(10_000)),
        format!("/{}", "a".repeat(60_000)),
        format!("/films?select={}", "a".repeat(60_000)),
        format!("/films?order={}", "id.desc.".repeat(5_000)),
    ];
    paths.extend(MEANINGLESS.map(str::to_owned));
    let encoded: Vec<String> = paths
        .iter()
        .map(|path| {
            path.replace(' ', "%20")
                .replace('{', "%7B")
                .replace('>', "%3E")
        })
        .collect();
    assert_refused(&statuses(&api, &encoded).await);
}

#[tokio::test]
async fn odd_but_harmless() {
    let api = Api::start().await;
    let paths = [
        "/films?",
        "/films?limit=abc",
        "/films?offset=-1",
        "/films?offset=99999999999999999999999",
        "/films?&&&",
        "/films?select=id&select=title",
        "/films?id=eq.1&id=eq.2",
        "/films?limit=1&limit=2&offset=0&offset=1",
        "/films?order=id&order=title",
        "/films?title=eq.%",
        "/films?title=eq.%zz",
        "/films?title=eq.%2",
        "/films?title=eq.a+b",
        "/films?title=eq.%25%32%30",
        "/films?title=eq.%F0%9F%98%80",
        "/films?=eq.1",
        "/films?=",
        "/films?title",
        "/films?select",
        "/films?select=",
        "/films?id=in.()",
        "/films?limit=0",
        "/films?offset=9223372036854775807",
        "/films?limit=9223372036854775807",
        "/films?offset=9223372036854775807&limit=9223372036854775807",
        "/f%69lms",
        "/films?%73elect=id",
    ];
    let paths = paths.map(str::to_owned);
    assert_no_fault(&statuses(&api, &paths).await);
}

#[tokio::test]
async fn headers_that_mean_nothing() {
    let api = Api::start().await;
    let headers = [
        ("range", "abc"),
        ("range", "-5"),
        ("range", "5-2"),
        ("range", "0-"),
        ("range", "bytes=0-5"),
        ("range", "99999999999999999999999-"),
        ("range", "0-99999999999999999999999"),
        ("range", "-"),
        ("prefer", "count=every"),
        ("prefer", "handling=strict, count=every"),
        ("prefer", "max-affected=-1, handling=strict"),
        (
            "prefer",
            "max-affected=99999999999999999999, handling=strict",
        ),
        ("prefer", "timezone=';drop table films"),
        ("prefer", ",,,=,;=;"),
        ("accept", ""),
        ("accept", ";;;q=q"),
        ("accept", "application/json;q=nan"),
        ("accept", "*/*;q=-1"),
        ("accept", "application/vnd.pgrst.object+json;nulls=maybe"),
        ("accept-profile", "pg_catalog"),
        ("accept-profile", "public\""),
        ("accept-profile", ""),
        ("cookie", ";;=;=="),
        ("authorization", "Bearer"),
        ("authorization", "Bearer a.b.c"),
        ("authorization", "Basic YTpi"),
        ("idempotency-key", "\"\""),
        ("x-odd", "\u{e4}\u{f6}"),
    ];
    let mut answers = Vec::new();
    for (name, value) in headers {
        for method in [http::Method::GET, http::Method::PATCH] {
            let path = "/films?id=eq.0";
            let mut request = api.service.request(method, path).header(name, value);
            if name != "authorization" {
                request = request.bearer(api.db.service_token());
            }
            let request = request
                .header("content-type", "application/json")
                .body("{}");
            answers.push((format!("{name}: {value}"), request.await.status));
        }
    }
    assert_no_fault(&answers);
}
