//! The pipelined client on real Postgres.
#![expect(clippy::panic, reason = "what nothing accounts for stops the test")]

mod cluster;
mod faults;
mod isolation;
mod listener;
mod login;
mod operator;
mod statements;
mod streams;
mod together;
mod transactions;

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use pg::pipeline::{
    Batch, DatabaseError, Pipeline, PipelineError, PipelineOptions, ResultSet, Statement,
};
use pg::{Endpoint, RequestContext, roles};
use testkit::TestDatabase;

/// A pipeline's options with short waits.
fn options(connections: usize) -> PipelineOptions {
    let connections = NonZeroUsize::new(connections).expect("at least one");
    PipelineOptions {
        acquire_timeout: Duration::from_secs(10),
        deadline: Duration::from_secs(20),
        ..PipelineOptions::new("pipeline-test", connections)
    }
}

fn pipeline_at(endpoint: Endpoint, connections: usize) -> Pipeline {
    Pipeline::new(endpoint, options(connections)).expect("a pipeline")
}

/// Where tests lay their tables: open to every role, without the platform's rules for `public`.
const LAB: &str = "create schema lab; grant usage on schema lab to public; \
    alter default privileges in schema lab grant all on tables to public; \
    alter default privileges in schema lab grant all on sequences to public; \
    alter default privileges in schema lab grant execute on functions to public";

/// A database with `setup` run in it, and a pipeline of the login role for users.
async fn database(setup: &str, connections: usize) -> (TestDatabase, Pipeline) {
    let db = TestDatabase::new(&[]).await;
    db.execute(LAB).await;
    db.execute(setup).await;
    let pipeline = pipeline_at(db.endpoint(roles::AUTHENTICATOR), connections);
    (db, pipeline)
}

/// The request of a signed-in user.
fn user(name: &str) -> RequestContext {
    let claims = format!(r#"{{"sub":"{name}","role":"authenticated"}}"#);
    RequestContext::new(roles::AUTHENTICATED, claims)
}

fn one(sql: &str) -> Batch<'_> {
    Batch::read_write().then(Statement::new(sql))
}

/// The text of the first value of the last statement.
fn text(results: &[ResultSet]) -> String {
    let value = results.last().and_then(ResultSet::value).expect("a value");
    String::from_utf8(value.to_vec()).expect("text")
}

/// Runs one statement as user `a` and gives its first value.
async fn ask(pipeline: &Pipeline, sql: &str) -> String {
    let results = pipeline.run(&user("a"), &one(sql)).await;
    text(&results.expect("results"))
}

/// The database's answer, where that is the error expected.
fn refused<T: std::fmt::Debug>(outcome: Result<T, PipelineError>) -> DatabaseError {
    match outcome {
        Err(PipelineError::Database(error)) => *error,
        other => panic!("not an error of the database: {other:?}"),
    }
}

/// Asks `condition` until it holds.
async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many sessions of the pipeline the database has that match `condition`.
async fn sessions(db: &TestDatabase, condition: &str) -> i64 {
    let sql = format!(
        "select count(*) from pg_stat_activity where datname = current_database() \
         and application_name = 'pipeline-test' and {condition}"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&db.admin_pool())
        .await
        .expect("the sessions")
}

/// Ends every session of the pipeline, as an administrator would.
async fn terminate_sessions(db: &TestDatabase) {
    db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and application_name = 'pipeline-test'",
    )
    .await;
    eventually("the sessions ended", async || {
        sessions(db, "true").await == 0
    })
    .await;
}
