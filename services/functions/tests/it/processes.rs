//! Processes that end, by themselves or not, and what they leave behind: nothing.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::stage::{BINARY, Stage, until};

fn kill(pid: &Value) {
    let pid = pid
        .as_i64()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::KILL).expect("killed");
}

#[tokio::test]
async fn after_a_kill_the_next_request_is_answered() {
    let functions = Stage::new()
        .function("pid", "return Deno.pid;")
        .start()
        .await;
    let mut killed = Vec::new();
    for _ in 0..3 {
        let pid = functions.json("/pid").await;
        assert!(!killed.contains(&pid), "a new process each time");
        kill(&pid);
        // One request may still have gone to the process that was being killed.
        let raced = functions.get("/pid").await;
        assert!(
            [200, 500].contains(&raced.status.as_u16()),
            "{}",
            raced.text()
        );
        killed.push(pid);
    }
}

#[tokio::test]
async fn a_request_under_way_when_its_process_is_killed_gets_an_answer() {
    let functions = Stage::new()
        .function(
            "hangs",
            "if (req.url.endsWith('?state')) return [Deno.pid, globalThis.inside ?? false];
             globalThis.inside = true;
             await new Promise(() => setInterval(() => {}, 9));",
        )
        .start()
        .await;
    let kill = async {
        let pid = until(|| async {
            let state = functions.json("/hangs?state").await;
            (state[1] == json!(true)).then(|| state[0].clone())
        })
        .await;
        kill(&pid);
    };
    let request = functions.get("/hangs").into_future();
    let (answer, ()) = tokio::join!(request, kill);
    assert_eq!(answer.expect_status(500).json()["code"], "WORKER_ERROR");
}

#[tokio::test]
async fn idle_workers_end_and_start_again_when_needed() {
    let functions = Stage::new()
        .set("FUNCTIONS_IDLE_SECONDS", "1")
        .function("pid", "return Deno.pid;")
        .start()
        .await;
    let pid = functions.json("/pid").await;
    assert!(functions.stage.runs(&pid));
    until(|| async { (!functions.stage.runs(&pid)).then_some(()) }).await;
    assert_ne!(functions.json("/pid").await, pid);
}

#[tokio::test]
async fn background_work_is_finished_before_an_idle_worker_ends() {
    let functions = Stage::new()
        .set("FUNCTIONS_IDLE_SECONDS", "1")
        .set("FUNCTIONS_EGRESS_PORTS", "80")
        .function(
            "works",
            "addEventListener('beforeunload', (event) => console.log('unloads:', event.detail.reason));
             EdgeRuntime.waitUntil(new Promise((done) => setTimeout(done, 2500)));
             return Deno.pid;",
        )
        .start()
        .await;
    let started = tokio::time::Instant::now();
    let pid = functions.json("/works").await;
    until(|| async { (!functions.stage.runs(&pid)).then_some(()) }).await;
    assert!(
        started.elapsed().as_millis() >= 2_400,
        "its work was cut short"
    );
}

#[tokio::test]
async fn a_shutdown_leaves_no_process_and_no_folder() {
    let functions = Stage::new()
        .function("pid", "return Deno.pid;")
        .start()
        .await;
    let _ = functions.json("/pid").await;
    let stage = functions.stage;
    assert!(
        stage
            .processes()
            .iter()
            .any(|(_, program)| program == "deno")
    );
    drop(functions.service);
    until(|| async { stage.processes().is_empty().then_some(()) }).await;
    until(|| async { stage.leftovers().is_empty().then_some(()) }).await;
}

/// The service as a process of its own, with a running function in it.
async fn own_process(stage: &Stage) -> tokio::process::Child {
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .envs(stage.environment.iter())
        .env("FUNCTIONS_PORT", stage.key("FUNCTIONS_PORT"))
        .env("FUNCTIONS_VERIFY_JWT", "false")
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let service = command.spawn().expect("started");
    let address = format!("127.0.0.1:{}", stage.key("FUNCTIONS_PORT"));
    until(|| async {
        let mut stream = tokio::net::TcpStream::connect(&address).await.ok()?;
        let request = b"GET /pid HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, request)
            .await
            .ok()?;
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer)
            .await
            .ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    service
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string()
}

#[tokio::test]
async fn a_killed_supervisor_leaves_no_process() {
    let stage = Stage::new()
        .set("FUNCTIONS_PORT", &free_port())
        .function("pid", "setInterval(() => {}, 5); return Deno.pid;")
        .prepared()
        .await;
    let mut service = own_process(&stage).await;
    assert!(!stage.processes().is_empty());
    service.kill().await.expect("killed");
    until(|| async { stage.processes().is_empty().then_some(()) }).await;
}

#[tokio::test]
async fn a_terminated_service_ends_in_order() {
    let stage = Stage::new()
        .set("FUNCTIONS_PORT", &free_port())
        .function("pid", "return Deno.pid;")
        .prepared()
        .await;
    let mut service = own_process(&stage).await;
    let pid = service
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    kill_process(pid.expect("it runs"), Signal::TERM).expect("asked");
    let status = service.wait().await.expect("its status");
    assert!(status.success(), "{status}");
    assert!(stage.processes().is_empty());
    assert_eq!(stage.leftovers(), Vec::<String>::new());
}
