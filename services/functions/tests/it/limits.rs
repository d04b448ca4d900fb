//! Functions that want more than they may have: ended in time, and their neighbours unaffected.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::stage::{Functions, Stage, until};

const WORKER_LIMIT: &str =
    "Function failed due to not having enough compute resources (please check logs)";

/// Asks the function `neighbour` again and again while `request` runs; every answer must be good.
async fn with_neighbour<T>(functions: &Functions, request: impl Future<Output = T>) -> (T, u32) {
    let mut answers = 0;
    let mut request = std::pin::pin!(request);
    loop {
        tokio::select! {
            answer = &mut request => return (answer, answers),
            neighbour = functions.get("/neighbour") => {
                assert_eq!(neighbour.expect_status(200).text(), "1");
                answers += 1;
            }
        }
    }
}

#[tokio::test]
async fn an_endless_loop_is_ended_in_time_and_its_neighbour_goes_on() {
    let functions = Stage::new()
        .set("FUNCTIONS_CPU_SECONDS", "1")
        .function(
            "spin",
            "if (req.url.endsWith('?spin')) while (true); return 'fine';",
        )
        .function("neighbour", "return 1;")
        .start()
        .await;
    let _ = functions.get("/spin").await.expect_status(200);
    let started = Instant::now();
    let spin = async { functions.get("/spin?spin").await };
    let (ended, answers) = with_neighbour(&functions, spin).await;
    let ended = ended.expect_status(546);
    assert_eq!(ended.header("sb-error-code"), Some("WORKER_LIMIT"));
    assert_eq!(
        ended.json(),
        json!({ "code": "WORKER_LIMIT", "message": WORKER_LIMIT })
    );
    // One second of CPU time takes longer on a machine that is busy with other tests; without a
    // limit it would have been given up after 150, and answered otherwise.
    assert!(started.elapsed() < Duration::from_secs(100));
    assert!(answers > 2, "the neighbour answered {answers} times");
    assert_eq!(
        functions.get("/spin").await.expect_status(200).text(),
        "\"fine\""
    );
}

#[tokio::test]
async fn a_bomb_of_processes_and_an_answer_without_end_harm_nobody() {
    let functions = Stage::new()
        .function(
            "bomb",
            "const tries = Array.from({ length: 1000 }, async () => await new Deno.Command('/bin/sh').output());
             const ended = await Promise.allSettled(tries);
             return ended.filter((one) => one.status === 'fulfilled').length;",
        )
        .file(
            "endless/index.ts",
            "const piece = new Uint8Array(1 << 20);
             Deno.serve(() => new Response(new ReadableStream({
                pull(controller) { controller.enqueue(piece); },
             })));",
        )
        .function("neighbour", "return 1;")
        .start()
        .await;
    let bomb = async { functions.json("/bomb").await };
    let (started, _) = with_neighbour(&functions, bomb).await;
    assert_eq!(started, json!(0), "no process was started");
    let read = async {
        use futures_util::StreamExt as _;
        let mut body = functions
            .get("/endless")
            .open()
            .await
            .into_body()
            .into_data_stream();
        let mut bytes = 0;
        while bytes < 256 << 20 {
            bytes += body.next().await.expect("more").expect("bytes").len();
        }
    };
    let ((), answers) = with_neighbour(&functions, read).await;
    assert!(answers > 0);
    // Who does not read on costs nothing any more.
    assert_eq!(functions.json("/neighbour").await, json!(1));
}

#[tokio::test]
async fn a_module_that_never_finishes_loading_is_broken() {
    let functions = Stage::new()
        .set("FUNCTIONS_CPU_SECONDS", "1")
        .set("FUNCTIONS_BOOT_SECONDS", "2")
        .file("spins.ts", "while (true); export default () => 1;")
        .file(
            "waits.ts",
            "await new Promise(() => setInterval(() => {}, 1000)); export default () => 1;",
        )
        .start()
        .await;
    let (spins, waits) = tokio::join!(functions.get("/spins"), functions.get("/waits"));
    for answer in [spins, waits] {
        assert_eq!(answer.expect_status(503).json()["code"], "BOOT_ERROR");
    }
}

#[tokio::test]
async fn memory_is_bounded_on_and_off_the_heap() {
    let functions = Stage::new()
        .set("FUNCTIONS_MEMORY_MB", "64")
        .function(
            "buffer",
            "return new ArrayBuffer(4 * 1024 ** 3).byteLength;",
        )
        .function(
            "buffers",
            "const all = []; while (true) all.push(new Uint8Array(16 << 20).fill(1));",
        )
        .function(
            "heap",
            "const all = []; while (true) all.push(Array.from({ length: 1000 }, () => ({})));",
        )
        .function("neighbour", "return 1;")
        .start()
        .await;
    for name in ["/buffer", "/buffers"] {
        let (answer, _) = with_neighbour(&functions, async { functions.get(name).await }).await;
        // The runtime tells the function, and the function throws; where not even that fits, its
        // process is ended.
        assert!(
            [500, 546].contains(&answer.status.as_u16()),
            "{}",
            answer.text()
        );
    }
    let (answer, _) = with_neighbour(&functions, async { functions.get("/heap").await }).await;
    assert_eq!(answer.expect_status(546).json()["code"], "WORKER_LIMIT");
}

#[tokio::test]
async fn a_function_that_never_answers_is_given_up_and_its_code_is_stopped() {
    let functions = Stage::new()
        .set("FUNCTIONS_TIMEOUT_SECONDS", "1")
        .function("silent", "if (req.url.endsWith('?pid')) return Deno.pid; setInterval(() => {}, 10); await new Promise(() => {});")
        .start()
        .await;
    let pid = functions.json("/silent?pid").await;
    let given_up = functions.get("/silent").await.expect_status(504);
    assert_eq!(given_up.json()["code"], "IDLE_TIMEOUT");
    until(|| async { (!functions.stage.runs(&pid)).then_some(()) }).await;
    assert_ne!(functions.json("/silent?pid").await, pid);
}

#[tokio::test]
async fn a_stream_that_stops_is_cut() {
    let functions = Stage::new()
        .set("FUNCTIONS_TIMEOUT_SECONDS", "1")
        .file(
            "stalls/index.ts",
            "Deno.serve(() => new Response(new ReadableStream({
                start(controller) { controller.enqueue(new Uint8Array(3)); },
             })));",
        )
        .start()
        .await;
    let response = functions.get("/stalls").open().await;
    assert_eq!(response.status(), 200);
    let read = axum::body::to_bytes(response.into_body(), 100).await;
    assert!(read.is_err(), "the body has no proper end");
}

#[tokio::test]
async fn requests_beyond_the_concurrency_wait_for_their_turn() {
    let functions = Stage::new()
        .set("FUNCTIONS_MAX_CONCURRENCY", "2")
        .file(
            "counts/index.ts",
            "let inside = 0, most = 0;
             Deno.serve(async () => {
                most = Math.max(most, ++inside);
                await new Promise((resolve) => setTimeout(resolve, 20));
                inside--;
                return Response.json(most);
             });",
        )
        .start()
        .await;
    let requests = (0..8).map(|_| async { functions.json("/counts").await });
    let most = futures_util::future::join_all(requests).await;
    assert_eq!(most.last(), Some(&json!(2)));
}

/// A `deno.json` with `limits`.
fn own(limits: &serde_json::Value) -> String {
    json!({ "selfdb": { "limits": limits } }).to_string()
}

#[tokio::test]
async fn a_version_may_have_limits_of_its_own() {
    const SPIN: &str = "Deno.serve((req) => { if (req.url.endsWith('?spin')) while (true); return Response.json(1); });";
    let functions = Stage::new()
        .set("FUNCTIONS_CPU_SECONDS", "60")
        .file("short/deno.json", &own(&json!({ "cpu_seconds": 1 })))
        .file("short/index.ts", SPIN)
        .file("narrow/deno.json", &own(&json!({ "body_bytes": 10 })))
        .file("narrow/index.ts", SPIN)
        .file("small/deno.json", &own(&json!({ "memory_mb": 32 })))
        .file(
            "small/index.ts",
            "Deno.serve(() => { const all = []; while (all.length < 3000) all.push(Array.from({ length: 1000 }, () => ({}))); return Response.json(1); });",
        )
        .file("large/index.ts", "Deno.serve(() => { const all = []; while (all.length < 3000) all.push(Array.from({ length: 1000 }, () => ({}))); return Response.json(1); });")
        .file("large/deno.json", &own(&json!({ "memory_mb": 600 })))
        .file("wrong/deno.json", &own(&json!({ "memory_mb": "much" })))
        .file("wrong/index.ts", SPIN)
        .start()
        .await;
    let started = Instant::now();
    let ended = functions.get("/short?spin").await.expect_status(546);
    assert_eq!(ended.json()["code"], "WORKER_LIMIT");
    assert!(
        started.elapsed() < Duration::from_secs(50),
        "60 are everybody's"
    );
    let _ = functions
        .post("/narrow")
        .body("0123456789")
        .await
        .expect_status(200);
    let _ = functions
        .post("/narrow")
        .body("0123456789a")
        .await
        .expect_status(413);
    let _ = functions.get("/small").await.expect_status(546);
    assert_eq!(functions.json("/large").await, json!(1));
    let wrong = functions.get("/wrong").await.expect_status(503);
    assert_eq!(wrong.json()["code"], "BOOT_ERROR");
    let listed = functions.admin_json("/api/v1/functions/wrong").await;
    let error = listed["error"].as_str().expect("why");
    assert!(error.contains("the limits in deno.json"), "{error}");
}
