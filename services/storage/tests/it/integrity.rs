//! Damage on disk is noticed, by reads and by fsck.

use std::path::Path;

use futures_util::TryStreamExt as _;
use serde_json::json;
use storage::fsck::{self, Unreferenced};

use crate::stage::{MustBe as _, Stage};

async fn version(stage: &Stage, name: &str) -> String {
    pg::sqlx::query_scalar("select version from storage.objects where name = $1")
        .bind(name)
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a version")
}

fn flip_a_bit(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("the file");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).expect("the file");
}

#[tokio::test]
async fn a_flipped_bit_is_noticed_by_whole_reads_and_parts() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    for (name, size, at) in [("small", 4096, 5), ("large", 1_000_000, 999_999)] {
        let path = format!("docs/{name}");
        let bytes = vec![b'x'; size];
        stage.upload(&stage.admin, &path, &bytes).await.must_be(200);
        // Once it was found whole, it is looked at again as soon as somebody wrote to it.
        let got = stage.download(&stage.admin, &path).await.expect_status(200);
        assert!(got.body == bytes);
        flip_a_bit(&stage.file_of(&version(&stage, name).await), at);
        let url = format!("/object/{path}");
        let damaged = stage.service.get(&url).bearer(&stage.admin).open().await;
        let status = damaged.status();
        let read: Result<Vec<_>, _> = damaged.into_body().into_data_stream().try_collect().await;
        // Of a small one not a byte is sent; of a large one not the last.
        match read {
            Ok(_) => assert_eq!(status, 500, "{name}"),
            Err(_) => assert_eq!(name, "large"),
        }
    }
    let part = stage.service.get("/object/docs/small").bearer(&stage.admin);
    part.header("range", "bytes=0-1").await.must_be(500);
}

#[tokio::test]
async fn fsck_tells_what_is_broken_and_sweeps_what_is_left_over() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    for name in ["whole", "damaged", "missing", "short"] {
        let path = format!("docs/{name}");
        stage
            .upload(&stage.admin, &path, &vec![1; 10_000])
            .await
            .must_be(200);
    }
    flip_a_bit(&stage.file_of(&version(&stage, "damaged").await), 9_999);
    let missing = stage.file_of(&version(&stage, "missing").await);
    std::fs::remove_file(missing).expect("the file");
    let short = stage.file_of(&version(&stage, "short").await);
    std::fs::write(short, "short").expect("the file");
    let config = Stage::config(&stage.db, &[]);
    let mut told = 0;
    let report = fsck::run(&config, Unreferenced::Count, |seen, total| {
        told = seen;
        assert_eq!(total, 4);
    });
    let report = report.await.expect("a report");
    assert_eq!((told, report.whole), (4, 1));
    let mut broken: Vec<_> = report.broken.iter().flat_map(|one| &one.objects).collect();
    broken.sort();
    assert_eq!(broken, ["docs/damaged", "docs/missing", "docs/short"]);
    let repaired = fsck::run(&config, Unreferenced::Delete, |_, _| ()).await;
    assert_eq!(repaired.expect("a report").broken.len(), 3);
}
