//! More functions than may run at once, and functions with more to do than one process can: nobody's
//! request fails for want of a place.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use crate::stage::Stage;

/// Asks each of `names` in turn, four at once; how long the longest answer took.
async fn ask_in_turn(functions: &crate::stage::Functions, names: &[String]) -> Duration {
    let asked = stream::iter(names).map(|name| async move {
        let started = Instant::now();
        let answer = functions.get(&format!("/{name}")).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.json(), *name.as_str());
        started.elapsed()
    });
    let times: Vec<Duration> = asked.buffer_unordered(4).collect().await;
    times.into_iter().max().expect("some were asked")
}

#[tokio::test]
async fn more_functions_than_places_are_asked_in_turn_without_an_error() {
    let names: Vec<String> = (0..12).map(|number| format!("turn-{number}")).collect();
    let mut stage = Stage::new().set("FUNCTIONS_MAX_WORKERS", "5");
    for name in &names {
        stage = stage.function(name, &format!("return '{name}';"));
    }
    let functions = stage.start().await;
    for _ in 0..5 {
        let longest = ask_in_turn(&functions, &names).await;
        assert!(longest < Duration::from_secs(30), "it waited {longest:?}");
    }
    assert!(functions.stage.processes().len() <= 5);
}

#[tokio::test]
async fn a_function_whose_callers_wait_for_a_seat_gets_a_second_process() {
    let functions = Stage::new()
        .set("FUNCTIONS_MAX_PROCESSES", "2")
        .set("FUNCTIONS_MAX_WORKERS", "4")
        .set("FUNCTIONS_MAX_CONCURRENCY", "3")
        .function(
            "computes",
            "const until = performance.now() + 20; while (performance.now() < until); return Deno.pid;",
        )
        .function("waits", "await new Promise((done) => setTimeout(done, 20)); return Deno.pid;")
        .start()
        .await;
    let pids = |name: &'static str, at_once: usize, seconds: u64| {
        let functions = &functions;
        async move {
            let ends = Instant::now() + Duration::from_secs(seconds);
            let mut pids = std::collections::BTreeSet::new();
            while Instant::now() < ends && pids.len() < 2 {
                let asked = (0..at_once).map(|_| functions.json(name));
                let answers = futures_util::future::join_all(asked).await;
                pids.extend(answers.iter().map(ToString::to_string));
            }
            pids.len()
        }
    };
    assert_eq!(
        pids("/waits", 2, 2).await,
        1,
        "who only waits needs one process"
    );
    assert_eq!(pids("/computes", 6, 20).await, 2);
}
