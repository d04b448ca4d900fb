//! What a batch gives back, and how prepared statements live through changes.

use std::num::NonZeroUsize;
use std::time::Duration;

use pg::RequestContext;
use pg::pipeline::{Batch, Outcome, Pipeline, PipelineError, PipelineOptions, Statement};

use super::{ask, database, one, options, refused, text, user};

#[tokio::test]
async fn each_statement_answers_with_columns_rows_and_tag() {
    let (_db, pipeline) = database("", 1).await;
    let batch = Batch::read_write()
        .then(
            Statement::new("select $1::int4 as n, $2::text as t")
                .bind("7")
                .bind_null(),
        )
        .then(Statement::new(
            "select g, 'x' || g from generate_series(1, 1000) g",
        ))
        .then(Statement::new("select from generate_series(1, 3)"))
        .then(Statement::new(""));
    // The second time nothing is prepared nor described any more.
    for _ in 0..2 {
        let results = pipeline.run(&user("a"), &batch).await.expect("results");
        let [first, second, third, fourth] = &results[..] else {
            panic!("four results: {results:?}");
        };
        let columns = first.columns.iter();
        let columns: Vec<_> = columns.map(|c| (c.name.as_str(), c.type_oid)).collect();
        assert_eq!(columns, [("n", 23), ("t", 25)]);
        let row = first.rows.first().expect("a row");
        assert_eq!(row.values().collect::<Vec<_>>(), [Some(&b"7"[..]), None]);
        assert_eq!(
            (row.get(0), row.get(1), row.get(2)),
            (Some(&b"7"[..]), None, None)
        );
        assert_eq!(
            (second.rows.len(), &*second.tag, second.affected()),
            (1000, "SELECT 1000", 1000)
        );
        let last = second.rows.iter().last().expect("a row");
        assert_eq!(last.bytes(1).as_deref(), Some(&b"x1000"[..]));
        assert_eq!((third.rows.iter().count(), third.columns.len()), (3, 0));
        assert_eq!(
            (fourth.rows.len(), &*fourth.tag, fourth.affected()),
            (0, "", 0)
        );
    }
}

#[tokio::test]
async fn changed_rows_are_counted() {
    let (_db, pipeline) = database("create table lab.n (i int)", 1).await;
    let insert = "insert into lab.n select generate_series(1, 5)";
    let results = pipeline
        .run(&user("a"), &one(insert))
        .await
        .expect("inserted");
    assert_eq!((&*results[0].tag, results[0].affected()), ("INSERT 0 5", 5));
    assert!(results[0].columns.is_empty());
}

#[tokio::test]
async fn types_can_be_given() {
    let (_db, pipeline) = database("", 1).await;
    let typed = |oid| Statement::new("select pg_typeof($1)").bind_as(oid, Some("1".into()));
    for (oid, name) in [(23, "integer"), (25, "text"), (114, "json")] {
        let batch = Batch::read_only().then(typed(oid));
        let results = pipeline.run(&user("a"), &batch).await.expect("results");
        assert_eq!(text(&results), name);
    }
}

#[tokio::test]
async fn the_context_is_there_for_the_statements() {
    let (_db, pipeline) = database("", 1).await;
    let context = RequestContext::new("anon", r#"{"role":"anon"}"#)
        .with_target("PATCH", "/todos")
        .with_headers(r#"{"accept":"*/*"}"#)
        .with_cookies(r#"{"a":"b"}"#);
    let sql = "select concat_ws('|', session_user, current_user, \
        current_setting('request.jwt.claims'), current_setting('request.method'), \
        current_setting('request.path'), current_setting('request.headers'), \
        current_setting('request.cookies'), current_setting('statement_timeout'), \
        current_setting('search_path'), current_setting('TimeZone'))";
    let batch = one(sql)
        .with_setting("search_path", r#""extensions", "public""#)
        .with_setting("timezone", "Asia/Tokyo");
    let results = pipeline.run(&context, &batch).await.expect("results");
    let expected = r#"authenticator|anon|{"role":"anon"}|PATCH|/todos|{"accept":"*/*"}|{"a":"b"}|3s|"extensions", "public"|Asia/Tokyo"#;
    assert_eq!(text(&results), expected);

    let context = context.with_statement_timeout(Duration::from_millis(1500));
    let timeout = one("select current_setting('statement_timeout')");
    let results = pipeline.run(&context, &timeout).await.expect("results");
    assert_eq!(text(&results), "1500ms");
}

#[tokio::test]
async fn names_are_looked_up_in_the_search_path_of_their_own_request() {
    let (_db, pipeline) = database(
        "create schema one; create schema two; \
         create function one.who() returns text language sql as 'select ''one''::text'; \
         create function two.who() returns text language sql as 'select ''two''::text'; \
         grant usage on schema one, two to authenticated",
        1,
    )
    .await;
    for schema in ["one", "two", "one"] {
        let batch = one("select who()").with_setting("search_path", schema);
        let results = pipeline.run(&user("a"), &batch).await.expect("results");
        assert_eq!(text(&results), schema);
    }
}

#[tokio::test]
async fn an_error_has_all_its_fields_and_undoes_the_batch() {
    let (db, pipeline) = database(
        "create table lab.n (i int constraint small check (i < 10))",
        1,
    )
    .await;
    let batch = one("insert into lab.n values (1)")
        .then(Statement::new("insert into lab.n values ($1)").bind("10"))
        .then(Statement::new("insert into lab.n values (2)"));
    let error = refused(pipeline.run(&user("a"), &batch).await);
    assert_eq!((&*error.severity, &*error.code), ("ERROR", "23514"));
    assert_eq!(error.statement, Some(1));
    assert_eq!(error.schema.as_deref(), Some("lab"));
    assert_eq!(error.table.as_deref(), Some("n"));
    assert_eq!(error.constraint.as_deref(), Some("small"));
    assert_eq!(error.detail.as_deref(), Some("Failing row contains (10)."));
    assert!(error.message.contains("violates check constraint"));

    let raised = "do $$ begin raise exception 'no' using errcode = 'PT402', \
        hint = 'pay', detail = 'broke'; end $$";
    let error = refused(pipeline.run(&user("a"), &one(raised)).await);
    let texts = (error.code, error.message, error.hint, error.detail);
    assert_eq!(
        texts,
        (
            "PT402".into(),
            "no".into(),
            Some("pay".into()),
            Some("broke".into())
        )
    );

    let error = refused(pipeline.run(&user("a"), &one("select 1 +")).await);
    assert_eq!((&*error.code, error.position), ("42601", Some(11)));

    let left: i64 = sqlx::query_scalar("select count(*) from lab.n")
        .fetch_one(&db.admin_pool())
        .await
        .expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_statement_outlives_changes_of_its_table() {
    let (db, pipeline) = database(
        "create table lab.t (a int); insert into lab.t values (1)",
        3,
    )
    .await;
    let batch = Batch::read_only().then(Statement::new("select * from lab.t"));
    let context = user("a");
    // All three connections prepare it.
    let all = || async {
        let (a, b, c) = tokio::join!(
            pipeline.run(&context, &batch),
            pipeline.run(&context, &batch),
            pipeline.run(&context, &batch)
        );
        [a, b, c].map(|results| results.expect("results")[0].columns.len())
    };
    assert_eq!(all().await, [1, 1, 1]);
    for (change, columns) in [
        ("alter table lab.t add b text default 'x'", 2),
        ("alter table lab.t alter a type text", 2),
        ("alter table lab.t drop b", 1),
    ] {
        db.execute(change).await;
        assert_eq!(all().await, [columns; 3], "{change}");
    }
}

#[tokio::test]
async fn statements_that_something_dropped_are_prepared_anew() {
    let (_db, pipeline) = database("", 1).await;
    assert_eq!(ask(&pipeline, "select 'here'").await, "here");
    let dropped = pipeline.run(&user("a"), &one("deallocate all")).await;
    dropped.expect("dropped");
    assert_eq!(ask(&pipeline, "select 'here'").await, "here");
}

#[tokio::test]
async fn the_same_sqlstate_raised_by_a_function_is_the_callers_to_see() {
    let (_db, pipeline) = database("create sequence lab.tries", 1).await;
    let sql = "do $$ begin perform nextval('lab.tries'); \
        raise exception 'cached plan must not change result type' using errcode = '0A000'; end $$";
    for _ in 0..2 {
        let error = refused(pipeline.run(&user("a"), &one(sql)).await);
        assert_eq!(error.code, "0A000");
    }
    assert_eq!(
        ask(&pipeline, "select last_value from lab.tries").await,
        "2"
    );
}

#[tokio::test]
async fn a_connection_keeps_a_bounded_number_of_statements() {
    let (db, _) = database("", 1).await;
    let options = PipelineOptions {
        statement_cache: NonZeroUsize::new(4).expect("not zero"),
        ..options(1)
    };
    let pipeline = Pipeline::new(db.endpoint("authenticator"), options).expect("a pipeline");
    let texts: Vec<_> = (0..20).map(|n| format!("select {n}")).collect();
    for sql in &texts {
        pipeline.run(&user("a"), &one(sql)).await.expect("results");
    }
    let count = "select count(*) <= 8 from pg_prepared_statements";
    assert_eq!(ask(&pipeline, count).await, "t");

    // A batch with more statements than are kept, some of them twice, works all the same.
    let mut batch = Batch::read_only();
    for sql in texts.iter().chain(&texts) {
        batch = batch.then(Statement::new(sql));
    }
    for _ in 0..3 {
        let results = pipeline.run(&user("a"), &batch).await.expect("results");
        let values: Vec<_> = results
            .iter()
            .map(|r| r.value().expect("a value"))
            .collect();
        let expected: Vec<_> = (0..20).chain(0..20).map(|n| n.to_string()).collect();
        assert_eq!(values, expected);
    }
    assert_eq!(ask(&pipeline, count).await, "t");
}

#[tokio::test]
async fn a_statement_that_failed_to_prepare_can_be_tried_again() {
    let (db, pipeline) = database("", 1).await;
    let batch = one("select 1").then(Statement::new("select i from lab.later"));
    for _ in 0..2 {
        assert_eq!(
            refused(pipeline.run(&user("a"), &batch).await).code,
            "42P01"
        );
    }
    db.execute("create table lab.later (i int)").await;
    pipeline.run(&user("a"), &batch).await.expect("results");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_and_harms_nothing() {
    let (_db, pipeline) = database("", 1).await;
    let pid = ask(&pipeline, "select pg_backend_pid()").await;
    let mut many = Statement::new("select 1");
    for _ in 0..70_000 {
        many = many.bind("1");
    }
    let mut settings = one("select 1");
    for n in 0..65 {
        settings = settings.with_setting(format!("a.b{n}"), "c");
    }
    for batch in [one("select 1\0"), Batch::read_write().then(many), settings] {
        let refused = pipeline.run(&user("a"), &batch).await;
        assert!(
            matches!(refused, Err(PipelineError::Invalid(_))),
            "{refused:?}"
        );
    }
    assert_eq!(ask(&pipeline, "select pg_backend_pid()").await, pid);
}

#[tokio::test]
async fn a_copy_ends_the_connection_instead_of_hanging() {
    let (_db, pipeline) = database("", 1).await;
    for sql in ["copy (select 1) to stdout", "create temp table c (i int)"] {
        let _ = pipeline.run(&user("a"), &one(sql)).await;
    }
    let batch = one("create temp table c2 (i int)").then(Statement::new("copy c2 from stdin"));
    let ended = pipeline.run(&user("a"), &batch).await;
    let outcome = match ended {
        Err(PipelineError::Unavailable { outcome, .. }) => outcome,
        other => panic!("{other:?}"),
    };
    assert_eq!(outcome, Outcome::Unknown);
    assert_eq!(ask(&pipeline, "select 'well'").await, "well");
}

#[tokio::test]
async fn much_in_both_directions_at_once_does_not_lock_up() {
    let (_db, pipeline) = database("", 1).await;
    let large = "x".repeat(400_000);
    let mut batch = Batch::read_only();
    for _ in 0..40 {
        batch = batch.then(Statement::new("select $1::text").bind(&*large));
    }
    let results = pipeline.run(&user("a"), &batch).await.expect("results");
    assert!(
        results
            .iter()
            .all(|result| result.value().expect("a value") == large)
    );
}
