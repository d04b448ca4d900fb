//! What is recorded of invocations, and what they print.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};

use crate::stage::{Functions, Stage, until};

/// The rows of `what` of a function, once there are at least `least`.
async fn rows(functions: &Functions, name: &str, what: &str, least: usize) -> Vec<Value> {
    let path = format!("/api/v1/functions/{name}/{what}");
    until(|| async {
        let rows = functions.admin_json(&path).await;
        let rows = rows.as_array().expect("a list").clone();
        (rows.len() >= least).then_some(rows)
    })
    .await
}

#[tokio::test]
async fn every_invocation_is_a_row_that_says_what_it_used() {
    let functions = Stage::new()
        .function(
            "works",
            "const until = performance.now() + 60; while (performance.now() < until);
             if (req.method === 'DELETE') throw new Error('no');
             return new Response('made', { status: 201 });",
        )
        .file("broken.ts", "throw new Error('at once');")
        .start()
        .await;
    let answered = functions.get("/works").await.expect_status(201);
    let id = answered
        .header("x-deno-execution-id")
        .expect("its id")
        .to_owned();
    let anon = functions.stage.key("ANON_KEY");
    let failing = functions
        .service
        .request(Method::DELETE, "/works")
        .bearer(&anon);
    let _ = failing.await.expect_status(500);
    let _ = functions.get("/broken").await.expect_status(503);

    let found = rows(&functions, "works", "executions", 2).await;
    let (second, first) = (&found[0], &found[1]);
    assert_eq!(first["id"], json!(id));
    assert_eq!(
        (
            &first["trigger"],
            &first["method"],
            &first["status"],
            &first["outcome"]
        ),
        (
            &json!("http"),
            &json!("GET"),
            &json!(201),
            &json!("answered")
        )
    );
    assert_eq!(
        (&first["cold"], &second["cold"]),
        (&json!(true), &json!(false))
    );
    assert!(first["duration_ms"].as_f64() >= Some(60.0), "{first}");
    let cpu = first["cpu_ms"].as_f64().expect("CPU time is counted");
    assert!((1.0..20_000.0).contains(&cpu), "{first}");
    assert!(first["memory_bytes"].as_i64() > Some(10_000_000), "{first}");
    assert_eq!(
        (&second["status"], &second["outcome"], &second["method"]),
        (&json!(500), &json!("error"), &json!("DELETE"))
    );
    let broken = rows(&functions, "broken", "executions", 1).await;
    assert_eq!(
        (&broken[0]["status"], &broken[0]["outcome"]),
        (&json!(503), &json!("failed"))
    );
    assert!(
        broken[0]["error"]
            .as_str()
            .expect("why")
            .contains("at once")
    );

    let one = functions
        .admin_json(&format!("/api/v1/functions/works/executions/{id}"))
        .await;
    assert_eq!(one["id"], json!(id));
    let totals = functions
        .admin_json("/api/v1/functions/works/metrics")
        .await;
    assert_eq!(
        (&totals["invocations"], &totals["errors"]),
        (&json!(2), &json!(1))
    );
}

#[tokio::test]
async fn lines_belong_to_the_invocation_that_printed_them_and_to_no_other() {
    let functions = Stage::new()
        .function(
            "says",
            "const who = new URL(req.url).search;
             console.log('first', who);
             await new Promise((done) => setTimeout(done, Math.random() * 30));
             console.warn({ who });
             setTimeout(() => console.error(`later\n${who}`), 20);
             queueMicrotask(() => console.debug('soon', who));
             return who;",
        )
        .file(
            "outside/index.ts",
            "console.info('loading'); Deno.serve(() => { throw new Error('inside'); });",
        )
        .start()
        .await;
    let requests = (0..12).map(|number| functions.get(&format!("/says?{number}")).into_future());
    let answers = futures_util::future::join_all(requests).await;
    let found = rows(&functions, "says", "logs?limit=1000", 48).await;
    assert_eq!(found.len(), 48);
    let mut by_execution: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for line in &found {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = by_execution.entry(text("execution_id")).or_default();
        lines.push((text("level"), text("message")));
    }
    for answer in answers {
        let id = answer.header("x-deno-execution-id").expect("an id");
        let who = answer.text().trim_matches('"').to_owned();
        let lines = &by_execution[id];
        for expected in [
            ("info", format!("first {who}")),
            ("warn", format!("{{ who: \"{who}\" }}")),
            ("debug", format!("soon {who}")),
            ("error", format!("later\n{who}")),
        ] {
            let expected = (expected.0.to_owned(), expected.1);
            assert!(lines.contains(&expected), "{expected:?} of {lines:?}");
        }
    }

    let failed = functions.get("/outside").await.expect_status(500);
    let lines = rows(&functions, "outside", "logs", 2).await;
    assert_eq!(
        (&lines[0]["message"], &lines[0]["execution_id"]),
        (&json!("loading"), &Value::Null)
    );
    let id = failed.header("x-deno-execution-id").expect("an id");
    assert_eq!(lines[1]["execution_id"], json!(id));
    assert!(
        lines[1]["message"]
            .as_str()
            .expect("text")
            .contains("Error: inside")
    );
}

#[tokio::test]
async fn lines_can_be_followed() {
    let functions = Stage::new()
        .function("says", "console.log(new URL(req.url).search); return 1;")
        .start()
        .await;
    let _ = functions.get("/says?before").await;
    let first = rows(&functions, "says", "logs", 1).await;
    let path = "/api/v1/functions/says/logs/stream";
    let stream = functions.admin(Method::GET, path).open().await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut body = stream.into_body().into_data_stream();
    let _ = functions.get("/says?now").await;
    let event = body.next().await.expect("an event").expect("bytes");
    let event = String::from_utf8_lossy(&event).into_owned();
    assert!(
        event.contains("event: log") && event.contains("?now"),
        "{event}"
    );
    assert!(!event.contains("?before"), "{event}");

    let resumed = functions
        .admin(Method::GET, path)
        .header("last-event-id", "0")
        .open()
        .await;
    let mut body = resumed.into_body().into_data_stream();
    let event = body.next().await.expect("an event").expect("bytes");
    assert!(String::from_utf8_lossy(&event).contains("?before"));
    assert_eq!(first[0]["message"], json!("?before"));
}

#[tokio::test]
async fn only_administrators_read_the_journal() {
    let functions = Stage::new().function("a", "return 1;").start().await;
    for path in ["logs", "logs/stream", "executions", "metrics"] {
        let path = format!("/api/v1/functions/a/{path}");
        assert_eq!(functions.get(&path).await.status, 403, "{path}");
        assert_eq!(functions.service.get(&path).await.status, 401, "{path}");
    }
    let unknown = functions
        .admin(Method::GET, "/api/v1/functions/1st/logs")
        .await;
    assert_eq!(unknown.expect_status(404).json()["code"], "not_found");
}

#[tokio::test]
async fn old_rows_go() {
    let stage = Stage::new().set("FUNCTIONS_LOG_DAYS", "3").prepared().await;
    stage
        .database()
        .execute(
            "insert into functions.logs (function, version, level, message, logged_at)
             values ('a', 'v', 'info', 'old', now() - interval '4 days'), ('a', 'v', 'info', 'new', now());
             insert into functions.executions (id, function, version, trigger, method, outcome, cold, started_at, duration_ms)
             select gen_random_uuid(), 'a', 'v', 'http', 'GET', 'answered', false, now() - age, 1
               from unnest(array[interval '4 days', interval '1 day']) as age",
        )
        .await;
    let functions = stage.start().await;
    until(|| async {
        let lines = functions.admin_json("/api/v1/functions/a/logs").await;
        let rows = functions.admin_json("/api/v1/functions/a/executions").await;
        let counts = (lines.as_array()?.len(), rows.as_array()?.len());
        (counts == (1, 1)).then_some(())
    })
    .await;
}
