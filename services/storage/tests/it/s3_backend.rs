//! Objects on an S3 server instead of the file system.

use std::sync::Arc;
use std::time::Duration;

use common::{Clock as _, FixedClock, SystemClock};
use http::Method;
use serde_json::json;
use storage::backend::ObjectStore;
use storage::sweeper::Sweeper;
use storage::{Backend, migrate};
use testkit::TestService;
use tokio::sync::Notify;

use crate::sigv4::Signer;
use crate::stage::{MustBe as _, Stage};
use crate::weed::Weed;

async fn stage(weed: &Weed) -> Stage {
    let settings = weed.settings();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Stage::with(&settings).await
}

fn config(stage: &Stage, weed: &Weed) -> storage::Config {
    let settings = weed.settings();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Stage::config(&stage.db, &settings)
}

async fn store(stage: &Stage, weed: &Weed, backend: Backend) -> Arc<dyn ObjectStore> {
    let installation = pg::sqlx::query_scalar("select id from storage.installation")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("an installation");
    let place = config(stage, weed).place(backend).expect("a place");
    place.open(installation).await.expect("the store")
}

async fn kept(store: &dyn ObjectStore) -> usize {
    let cutoff = SystemClock.now() + time::Duration::DAY;
    let mut count = 0;
    for shard in u8::MIN..=u8::MAX {
        count += store.list(shard, cutoff).await.expect("a list").len();
    }
    count
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one story: a server is slow to start"
)]
async fn objects_go_round_on_an_s3_server_and_move_there_and_back() {
    let Some(weed) = Weed::start().await else {
        return;
    };
    let stage = stage(&weed).await;
    stage.bucket("docs", json!({ "public": true })).await;
    let admin = &stage.admin;
    let large: Vec<u8> = (0..20_000_000_u32)
        .map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1])
        .collect();
    for (name, bytes) in [("empty", &b""[..]), ("small", b"hello"), ("large", &large)] {
        let path = format!("docs/{name}");
        stage.upload(admin, &path, bytes).await.must_be(200);
        let got = stage.download(admin, &path).await.expect_status(200);
        assert!(got.body == bytes, "{name}");
    }
    let part = stage.service.get("/object/public/docs/large");
    let part = part.header("range", "bytes=9000000-9000009").await;
    assert!(part.expect_status(206).body == large[9_000_000..9_000_010]);
    let body = json!({ "bucketId": "docs", "sourceKey": "large", "destinationKey": "copy" });
    let copy = stage.service.post("/object/copy").bearer(admin).json(&body);
    copy.await.must_be(200);
    // An upload in parts by the S3 protocol, joined on the server's server.
    let service = Signer::service(&stage);
    let begun = service.request(&stage, Method::POST, "/docs/parts", &[("uploads", "")], b"");
    let begun = begun.await.expect_status(200).text();
    let id = begun
        .split("<UploadId>")
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    let id = id.expect("an id").to_owned();
    let mut listed = Vec::new();
    for (number, bytes) in [("1", &large[..6_000_000]), ("2", &b"end"[..])] {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        let part = service.request(&stage, Method::PUT, "/docs/parts", &query, bytes);
        let part = part.await.expect_status(200);
        let etag = part.header("etag").expect("an entity tag");
        listed.push(format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        ));
    }
    let body = format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        listed.concat()
    );
    let query = [("uploadId", id.as_str())];
    let done = service.request(&stage, Method::POST, "/docs/parts", &query, body.as_bytes());
    done.await.must_be(200);
    let parts = stage.download(admin, "docs/parts").await.body;
    assert!(parts == [&large[..6_000_000], b"end"].concat());

    // To the file system, twice: the second time nothing is left to copy.
    let moved = migrate::run(&config(&stage, &weed), Backend::File, |_| ()).await;
    let moved = moved.expect("moved");
    assert!(moved.copied >= 5 && moved.broken == 0, "{moved:?}");
    let again = migrate::run(&config(&stage, &weed), Backend::File, |_| ()).await;
    assert_eq!(again.expect("moved").copied, 0);
    let on_files = Box::pin(TestService::start(Stage::config(&stage.db, &[]))).await;
    for (path, bytes) in [
        ("large", &large),
        ("copy", &large),
        ("parts", &parts.to_vec()),
    ] {
        let got = on_files
            .get(&format!("/object/docs/{path}"))
            .bearer(admin)
            .await;
        assert!(got.expect_status(200).body == *bytes, "{path}");
    }
    // What was uploaded there goes back; what is damaged there does not.
    let put = on_files.post("/object/docs/new").bearer(admin).body("new");
    put.await.must_be(200);
    let put = on_files.post("/object/docs/bad").bearer(admin).body("bad");
    put.await.must_be(200);
    let version: String =
        pg::sqlx::query_scalar("select version from storage.objects where name = 'bad'")
            .fetch_one(&stage.db.admin_pool())
            .await
            .expect("a version");
    std::fs::write(stage.file_of(&version), "bat").expect("the file");
    let back = migrate::run(&config(&stage, &weed), Backend::S3, |_| ()).await;
    let back = back.expect("moved");
    assert_eq!((back.copied, back.broken), (1, 1));
    assert_eq!(stage.download(admin, "docs/new").await.body, "new");

    // Its sweeper would take discarded versions for its own.
    drop(on_files);
    let empty = stage.service.post("/bucket/docs/empty").bearer(admin);
    empty.await.must_be(200);
    let on_server = store(&stage, &weed, Backend::S3).await;
    let owner = stage.db.endpoint(pg::roles::STORAGE_ADMIN);
    let owner = pg::pool(&owner, &pg::PoolOptions::new("sweep", 2));
    let later = FixedClock::at(SystemClock.now() + Duration::from_hours(2));
    let woken = Arc::new(Notify::new());
    let sweeper = Sweeper::new(owner, Arc::clone(&on_server), Arc::new(later), woken);
    while sweeper.sweep_discarded().await.expect("a sweep") > 0 {}
    sweeper.sweep_orphans().await.expect("a sweep");
    assert_eq!(kept(&*on_server).await, 0);
}

#[tokio::test]
async fn a_server_that_goes_away_loses_nothing_that_was_acknowledged() {
    let Some(mut weed) = Weed::start().await else {
        return;
    };
    let stage = stage(&weed).await;
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/a", b"kept")
        .await
        .must_be(200);
    weed.kill();
    let refused = stage.service.post("/object/docs/b").bearer(&stage.admin);
    let refused = tokio::time::timeout(Duration::from_secs(200), refused.body("x").into_future());
    assert!(refused.await.expect("an answer").status.is_server_error());
    let rows: i64 = pg::sqlx::query_scalar("select count(*) from storage.objects")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a count");
    assert_eq!(rows, 1, "no row without its bytes");
}
