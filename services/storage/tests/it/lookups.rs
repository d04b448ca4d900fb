//! Looking objects up together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use pg::PoolOptions;
use serde_json::json;
use storage::domain::key::{BucketId, ObjectKey};
use storage::lookups::LookUps;
use tokio_util::sync::CancellationToken;

use crate::stage::{MustBe as _, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_told_of_the_name_they_asked_for() {
    let stage = Stage::new().await;
    stage.bucket("open", json!({ "public": true })).await;
    stage.bucket("closed", json!({})).await;
    for index in 0..10 {
        for bucket in ["open", "closed"] {
            let path = format!("{bucket}/{index}");
            stage.upload(&stage.admin, &path, b"x").await.must_be(200);
        }
    }
    let owner = stage.db.endpoint(pg::roles::STORAGE_ADMIN);
    let lookups = LookUps::new(pg::pool(&owner, &PoolOptions::new("test", 2)));
    let shutdown = CancellationToken::new();
    let answering = tokio::spawn(lookups.clone().answer_until(shutdown.clone()));
    let ask = |number: usize| {
        let lookups = lookups.clone();
        async move {
            let bucket = ["open", "closed", "none"][number % 3];
            let key = (number % 15).to_string();
            let (bucket, key) = (BucketId::parse(bucket), ObjectKey::parse(&key));
            let (bucket, key) = (bucket.expect("a bucket"), key.expect("a key"));
            let found = lookups.find(&bucket, &key).await.expect("an answer");
            let is_public = match bucket.as_str() {
                "open" => Some(true),
                "closed" => Some(false),
                _ => None,
            };
            assert_eq!(found.bucket_is_public, is_public, "{bucket}/{key}");
            let name = found
                .object
                .map(|object| (object.bucket_id.clone(), object.name.clone()));
            let exists = is_public.is_some() && number % 15 < 10;
            let expected = exists.then(|| (bucket.to_string(), key.to_string()));
            assert_eq!(name, expected, "{bucket}/{key}");
        }
    };
    join_all((0..600).map(ask)).await;
    // Asked while it ends, and afterwards.
    let late = join_all((0..600).map(ask));
    shutdown.cancel();
    late.await;
    answering.await.expect("no panic").expect("an end");
    ask(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_connection_changed_counts_at_once_also_under_load() {
    let stage = Arc::new(Stage::new().await);
    stage.bucket("docs", json!({ "public": true })).await;
    let uploaded = stage.upload(&stage.admin, "docs/a", b"text").await;
    uploaded.must_be(200);
    let (ended, served) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let readers = (0..8).map(|_| {
        let (stage, ended, served) = (Arc::clone(&stage), Arc::clone(&ended), Arc::clone(&served));
        tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                stage.service.get("/object/public/docs/a").await;
                served.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    let is_public = |is_public: bool| {
        let update = "update storage.buckets set public = $1 where id = 'docs'";
        let (update, pool) = (
            pg::sqlx::query(update).bind(is_public),
            stage.db.admin_pool(),
        );
        async move { update.execute(&pool).await.expect("a change") }
    };
    for _ in 0..40 {
        is_public(false).await;
        let refused = stage.service.get("/object/public/docs/a").await;
        refused.must_be(400);
        is_public(true).await;
        let given = stage.service.get("/object/public/docs/a").await;
        given.must_be(200);
    }
    ended.store(true, Ordering::Relaxed);
    join_all(readers).await;
    assert!(served.load(Ordering::Relaxed) > 40, "there was a load");
}
