//! What is committed, when, and what is not.

use pg::pipeline::{Batch, Decision, Isolation, Outcome, PipelineError, Statement};

use super::{ask, database, one, refused, text, user};

const TABLE: &str = "create table lab.n (i int primary key deferrable initially deferred)";

#[tokio::test]
async fn an_error_at_the_commit_is_the_batchs() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let batch =
        one("insert into lab.n values (1)").then(Statement::new("insert into lab.n values (1)"));
    let error = refused(pipeline.run(&user("a"), &batch).await);
    assert_eq!((&*error.code, error.statement), ("23505", None));
    let checked = pipeline
        .run_checked(&user("a"), &batch, |_| Decision::Commit)
        .await;
    assert_eq!(refused(checked).code, "23505");
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
}

#[tokio::test]
async fn a_checked_batch_lasts_if_its_caller_says_so() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let insert = one("insert into lab.n values (1) returning i");
    let decide = |affected, otherwise| {
        move |results: &[pg::pipeline::ResultSet]| {
            let matches = results[0].affected() == affected;
            if matches { Decision::Commit } else { otherwise }
        }
    };
    for (affected, decision, count) in [(2, Decision::Rollback, "0"), (1, Decision::Commit, "1")] {
        let decide = decide(affected, Decision::Rollback);
        let checked = pipeline.run_checked(&user("a"), &insert, decide).await;
        let checked = checked.expect("results");
        assert_eq!(
            (checked.decision, checked.results[0].rows.len()),
            (decision, 1)
        );
        assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, count);
    }
    let failed = one("insert into lab.n values (2)").then(Statement::new("select 1/0"));
    let failed = pipeline
        .run_checked(&user("a"), &failed, |_| Decision::Commit)
        .await;
    assert_eq!(refused(failed).code, "22012");
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "1");
}

#[tokio::test]
async fn a_panic_while_deciding_commits_nothing() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let other = pipeline.clone();
    let task = tokio::spawn(async move {
        let insert = one("insert into lab.n values (1)");
        let _ = other
            .run_checked(&user("a"), &insert, |_| panic!("on purpose"))
            .await;
    });
    assert!(task.await.expect_err("a panic").is_panic());
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
}

#[tokio::test]
async fn a_read_only_batch_cannot_write_by_any_way() {
    let setup = [
        TABLE,
        "; create function lab.sneak() returns void language sql security definer \
         as 'insert into lab.n values (9)'",
    ];
    let (_db, pipeline) = database(&setup.concat(), 1).await;
    for sql in [
        "insert into lab.n values (1)",
        "select lab.sneak()",
        "do $$ begin set local transaction_read_only = off; insert into lab.n values (1); end $$",
        "do $$ begin perform set_config('transaction_read_only', 'off', true); end $$",
    ] {
        let batch = Batch::read_only().then(Statement::new(sql));
        let code = refused(pipeline.run(&user("a"), &batch).await).code;
        assert!(
            ["25006", "25001", "22023"].contains(&&*code),
            "{sql}: {code}"
        );
    }
    let batch = Batch::read_only()
        .with_isolation(Isolation::Serializable)
        .then(Statement::new("select lab.sneak()"));
    assert_eq!(
        refused(pipeline.run(&user("a"), &batch).await).code,
        "25006"
    );
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
    // And the next request may write again.
    pipeline
        .run(&user("a"), &one("select lab.sneak()"))
        .await
        .expect("written");
}

#[tokio::test]
async fn isolation_is_the_one_asked_for() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let levels = [
        (Isolation::ReadCommitted, "read committed"),
        (Isolation::RepeatableRead, "repeatable read"),
        (Isolation::Serializable, "serializable"),
    ];
    for (n, (isolation, name)) in levels.into_iter().enumerate() {
        let n = n.to_string();
        let batch = one("insert into lab.n values ($1)").with_isolation(isolation);
        let mut batch = batch.then(Statement::new(
            "select current_setting('transaction_isolation')",
        ));
        batch.statements[0] = batch.statements[0].clone().bind(n);
        let results = pipeline.run(&user("a"), &batch).await.expect("results");
        assert_eq!(text(&results), name);
    }
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "3");
}

#[tokio::test]
async fn a_statement_that_takes_over_the_transaction_is_no_success() {
    let (_db, pipeline) = database(TABLE, 1).await;
    for sql in ["begin", "commit; begin", "start transaction"] {
        let batch = one("insert into lab.n values (1)").then(Statement::new(sql));
        let taken = pipeline.run(&user("a"), &batch).await;
        assert!(
            matches!(
                taken,
                Err(PipelineError::Unavailable {
                    outcome: Outcome::Unknown,
                    ..
                } | PipelineError::Database(_))
            ),
            "{sql}: {taken:?}"
        );
    }
    assert_eq!(ask(&pipeline, "select count(*) from lab.n").await, "0");
}

#[tokio::test]
async fn batches_of_one_transaction_last_together_or_not_at_all() {
    let (_db, pipeline) = database("create table lab.n (i int)", 1).await;
    let count = "select count(*) from lab.n";
    let insert = "insert into lab.n values (1)";
    let begun = pipeline.begin(&user("a"), &one(insert)).await;
    let (mut transaction, results) = begun.expect("a transaction");
    assert_eq!(results[0].affected(), 1);
    let who = one("select current_setting('request.jwt.claims')");
    for name in ["a", "b"] {
        let context = user(name);
        let results = transaction.run(&context, &who).await.expect("results");
        assert_eq!(text(&results), &*context.claims);
    }
    let seen = transaction.run(&user("a"), &one(count)).await;
    assert_eq!(text(&seen.expect("results")), "1");
    transaction.end(Decision::Commit).await.expect("committed");

    let begun = pipeline.begin(&user("a"), &one(insert)).await;
    let (mut transaction, _) = begun.expect("a transaction");
    let failed = transaction.run(&user("a"), &one("select 1/0")).await;
    assert_eq!(refused(failed).code, "22012");
    drop(transaction);
    let begun = pipeline.begin(&user("a"), &one(insert)).await;
    drop(begun.expect("a transaction"));
    let begun = pipeline.begin(&user("a"), &one(insert)).await;
    let (transaction, _) = begun.expect("a transaction");
    transaction.end(Decision::Rollback).await.expect("undone");
    let left = pipeline.run(&user("a"), &one(count)).await;
    assert_eq!(text(&left.expect("results")), "1");
}
