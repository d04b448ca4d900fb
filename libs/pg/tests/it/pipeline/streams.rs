//! Rows handed out as they come.

use std::time::Duration;

use pg::pipeline::{Batch, Isolation, PipelineError, Statement};

use super::{ask, database, eventually, one, refused, sessions, user};

#[tokio::test]
async fn all_rows_come_in_order_and_few_at_a_time() {
    let (_db, pipeline) = database("", 1).await;
    let sql = "select g, repeat('x', 100) from generate_series(1, 100000) g";
    let batch = Batch::read_only()
        .then(Statement::new("select 'first'"))
        .then(Statement::new(sql));
    let mut stream = pipeline.stream(&user("a"), &batch).await.expect("a stream");
    assert_eq!(stream.columns()[0].name, "g");
    let (mut count, mut most) = (0_u32, 0);
    while let Some(rows) = stream.next().await.expect("rows") {
        let mut bytes = 0;
        for row in rows.iter() {
            count += 1;
            assert_eq!(row.get(0), Some(count.to_string().as_bytes()));
            bytes += row.values().flatten().map(<[u8]>::len).sum::<usize>();
        }
        most = most.max(bytes);
    }
    assert_eq!(count, 100_000);
    assert!(most < 64 * 1024, "{most} bytes at once");
    drop(stream);
    assert_eq!(ask(&pipeline, "select 'next'").await, "next");
}

#[tokio::test]
async fn a_reader_that_pauses_stops_the_server() {
    let (db, pipeline) = database("", 2).await;
    let sql = "select repeat('x', 1000) from generate_series(1, 1000000)";
    let batch = Batch::read_only().then(Statement::new(sql));
    let mut stream = pipeline.stream(&user("a"), &batch).await.expect("a stream");
    eventually("the server waits for us", async || {
        sessions(&db, "wait_event = 'ClientWrite'").await == 1
    })
    .await;
    for _ in 0..100 {
        assert!(stream.next().await.expect("rows").is_some());
    }
    drop(stream);
    eventually("it is stopped", async || {
        sessions(&db, "state = 'active' and query like '%repeat%'").await == 0
    })
    .await;
}

#[tokio::test]
async fn an_error_before_the_first_row_comes_first() {
    let (_db, pipeline) = database("", 1).await;
    for sql in ["select 1/0", "select no_such_column"] {
        let stream = pipeline.stream(&user("a"), &one(sql)).await;
        let Err(PipelineError::Database(error)) = stream else {
            panic!("no error for {sql}");
        };
        assert_eq!(error.statement, Some(0));
    }
}

#[tokio::test]
async fn an_error_amid_the_rows_ends_them() {
    let (_db, pipeline) = database("", 1).await;
    let sql = "select repeat('x', 100), 1 / (5000 - g) from generate_series(1, 10000) g";
    let mut stream = pipeline
        .stream(&user("a"), &one(sql))
        .await
        .expect("a stream");
    let mut count = 0;
    let error = loop {
        match stream.next().await {
            Ok(Some(rows)) => count += rows.len(),
            other => break refused(other),
        }
    };
    assert_eq!((&*error.code, count), ("22012", 4999));
    assert_eq!(refused(stream.next().await).code, "22012");
}

#[tokio::test]
async fn what_a_stream_wrote_lasts_once_it_has_ended() {
    let (_db, pipeline) = database("create table lab.n (i int)", 1).await;
    let insert = "insert into lab.n select generate_series(1, 20000) returning i, repeat('x', 100)";
    let count = async || -> u32 {
        let count = ask(&pipeline, "select count(*) from lab.n").await;
        count.parse().expect("a count")
    };
    for isolation in [Isolation::ReadCommitted, Isolation::Serializable] {
        let before = count().await;
        let batch = one(insert).with_isolation(isolation);
        let mut stream = pipeline.stream(&user("a"), &batch).await.expect("a stream");
        while stream.next().await.expect("rows").is_some() {}
        drop(stream);
        assert_eq!(count().await, before + 20_000);

        // One that is dropped may still end by itself; it is never half there.
        let mut stream = pipeline.stream(&user("a"), &batch).await.expect("a stream");
        assert!(stream.next().await.expect("rows").is_some());
        drop(stream);
        assert_eq!(count().await % 20_000, 0);
    }
}

#[tokio::test]
async fn a_server_that_goes_silent_meets_the_deadline() {
    let (_db, pipeline) = database("", 1).await;
    let sql = "select g, case when g > 1000 then pg_sleep(30)::text else repeat('x', 100) end \
        from generate_series(1, 2000) g";
    let batch = one(sql).with_deadline(Duration::from_millis(300));
    let mut stream = pipeline.stream(&user("a"), &batch).await.expect("a stream");
    let late = loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert!(
        matches!(late, Err(PipelineError::Deadline { .. })),
        "{late:?}"
    );
}
