//! Reads that wait for a connection and go out together: each is answered as if it were alone.

use super::*;

/// How many ask at once; far more than there are connections.
const CALLERS: usize = 64;

const TABLE: &str = "create table lab.numbers (n int); \
    insert into lab.numbers select generate_series(0, 9); \
    create function lab.drift() returns text language sql \
        as $$ select set_config('TimeZone', 'Asia/Tokyo', false) $$";

fn read(sql: &'static str) -> Batch<'static> {
    Batch::read_only().then(Statement::new(sql))
}

/// Has `pipeline` know the statements of `batches` as quick.
async fn warmed(pipeline: &Pipeline, batches: &[Batch<'_>]) {
    for batch in batches {
        let _ = pipeline.run(&user("a"), batch).await;
    }
}

/// Runs all of them at once, and answers what came of each.
async fn at_once(
    pipeline: &Pipeline,
    asked: impl IntoIterator<Item = (RequestContext, Batch<'static>)>,
) -> Vec<Result<Vec<ResultSet>, PipelineError>> {
    let running = asked.into_iter().map(|(context, batch)| {
        let pipeline = pipeline.clone();
        tokio::spawn(async move { pipeline.run(&context, &batch).await })
    });
    let running: Vec<_> = running.collect();
    let mut outcomes = Vec::new();
    for outcome in running {
        outcomes.push(outcome.await.expect("an outcome"));
    }
    outcomes
}

#[tokio::test]
async fn each_has_its_own_role_claims_and_values() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let who = "select concat_ws(' ', current_user, current_setting('request.jwt.claims'), $1::int)";
    let batch =
        |number: usize| Batch::read_only().then(Statement::new(who).bind(number.to_string()));
    for round in 0..4 {
        let asked = (0..CALLERS).map(|number| {
            let role = [roles::ANON, roles::AUTHENTICATED][number % 2];
            let claims = format!(r#"{{"n":{number}}}"#);
            (RequestContext::new(role, claims), batch(number))
        });
        let outcomes = at_once(&pipeline, asked).await;
        for (number, outcome) in outcomes.into_iter().enumerate() {
            let role = [roles::ANON, roles::AUTHENTICATED][number % 2];
            let said = text(&outcome.expect("results"));
            let expected = format!(r#"{role} {{"n":{number}}} {number}"#);
            assert_eq!(said, expected, "round {round}");
        }
    }
    assert_eq!(pipeline.pool_use().waiting, 0);
    assert_eq!(pipeline.pool_use().available, 1);
}

#[tokio::test]
async fn an_error_is_only_for_whom_it_concerns() {
    let (_db, pipeline) = database(TABLE, 2).await;
    let divided = "select 60 / $1::int";
    let by =
        |number: usize| Batch::read_only().then(Statement::new(divided).bind(number.to_string()));
    warmed(&pipeline, &[by(1), by(2)]).await;
    let asked = (0..CALLERS).map(|number| (user("a"), by(number % 3)));
    for (number, outcome) in at_once(&pipeline, asked).await.into_iter().enumerate() {
        match [None, Some("60"), Some("30")][number % 3] {
            None => assert_eq!(refused(outcome).code, "22012"),
            Some(quotient) => assert_eq!(text(&outcome.expect("results")), quotient),
        }
    }
}

#[tokio::test]
async fn writes_in_between_are_done_once_each() {
    let (_db, pipeline) = database(TABLE, 2).await;
    let count = "select count(*) from lab.numbers where n >= 0";
    warmed(&pipeline, &[read(count), read(count)]).await;
    let asked = (0..CALLERS).map(|number| {
        let batch = match number % 4 {
            0 => one("insert into lab.numbers values (10)"),
            _ => read(count),
        };
        (user("a"), batch)
    });
    for outcome in at_once(&pipeline, asked).await {
        outcome.expect("results");
    }
    let rows = ask(&pipeline, "select count(*) from lab.numbers where n = 10").await;
    assert_eq!(rows, (CALLERS / 4).to_string());
}

#[tokio::test]
async fn a_changed_table_and_an_ended_session_fail_nobody() {
    let (db, pipeline) = database(TABLE, 2).await;
    let rows = "select * from lab.numbers where n < 3";
    let asked = || (0..CALLERS).map(|_| (user("a"), read(rows)));
    let answered = |outcomes: Vec<Result<Vec<ResultSet>, PipelineError>>| {
        for outcome in outcomes {
            let results = outcome.expect("results");
            assert_eq!(results[0].rows.iter().count(), 3);
        }
    };
    answered(at_once(&pipeline, asked()).await);
    for change in [
        "alter table lab.numbers add column more text default 'm'",
        "alter table lab.numbers drop column more",
    ] {
        let (outcomes, ()) = tokio::join!(at_once(&pipeline, asked()), db.execute(change));
        answered(outcomes);
    }
    let end = "select pg_terminate_backend(pid) from pg_stat_activity \
               where application_name = 'pipeline-test' and datname = current_database()";
    let (outcomes, ()) = tokio::join!(at_once(&pipeline, asked()), db.execute(end));
    answered(outcomes);
}

#[tokio::test]
async fn nobody_sees_a_session_that_another_has_changed() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let (zone, drift) = ("select current_setting('TimeZone')", "select lab.drift()");
    warmed(&pipeline, &[read(zone), read(drift), read(zone)]).await;
    let usual = ask(&pipeline, zone).await;
    assert_ne!(usual, "Asia/Tokyo");
    let asked = (0..CALLERS).map(|number| {
        let sql = if number % 5 == 2 { drift } else { zone };
        (user("a"), read(sql))
    });
    for (number, outcome) in at_once(&pipeline, asked).await.into_iter().enumerate() {
        let said = text(&outcome.expect("results"));
        let expected = if number % 5 == 2 {
            "Asia/Tokyo"
        } else {
            &usual
        };
        assert_eq!(said, expected, "caller {number}");
    }
}

#[tokio::test]
async fn callers_that_go_away_leave_the_others_theirs() {
    let (_db, pipeline) = database(TABLE, 1).await;
    let quick = "select n from lab.numbers where n = 1";
    let slow = "select pg_sleep(30)";
    warmed(&pipeline, &[read(quick)]).await;
    let begun = Instant::now();
    let mut leaving = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let pipeline = pipeline.clone();
        leaving.spawn(async move { pipeline.run(&user("a"), &read(slow)).await.is_ok() });
    }
    let staying = tokio::spawn({
        let pipeline = pipeline.clone();
        async move { at_once(&pipeline, (0..CALLERS).map(|_| (user("a"), read(quick)))).await }
    });
    while pipeline.pool_use().waiting < CALLERS {
        tokio::task::yield_now().await;
    }
    leaving.shutdown().await;
    for outcome in staying.await.expect("answers") {
        assert_eq!(text(&outcome.expect("results")), "1");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "a sleep was waited for"
    );
}

#[tokio::test]
async fn who_waits_too_long_is_told_so() {
    let (db, _) = database(TABLE, 1).await;
    let patience = Duration::from_millis(300);
    let options = PipelineOptions {
        acquire_timeout: patience,
        ..options(1)
    };
    let pipeline = Pipeline::new(db.endpoint(roles::AUTHENTICATOR), options).expect("a pipeline");
    warmed(&pipeline, &[read("select 1")]).await;
    let asked = (0..CALLERS).map(|number| {
        let sql = if number == 0 {
            "select pg_sleep(2)"
        } else {
            "select 1"
        };
        (user("a"), read(sql))
    });
    let outcomes = at_once(&pipeline, asked).await;
    let busy = |outcome: &&Result<_, _>| matches!(outcome, Err(PipelineError::Busy));
    let refused = outcomes.iter().filter(busy).count();
    assert_eq!(refused, CALLERS - 1);
    assert_eq!(pipeline.pool_use().timeouts, 63);
    assert_eq!(pipeline.pool_use().waiting, 0);
    assert_eq!(ask(&pipeline, "select 1").await, "1");
}
