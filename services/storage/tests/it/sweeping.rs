//! What crashes leave, and what is left of it afterwards.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use common::{BoxError, Clock as _, FixedClock, ServiceConfig as _, SystemClock};
use futures_util::{StreamExt as _, stream};
use pg::sqlx;
use serde_json::json;
use storage::backend::file_system::FileSystem;
use storage::backend::{BackendError, ObjectStore as _};
use storage::domain::object::Version;
use storage::sweeper::{Sweeper, Swept};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::stage::{MustBe as _, Stage};

/// A sweeper that believes it is later.
pub(crate) async fn sweeper(stage: &Stage, in_the_future: Duration) -> Sweeper {
    sweeper_at(stage, FixedClock::at(SystemClock.now() + in_the_future)).await
}

/// A sweeper that believes it is what `clock` says.
pub(crate) async fn sweeper_at(stage: &Stage, clock: FixedClock) -> Sweeper {
    let owner = stage.db.endpoint(pg::roles::STORAGE_ADMIN);
    let owner = pg::pool(&owner, &pg::PoolOptions::new("sweep", 2));
    Sweeper::new(
        owner,
        stage.store().await,
        Arc::new(clock),
        Arc::new(Notify::new()),
    )
}

async fn rows(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar("select version from storage.objects order by name")
        .fetch_all(&stage.db.admin_pool())
        .await
        .expect("rows")
}

#[tokio::test]
async fn bytes_without_a_row_go_and_only_when_they_are_old() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/kept", b"kept")
        .await
        .must_be(200);
    let objects = FileSystem::open(&stage.root()).await.expect("the store");
    let orphan = Version(Uuid::new_v4());
    let bytes = stream::iter([Ok(Bytes::from("a crash came before the row"))]).boxed();
    objects.put(orphan, bytes).await.expect("bytes");
    let draft = stage.root().join("drafts").join(Uuid::new_v4().to_string());
    std::fs::write(draft, "a crash came before the end").expect("a draft");

    let now = sweeper(&stage, Duration::ZERO).await;
    assert_eq!(
        now.sweep_orphans().await.expect("a sweep"),
        Swept::default()
    );
    assert_eq!(stage.files().await, (2, 1));
    let later = sweeper(&stage, Duration::from_hours(2)).await;
    let swept = later.sweep_orphans().await.expect("a sweep");
    assert_eq!(
        swept,
        Swept {
            orphans: 1,
            drafts: 1
        }
    );
    assert_eq!(stage.files().await, (1, 0));
    assert_eq!(stage.download(&stage.admin, "docs/kept").await.body, "kept");
}

#[tokio::test]
async fn a_copy_of_old_bytes_is_not_old() {
    let stage = Stage::new().await;
    let objects = FileSystem::open(&stage.root()).await.expect("the store");
    let (from, to) = (Version(Uuid::new_v4()), Version(Uuid::new_v4()));
    objects
        .put(from, stream::iter([Ok(Bytes::from("x"))]).boxed())
        .await
        .expect("bytes");
    let [shard, ..] = from.0.into_bytes();
    let path = stage.root().join(format!("objects/{shard:02x}/{from}"));
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(24);
    let file = std::fs::File::options()
        .append(true)
        .open(path)
        .expect("the file");
    file.set_modified(old).expect("an old file");
    objects.copy(from, to).await.expect("a copy");
    let [shard, ..] = to.0.into_bytes();
    let cutoff = SystemClock.now() - Duration::from_mins(1);
    assert_eq!(objects.list(shard, cutoff).await.expect("a list"), []);
}

#[tokio::test]
async fn bytes_go_whoever_lets_go_of_them() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    for name in ["a", "b", "c"] {
        stage
            .upload(&stage.admin, &format!("docs/{name}"), b"x")
            .await
            .must_be(200);
    }
    stage
        .db
        .execute("delete from storage.objects where name = 'a'")
        .await;
    stage
        .db
        .execute("update storage.objects set version = null where name = 'b'")
        .await;
    // The same bytes under two rows: the one that stays keeps them.
    stage
        .db
        .execute(
            "insert into storage.objects (bucket_id, name, version)
                  select bucket_id, 'd', version from storage.objects where name = 'c';
                  delete from storage.objects where name = 'c'",
        )
        .await;
    stage
        .upload(&stage.admin, "docs/wake", b"x")
        .await
        .must_be(200);
    stage.until_files(2).await;
}

#[tokio::test]
async fn an_upload_cut_off_anywhere_leaves_a_whole_object_or_none() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let mut committed = 0;
    for step in 0..60_u64 {
        let chunks = stream::iter((0..4).map(|_| Ok::<_, BoxError>(Bytes::from(vec![7; 100_000]))));
        let request = stage
            .service
            .post(&format!("/object/docs/{step}"))
            .bearer(&stage.admin)
            .body(Body::from_stream(chunks));
        let patience = Duration::from_micros(step * 500);
        let answer = tokio::time::timeout(patience, request.into_future()).await;
        if let Ok(answer) = answer {
            answer.must_be(200);
            committed += 1;
        }
    }
    assert!(committed < 60, "some were cut off");
    // What a dropped request had handed to Postgres or the disk ends by itself.
    let sweeper = sweeper(&stage, Duration::from_hours(2)).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        sweeper.sweep_orphans().await.expect("a sweep");
        let (files, drafts) = stage.files().await;
        let rows = rows(&stage).await;
        assert!(
            rows.len() >= committed,
            "every acknowledged upload has a row"
        );
        if files == rows.len() && drafts == 0 {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{files} files, {} rows",
            rows.len()
        );
        tokio::task::yield_now().await;
    }
    for version in rows(&stage).await {
        let file = stage.file_of(&version);
        let size = std::fs::metadata(file).expect("bytes for the row").len();
        assert_eq!(size, 400_000);
    }
}

#[tokio::test]
async fn readers_of_what_is_replaced_get_one_version_or_the_other() {
    let stage = Arc::new(Stage::new().await);
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/a", &vec![0; 200_000])
        .await
        .must_be(200);
    let writer = {
        let stage = Arc::clone(&stage);
        async move {
            for round in 1..=30_u8 {
                let put = stage.service.put("/object/docs/a").bearer(&stage.admin);
                put.body(vec![round; 200_000]).await.must_be(200);
            }
        }
    };
    let reader = {
        let stage = Arc::clone(&stage);
        async move {
            for _ in 0..60 {
                let body = stage
                    .download(&stage.admin, "docs/a")
                    .await
                    .expect_status(200)
                    .body;
                assert_eq!(body.len(), 200_000);
                assert!(
                    body.iter().all(|byte| *byte == body[0]),
                    "bytes of two versions"
                );
            }
        }
    };
    tokio::join!(writer, reader);
    stage.until_files(1).await;
}

#[tokio::test]
async fn another_databases_store_is_refused() {
    let stage = Stage::new().await;
    let other = testkit::TestDatabase::new(&[storage::MIGRATIONS]).await;
    other
        .execute("update storage.installation set id = gen_random_uuid()")
        .await;
    let root = stage.root();
    let settings = [("FILE_STORAGE_BACKEND_PATH", root.to_str().expect("a path"))];
    let refused = Box::pin(Stage::config(&other, &settings).build())
        .await
        .expect_err("not its store");
    let foreign = refused.downcast_ref::<BackendError>();
    assert!(
        matches!(foreign, Some(BackendError::Foreign { .. })),
        "{refused}"
    );
    Box::pin(Stage::config(&stage.db, &settings).build())
        .await
        .expect("its own store");
}
