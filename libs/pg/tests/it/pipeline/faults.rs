//! Connections that die, callers that go away, statements that take too long.

use std::time::{Duration, Instant};

use pg::pipeline::{Batch, ConnectionError, Outcome, Pipeline, PipelineError, Statement};
use pg::{roles, sqlx};
use testkit::TestDatabase;
use tokio::time::timeout;

use super::{ask, database, eventually, one, options, pipeline_at, refused, sessions};
use super::{terminate_sessions, user};

const COUNTER: &str = "create table lab.n (i int)";

const SLEEPING: &str = "state = 'active' and query like '%pg_sleep%'";

/// Runs `batch` until the database is working on it.
async fn begun(
    db: &TestDatabase,
    pipeline: &Pipeline,
    batch: Batch<'static>,
) -> tokio::task::JoinHandle<Result<(), PipelineError>> {
    let pipeline = pipeline.clone();
    let running = tokio::spawn(async move {
        let results = pipeline.run(&user("a"), &batch).await;
        results.map(|_| ())
    });
    eventually("the statement runs", async || {
        sessions(db, SLEEPING).await == 1
    })
    .await;
    running
}

/// The process of the session that sleeps; 0 where none does.
async fn sleeper(db: &TestDatabase) -> i32 {
    let sql = format!(
        "select coalesce(max(pid), 0) from pg_stat_activity \
         where datname = current_database() and application_name = 'pipeline-test' and {SLEEPING}"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&db.admin_pool())
        .await
        .expect("a process")
}

async fn end(db: &TestDatabase, process: i32) {
    let sql = format!("select pg_terminate_backend({process})");
    db.execute(&sql).await;
}

#[tokio::test]
async fn a_session_ended_in_mid_statement_is_said_to_be_unavailable() {
    let (db, pipeline) = database(COUNTER, 2).await;
    let batch = one("insert into lab.n values (1)").then(Statement::new("select pg_sleep(30)"));
    let running = begun(&db, &pipeline, batch).await;
    terminate_sessions(&db).await;
    match running.await.expect("no panic") {
        Err(PipelineError::Unavailable {
            outcome: Outcome::NotApplied,
            source: ConnectionError::Ended(error),
        }) => assert_eq!(error.code, "57P01"),
        other => panic!("{other:?}"),
    }
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
}

#[tokio::test]
async fn a_read_whose_session_is_ended_runs_once_more_in_another() {
    let (db, pipeline) = database("", 2).await;
    let batch = Batch::read_only()
        .then(Statement::new("select 1"))
        .then(Statement::new("select pg_sleep(30)"));
    let running = begun(&db, &pipeline, batch).await;
    let first = sleeper(&db).await;
    end(&db, first).await;
    eventually("it runs again", async || {
        ![0, first].contains(&sleeper(&db).await)
    })
    .await;
    end(&db, sleeper(&db).await).await;
    let ended = running.await.expect("no panic");
    let unavailable = matches!(ended, Err(PipelineError::Unavailable { .. }));
    assert!(unavailable, "{ended:?}");
}

#[tokio::test]
async fn sessions_ended_while_idle_are_noticed_before_a_batch_is_sent() {
    let (db, pipeline) = database(COUNTER, 3).await;
    let insert = one("insert into lab.n values (1)");
    for turn in 0..10 {
        let context = user("a");
        let (a, b, c) = tokio::join!(
            pipeline.run(&context, &insert),
            pipeline.run(&context, &insert),
            pipeline.run(&context, &insert)
        );
        for inserted in [a, b, c] {
            inserted.unwrap_or_else(|error| panic!("turn {turn}: {error:?}"));
        }
        terminate_sessions(&db).await;
    }
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "30");
}

#[tokio::test]
async fn a_long_statement_whose_caller_is_gone_is_cancelled() {
    let (db, pipeline) = database(COUNTER, 1).await;
    let insert = one("insert into lab.n values (1)").then(Statement::new("select pg_sleep(30)"));
    let running = begun(&db, &pipeline, insert).await;
    running.abort();
    eventually("it is cancelled", async || {
        sessions(&db, SLEEPING).await == 0
    })
    .await;
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
    assert_eq!(sessions(&db, "true").await, 1);
}

#[tokio::test]
async fn a_short_statement_whose_caller_is_gone_is_read_to_its_end() {
    let (_db, pipeline) = database(COUNTER, 1).await;
    let pid = ask(&pipeline, "select pg_backend_pid()").await;
    let insert = one("insert into lab.n select 1 from pg_sleep(0.05)");
    for _ in 0..5 {
        let gone = timeout(Duration::from_millis(5), pipeline.run(&user("a"), &insert)).await;
        assert!(gone.is_err());
        // The answer is this request's own, on the same connection.
        assert_eq!(ask(&pipeline, "select pg_backend_pid()").await, pid);
    }
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "5");
}

#[tokio::test]
async fn a_caller_may_go_at_any_moment() {
    let (_db, pipeline) = database(COUNTER, 2).await;
    for micros in (0..3000).step_by(60) {
        let patience = Duration::from_micros(micros);
        let words = [format!("first {micros}"), format!("second {micros}")];
        let echo = |word| Batch::read_only().then(Statement::new("select $1::text").bind(word));
        let [one, two] = words.each_ref().map(|word| echo(word.as_str()));
        let context = user("a");
        let (first, second) = tokio::join!(
            timeout(patience, pipeline.run(&context, &one)),
            pipeline.run(&context, &two)
        );
        for (results, word) in [first.ok(), Some(second)].into_iter().zip(&words) {
            if let Some(results) = results {
                assert_eq!(super::text(&results.expect("results")), *word);
            }
        }
    }
}

#[tokio::test]
async fn under_load_the_wait_for_a_connection_ends() {
    let (db, _) = database("", 1).await;
    let options = pg::pipeline::PipelineOptions {
        acquire_timeout: Duration::from_millis(100),
        ..options(1)
    };
    let pipeline = Pipeline::new(db.endpoint(roles::AUTHENTICATOR), options).expect("a pipeline");
    let running = begun(&db, &pipeline, one("select pg_sleep(30)")).await;
    let started = Instant::now();
    let refused = pipeline.run(&user("a"), &one("select 1")).await;
    assert!(matches!(refused, Err(PipelineError::Busy)), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    running.abort();
    let served = async || pipeline.run(&user("a"), &one("select 1")).await.is_ok();
    eventually("it serves again", served).await;
}

#[tokio::test]
async fn the_contexts_time_out_is_enforced_by_postgres() {
    let (_db, pipeline) = database("", 1).await;
    let context = user("a").with_statement_timeout(Duration::from_millis(50));
    let batch = one("select 1").then(Statement::new("select pg_sleep(30)"));
    let error = refused(pipeline.run(&context, &batch).await);
    assert_eq!((&*error.code, error.statement), ("57014", Some(1)));
}

#[tokio::test]
async fn a_deadline_cancels_what_postgres_would_go_on_with() {
    let (db, pipeline) = database(COUNTER, 1).await;
    let batch = one("insert into lab.n values (1)")
        .then(Statement::new(
            "select set_config('statement_timeout', '0', true)",
        ))
        .then(Statement::new("select pg_sleep(30)"))
        .with_deadline(Duration::from_millis(100));
    let started = Instant::now();
    let late = pipeline.run(&user("a"), &batch).await;
    let undone = PipelineError::Deadline {
        outcome: Outcome::NotApplied,
    };
    assert_eq!(format!("{late:?}"), format!("{:?}", Err::<(), _>(undone)));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(sessions(&db, SLEEPING).await, 0);
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
}

#[tokio::test]
async fn where_nobody_listens_requests_fail_at_once_and_the_next_attempt_waits() {
    let (db, _) = database("", 1).await;
    let mut endpoint = db.endpoint(roles::AUTHENTICATOR);
    endpoint.port = testkit::fault::free_port();
    let pipeline = pipeline_at(endpoint, 4);
    for turn in 0..20 {
        match pipeline.run(&user("a"), &one("select 1")).await {
            Err(PipelineError::Unavailable {
                outcome: Outcome::NotApplied,
                source,
            }) => {
                let waits = matches!(source, ConnectionError::BackingOff);
                assert_eq!(waits, turn > 0, "{source}");
            }
            other => panic!("{other:?}"),
        }
        if turn > 5 {
            break;
        }
    }
}
