use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pg::pipeline::{Batch, Event, Listener, Outcome, Pipeline, PipelineError, Statement};
use pg::{Ident, RequestContext};
use testkit::fault::PrivateCluster;

use crate::pipeline::{eventually, pipeline_at, text};

/// Inserts 1, 2, 3, … one batch each until told to stop, never one twice; gives what was
/// acknowledged and what may have been applied besides.
async fn write(
    pipeline: Pipeline,
    next: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
) -> (Vec<u32>, Vec<u32>) {
    let context = RequestContext::new("writer", "{}");
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let n = next.fetch_add(1, Ordering::SeqCst);
        let text = n.to_string();
        let insert = Statement::new("insert into public.n values ($1)").bind(text);
        match pipeline
            .run(&context, &Batch::read_write().then(insert))
            .await
        {
            Ok(_) => acknowledged.push(n),
            Err(PipelineError::Unavailable { outcome, .. }) => {
                if outcome == Outcome::Unknown {
                    unknown.push(n);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Err(error) => panic!("{n}: {error:?}"),
        }
    }
    (acknowledged, unknown)
}

/// Whether a statement of the pipeline is served now; anything but "unavailable" fails the test.
async fn serves(pipeline: &Pipeline) -> bool {
    let context = RequestContext::new("writer", "{}");
    let batch = Batch::read_only().then(Statement::new("select 1"));
    match pipeline.run(&context, &batch).await {
        Ok(results) => text(&results) == "1",
        Err(PipelineError::Unavailable { .. }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_it_serves_within_a_second_and_has_lost_and_doubled_nothing() {
    let mut cluster = PrivateCluster::start().await;
    let admin = pg::pool(&cluster.endpoint(), &pg::PoolOptions::new("test", 1));
    let setup = "create role writer; create table public.n (i int); grant all on n to writer";
    sqlx::raw_sql(setup)
        .execute(&admin)
        .await
        .expect("the ground");
    let pipeline = pipeline_at(cluster.endpoint(), 4);
    let next = Arc::new(AtomicU32::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..6)
        .map(|_| {
            tokio::spawn(write(
                pipeline.clone(),
                Arc::clone(&next),
                Arc::clone(&stop),
            ))
        })
        .collect();
    let channels = [Ident::new("pgrst").expect("a name")];
    let mut listener = Listener::new(cluster.endpoint(), "test", &channels).expect("a listener");
    assert_eq!(listener.next().await, Event::Listening);
    for _ in 0..2 {
        let before = next.load(Ordering::SeqCst);
        eventually("writes are going on", async || {
            next.load(Ordering::SeqCst) > before + 100
        })
        .await;
        cluster.kill();
        eventually("it is noticed", async || !serves(&pipeline).await).await;
        cluster.restart().await;
        let up = Instant::now();
        eventually("it serves again", async || serves(&pipeline).await).await;
        assert!(
            up.elapsed() < Duration::from_secs(1),
            "after {:?}",
            up.elapsed()
        );
        let heard = tokio::time::timeout(Duration::from_secs(2), listener.next()).await;
        assert_eq!(heard.expect("in time"), Event::Listening);
    }
    stop.store(true, Ordering::SeqCst);
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    for writer in writers {
        let (known, may_be) = writer.await.expect("a writer");
        acknowledged.extend(known);
        unknown.extend(may_be);
    }
    let there: Vec<i32> = sqlx::query_scalar("select i from n order by i")
        .fetch_all(&admin)
        .await
        .expect("the rows");
    let there: Vec<u32> = there.into_iter().map(i32::cast_unsigned).collect();
    assert!(
        there.is_sorted_by(|a, b| a < b),
        "a write was applied twice"
    );
    for n in &acknowledged {
        assert!(
            there.binary_search(n).is_ok(),
            "{n} was acknowledged and is lost"
        );
    }
    for n in &there {
        let expected = acknowledged.contains(n) || unknown.contains(n);
        assert!(expected, "{n} was said not to be applied");
    }
}
