//! Many at once, and large ones.

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::stage::{MustBe as _, Stage};

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_uploads_at_once() {
    let stage = Stage::listening().await;
    stage.bucket("docs", json!({})).await;
    let uploads = (0..200_u8).map(|index| {
        let stage = &stage;
        async move {
            let bytes = vec![index; 20_000];
            let path = format!("docs/{index}");
            stage.upload(&stage.admin, &path, &bytes).await.must_be(200);
            let got = stage.download(&stage.admin, &path).await.expect_status(200);
            assert!(got.body == bytes, "{path}");
        }
    });
    join_all(uploads).await;
    assert_eq!(stage.files().await, (200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_however_large_the_object() {
    let stage = Stage::listening().await;
    if !stage.is_on_files() {
        // Its parts are of 8 MiB.
        return;
    }
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/warm", b"x")
        .await
        .must_be(200);
    stage.download(&stage.admin, "docs/warm").await.must_be(200);

    reset_peak();
    let before = peak_bytes();
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    let body = |size: usize| {
        let chunks = std::iter::repeat_n(chunk.clone(), size / chunk.len());
        Body::from_stream(stream::iter(chunks.map(Ok::<_, std::io::Error>)))
    };
    let request = stage
        .service
        .post("/object/docs/large")
        .bearer(&stage.admin);
    request.body(body(200 * MEBIBYTE)).await.must_be(200);

    let head = "--edge\r\nContent-Disposition: form-data; name=\"\"; filename=\"f\"\r\n\r\n";
    let edges = |text: &'static str| stream::iter([Ok::<_, axum::Error>(Bytes::from(text))]);
    let form = edges(head)
        .chain(body(64 * MEBIBYTE).into_data_stream())
        .chain(edges("\r\n--edge--\r\n"));
    let request = stage.service.post("/object/docs/form").bearer(&stage.admin);
    let request = request.header("content-type", "multipart/form-data; boundary=edge");
    request.body(Body::from_stream(form)).await.must_be(200);

    let request = stage.service.get("/object/docs/large").bearer(&stage.admin);
    let mut download = request.open().await.into_body();
    let mut received = 0;
    while let Some(frame) = download.frame().await {
        received += frame.expect("bytes").data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(received, 200 * MEBIBYTE);
    let grown = peak_bytes() - before;
    assert!(grown < 24 * MEBIBYTE, "grew by {} KiB", grown / 1024);
}

/// Linux forgets the peak of this process's resident memory.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("our own memory");
}

fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.expect("a peak").trim().trim_end_matches(" kB");
    text.parse::<usize>().expect("a number") * 1024
}
