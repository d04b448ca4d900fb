//! Requests that share connections share nothing else.

use std::time::Duration;

use pg::RequestContext;
use pg::pipeline::{Batch, Decision, Statement};

use super::{ask, database, one, refused, text, user};

/// Users' own rows behind row-level security, read through the claims.
const NOTES: &str = "create table lab.notes (owner text, body text); \
    alter table lab.notes enable row level security; \
    create policy own on lab.notes for all to authenticated \
      using (owner = current_setting('request.jwt.claims')::json->>'sub')";

#[tokio::test]
async fn users_on_shared_connections_see_only_their_own() {
    let (_db, pipeline) = database(NOTES, 3).await;
    let tasks = (0..12).map(|n| {
        let pipeline = pipeline.clone();
        tokio::spawn(async move { live(&pipeline, &format!("user{n}"), n).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a user's life");
    }
}

/// One user's requests, in every way a request can go, each checked to be this user's.
async fn live(pipeline: &pg::pipeline::Pipeline, name: &str, seed: usize) {
    let context = if seed.is_multiple_of(4) {
        RequestContext::new("anon", format!(r#"{{"sub":"{name}"}}"#))
    } else {
        user(name)
    };
    let identity = "select current_user || ' ' || \
        (current_setting('request.jwt.claims')::json->>'sub')";
    let expected = format!("{} {name}", context.role);
    let whole = Batch::read_only()
        .then(Statement::new(
            "select coalesce(string_agg(distinct owner, ','), '') from lab.notes",
        ))
        .then(Statement::new(identity));
    for turn in 0..40 {
        match (seed + turn) % 6 {
            0 if context.role != "anon" => {
                let insert = Statement::new("insert into lab.notes values ($1, 'x')").bind(name);
                let batch = Batch::read_write().then(insert);
                pipeline.run(&context, &batch).await.expect("inserted");
            }
            1 => {
                let batch = one(identity).then(Statement::new("select 1/0"));
                assert_eq!(refused(pipeline.run(&context, &batch).await).code, "22012");
            }
            2 => {
                let short = one("select pg_sleep(0.01)");
                let dropped =
                    tokio::time::timeout(Duration::from_millis(2), pipeline.run(&context, &short));
                let _ = dropped.await;
            }
            3 => {
                let batch = one(identity);
                let checked = pipeline.run_checked(&context, &batch, |_| Decision::Rollback);
                assert_eq!(text(&checked.await.expect("results").results), expected);
            }
            _ => {}
        }
        let results = pipeline.run(&context, &whole).await.expect("results");
        assert_eq!(text(&results), expected);
        let owners = text(&results[..1]);
        assert!(
            owners.is_empty() || owners == name,
            "{name} saw rows of {owners}"
        );
    }
}

#[tokio::test]
async fn nothing_of_a_request_is_left_for_the_next() {
    let (_db, pipeline) = database("", 1).await;
    let look = "select concat_ws('|', current_user, current_setting('request.jwt.claims'), \
        current_setting('request.path'), current_setting('search_path'), \
        current_setting('transaction_read_only'))";
    let clean = text(&pipeline.run(&user("b"), &one(look)).await.expect("results"));
    let context = RequestContext::new("anon", r#"{"sub":"a"}"#).with_target("GET", "/x");
    for sql in [
        "select 1",
        "select 1/0",
        "select no_such_column",
        "nonsense",
    ] {
        let first = Batch::read_only()
            .then(Statement::new(sql))
            .with_setting("search_path", "extensions");
        let _ = pipeline.run(&context, &first).await;
        let _ = pipeline
            .run_checked(&context, &first, |_| Decision::Commit)
            .await;
        let after = text(&pipeline.run(&user("b"), &one(look)).await.expect("results"));
        assert_eq!(after, clean, "after {sql}");
    }
}

#[tokio::test]
async fn a_user_cannot_become_the_service_role() {
    let (_db, pipeline) = database("", 1).await;
    for sql in [
        "select set_config('role', 'service_role', true)",
        "set local role service_role",
        "set session authorization service_role",
        "do $$ begin reset role; set local role service_role; end $$",
    ] {
        for role in ["anon", "authenticated"] {
            let context = RequestContext::new(role, "{}");
            let code = refused(pipeline.run(&context, &one(sql)).await).code;
            assert_eq!(code, "42501", "{role}: {sql}");
        }
    }
}

#[tokio::test]
async fn without_its_role_a_batch_runs_nothing() {
    let (_db, pipeline) = database("create table lab.open (i int)", 1).await;
    let insert = one("insert into lab.open values (1)");
    for (role, code) in [
        ("service_role", "42501"),
        ("postgres", "42501"),
        ("ghost", "22023"),
    ] {
        let context = RequestContext::new(role, "{}");
        let error = refused(pipeline.run(&context, &insert).await);
        assert_eq!((&*error.code, error.statement), (code, None), "{role}");
        let checked = pipeline
            .run_checked(&context, &insert, |_| Decision::Commit)
            .await;
        assert_eq!(refused(checked).code, code);
    }
    let unset = insert.clone().with_setting("work_mem", "a lot");
    assert_eq!(
        refused(pipeline.run(&user("a"), &unset).await).statement,
        None
    );
    assert_eq!(ask(&pipeline, "select count(*) from lab.open").await, "0");
}

#[tokio::test]
async fn the_login_role_itself_is_no_role_for_a_request() {
    let (_db, pipeline) = database("", 1).await;
    for role in ["none", "authenticator"] {
        let context = RequestContext::new(role, "{}");
        let error = refused(pipeline.run(&context, &one("select 1")).await);
        assert_eq!((&*error.code, error.statement), ("42501", None), "{role}");
    }
}

#[tokio::test]
async fn a_session_whose_settings_moved_is_not_used_again() {
    let (_db, pipeline) = database("", 1).await;
    let pid = ask(&pipeline, "select pg_backend_pid()").await;
    ask(
        &pipeline,
        "select set_config('TimeZone', 'Asia/Tokyo', true)",
    )
    .await;
    assert_eq!(ask(&pipeline, "select pg_backend_pid()").await, pid);
    ask(
        &pipeline,
        "select set_config('TimeZone', 'Asia/Tokyo', false)",
    )
    .await;
    assert_ne!(ask(&pipeline, "select pg_backend_pid()").await, pid);
    assert_ne!(
        ask(&pipeline, "select current_setting('TimeZone')").await,
        "Asia/Tokyo"
    );
}
