//! Nodes that are killed with signal 9 while rows change and schedules tick, and what becomes of the
//! calls: read from a witness that lives outside of them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use common::{Environment as _, ProcessEnvironment};
use pg::sqlx::postgres::PgPool;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::history::{Dead, Delivery, History};
use crate::stage::{BINARY, Functions, Stage, until};
use crate::triggers::{captured, listener, listening};

const TABLE: &str = "create table public.jobs (id int primary key, status text)";

type Witnessed = Arc<Mutex<Vec<Delivery>>>;

/// Stands where the gateway would: what functions tell it has happened, whoever is killed then.
async fn witness() -> (Witnessed, String) {
    async fn note(State(seen): State<Witnessed>, Json(said): Json<Value>) {
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        seen.lock().expect("whole").push(Delivery {
            id: text("id"),
            cause: text("cause"),
            attempt: said["attempt"].as_i64().unwrap_or_default(),
        });
    }
    let seen = Witnessed::default();
    let router = Router::new()
        .route("/note", post(note))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (seen, address)
}

/// A function that tells the witness of every call, and fails at bad jobs.
fn labour() -> String {
    let triggers = json!([
        { "type": "database", "table": "jobs", "operations": ["INSERT"] },
        { "type": "schedule", "cron": "* * * * * *", "name": "one" },
        { "type": "schedule", "cron": "* * * * * *", "name": "two" },
    ]);
    let body = "
        const cause = event.type === 'database' ? 'job ' + event.record.id : event.name + ' ' + event.scheduled_at;
        const body = JSON.stringify({ id: event.id, cause, attempt: event.attempt });
        const headers = { 'content-type': 'application/json' };
        const told = await fetch(Deno.env.get('SUPABASE_URL') + '/note', { method: 'POST', headers, body });
        if (!told.ok) throw new Error('nobody heard it');
        await new Promise((done) => setTimeout(done, 20));
        if (event.record?.status === 'bad') throw new Error('a bad job');
        return 1;";
    listener(&triggers, body)
}

async fn prepared() -> (Witnessed, Stage) {
    let (seen, address) = witness().await;
    let stage = Stage::new()
        .set("API_INTERNAL_URL", &address)
        .prepared()
        .await;
    stage.database().execute(TABLE).await;
    let functions = stage.file("labour.ts", &labour()).start().await;
    listening(&functions, "labour").await;
    captured(&functions, "public.jobs").await;
    let Functions { service, stage } = functions;
    drop(service);
    (seen, stage)
}

/// The service as a process of its own.
fn node(stage: &Stage) -> Child {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = port.local_addr().expect("an address").port().to_string();
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .envs(stage.environment.iter())
        .env("FUNCTIONS_PORT", port)
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command.spawn().expect("started")
}

fn is_bad(job: i32) -> bool {
    job % 10 == 9
}

/// Puts `count` jobs into the table, a few in each transaction; every fifth transaction is undone.
async fn insert_jobs(stage: &Stage, count: i32) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut good, mut bad) = (BTreeSet::new(), BTreeSet::new());
    for first in (0..count).step_by(5) {
        let jobs: Vec<i32> = (first..first + 5).collect();
        let status = |job: i32| if is_bad(job) { "bad" } else { "good" };
        let rows: Vec<String> = jobs
            .iter()
            .map(|&job| format!("({job}, '{}')", status(job)))
            .collect();
        let insert = format!("insert into public.jobs values {}", rows.join(", "));
        let undone = first % 25 == 20;
        let end = if undone { "rollback" } else { "commit" };
        stage
            .database()
            .execute(&format!("begin; {insert}; {end}"))
            .await;
        for job in jobs.into_iter().filter(|_| !undone) {
            let kind = if is_bad(job) { &mut bad } else { &mut good };
            kind.insert(format!("job {job}"));
        }
        sleep(Duration::from_millis(40)).await;
    }
    (good, bad)
}

/// Waits until no call of a row is open, for as long as they become fewer.
async fn drained(pool: &PgPool) {
    const PATIENCE: Duration = Duration::from_secs(30);
    let (mut fewest, mut since) = (i64::MAX, Instant::now());
    loop {
        let open =
            "select count(*) from functions.events where kind = 'database' and dead_at is null";
        let open: i64 = pg::sqlx::query_scalar(open)
            .fetch_one(pool)
            .await
            .expect("counted");
        if open == 0 {
            return;
        }
        if open < fewest {
            (fewest, since) = (open, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{open} calls are stuck");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until no call of a row is open, and puts everything together.
async fn history_of(
    stage: &Stage,
    seen: &Witnessed,
    (good, bad): (BTreeSet<String>, BTreeSet<String>),
) -> History {
    let pool = stage.database().admin_pool();
    drained(&pool).await;
    let dead: Vec<(String, String, i32)> = pg::sqlx::query_as(
        "select id::text, 'job ' || (payload -> 'record' ->> 'id'), attempts
           from functions.events where dead_at is not null and kind = 'database'",
    )
    .fetch_all(&pool)
    .await
    .expect("dead letters");
    let dead = dead.into_iter().map(|(id, cause, attempts)| Dead {
        id,
        cause,
        attempts,
    });
    History {
        good,
        bad,
        delivered: seen.lock().expect("whole").clone(),
        dead: dead.collect(),
        most_attempts: 5,
    }
}

/// `TEST_KILLS`: how often a node is killed; 6 unless it is set.
fn kills() -> u32 {
    let set = ProcessEnvironment.var("TEST_KILLS");
    set.map_or(6, |set| set.parse().expect("a number of kills"))
}

#[tokio::test]
async fn killed_nodes_lose_nothing_under_load() {
    let (seen, stage) = Box::pin(prepared()).await;
    let rounds = kills();
    // Jobs come for as long as nodes are killed.
    let count = i32::try_from(rounds).expect("few") * 75 + 50;
    let kills = async {
        let mut nodes = [node(&stage), node(&stage)];
        for round in 0..rounds {
            sleep(Duration::from_millis(900 + 170 * u64::from(round % 6))).await;
            let turn = usize::from(round % 2 == 1);
            nodes[turn].kill().await.expect("killed");
            nodes[turn] = node(&stage);
        }
        nodes
    };
    let (jobs, nodes) = tokio::join!(insert_jobs(&stage, count), kills);
    let history = history_of(&stage, &seen, jobs).await;
    drop(nodes);
    assert!(history.bad.len() >= 30, "{}", history.bad.len());
    assert_eq!(history.faults(), Vec::<String>::new());
    let _ = writeln!(
        std::io::stderr(),
        "{rounds} kills: {} calls, {} of them dead letters, {} deliveries",
        history.good.len() + history.bad.len(),
        history.dead.len(),
        history.delivered.len()
    );
    let ticks = history.delivered.iter();
    let ticks: BTreeSet<_> = ticks
        .filter(|one| one.cause.starts_with("one "))
        .map(|one| &one.cause)
        .collect();
    assert!(ticks.len() >= 4, "{ticks:?}");
    let rolled_back = history.delivered.iter().find(|one| one.cause == "job 20");
    assert_eq!(rolled_back, None, "what was undone calls nobody");
}

#[tokio::test]
async fn a_call_that_is_lost_is_noticed() {
    let (seen, stage) = Box::pin(prepared()).await;
    let _node = node(&stage);
    stage
        .database()
        .execute(
            "alter table public.jobs disable trigger user;
             insert into public.jobs values (1, 'good');
             alter table public.jobs enable trigger user;
             insert into public.jobs values (2, 'good')",
        )
        .await;
    until(|| async {
        let seen = seen.lock().expect("whole");
        seen.iter().any(|one| one.cause == "job 2").then_some(())
    })
    .await;
    let good = BTreeSet::from(["job 1", "job 2"].map(str::to_owned));
    let history = history_of(&stage, &seen, (good, BTreeSet::new())).await;
    assert_eq!(history.faults(), ["job 1 was lost"]);
}
