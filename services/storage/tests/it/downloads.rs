//! Downloads: parts, conditions, and what a browser is told.

use http::Method;
use serde_json::json;
use testkit::TestRequest;

use crate::stage::{MustBe as _, Stage, assert_refused};

async fn published(content_type: &str) -> Stage {
    let stage = Stage::new().await;
    stage.bucket("site", json!({ "public": true })).await;
    let request = stage.service.post("/object/site/file").bearer(&stage.admin);
    let request = request.header("content-type", content_type);
    request.body("0123456789").await.must_be(200);
    stage
}

fn get(stage: &Stage) -> TestRequest {
    stage.service.get("/object/public/site/file")
}

#[tokio::test]
async fn parts_of_an_object() {
    let stage = published("text/plain").await;
    let whole = get(&stage).await.expect_status(200);
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some("10"));
    let table = [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
    ];
    for (range, body, content_range) in table {
        let part = get(&stage).header("range", range).await.expect_status(206);
        assert_eq!(part.text(), body);
        assert_eq!(part.header("content-range"), Some(content_range));
        let length = body.len().to_string();
        assert_eq!(part.header("content-length"), Some(length.as_str()));
    }
    let beyond = get(&stage)
        .header("range", "bytes=10-")
        .await
        .expect_status(416);
    assert_eq!(beyond.header("content-range"), Some("bytes */10"));
    assert_eq!(beyond.json()["code"], "InvalidRange");
    let etag = whole.header("etag").expect("an entity tag");
    let request = get(&stage)
        .header("range", "bytes=0-3")
        .header("if-range", etag);
    request.await.must_be(206);
    let request = get(&stage)
        .header("range", "bytes=0-3")
        .header("if-range", "\"old\"");
    request.await.must_be(200);
}

#[tokio::test]
async fn a_part_of_a_large_object_is_that_part() {
    let stage = Stage::new().await;
    stage.bucket("site", json!({ "public": true })).await;
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let request = stage.service.post("/object/site/big").bearer(&stage.admin);
    request.body(bytes.clone()).await.must_be(200);
    for (first, last) in [
        (0, 3_999_999),
        (131_071, 131_073),
        (1, 3_000_000),
        (262_144, 393_215),
    ] {
        let request = stage.service.get("/object/public/site/big");
        let part = request
            .header("range", &format!("bytes={first}-{last}"))
            .await
            .expect_status(206);
        assert!(part.body == bytes[first..=last], "{first}-{last}");
    }
}

#[tokio::test]
async fn conditions() {
    let stage = published("text/plain").await;
    let whole = get(&stage).await;
    let etag = whole.header("etag").expect("an entity tag");
    let changed = whole.header("last-modified").expect("a date");
    let unchanged = get(&stage)
        .header("if-none-match", etag)
        .await
        .expect_status(304);
    assert!(unchanged.body.is_empty());
    assert_eq!(unchanged.header("etag"), Some(etag));
    get(&stage)
        .header("if-modified-since", changed)
        .await
        .must_be(304);
    get(&stage)
        .header("if-none-match", "\"other\"")
        .await
        .must_be(200);
    get(&stage).header("if-match", etag).await.must_be(200);
    let failed = get(&stage)
        .header("if-match", "\"other\"")
        .await
        .expect_status(412);
    assert_eq!(failed.json()["statusCode"], "412");
}

#[tokio::test]
async fn head_says_what_get_would() {
    let stage = published("text/plain").await;
    let whole = get(&stage).await;
    for path in ["/object/public/site/file", "/object/site/file"] {
        let head = stage
            .service
            .request(Method::HEAD, path)
            .await
            .expect_status(200);
        assert!(head.body.is_empty());
        for name in [
            "content-length",
            "content-type",
            "etag",
            "last-modified",
            "cache-control",
        ] {
            assert_eq!(head.header(name), whole.header(name), "{name}");
        }
    }
    let missing = stage.service.request(Method::HEAD, "/object/site/nothing");
    missing.bearer(&stage.admin).await.must_be(400);
}

#[tokio::test]
async fn a_download_has_the_name_it_is_asked_for() {
    let stage = published("text/plain").await;
    let disposition = async |query: &str| {
        let request = stage
            .service
            .get(&format!("/object/public/site/file{query}"));
        let answer = request.await.expect_status(200);
        answer.header("content-disposition").map(str::to_owned)
    };
    assert_eq!(disposition("").await, None);
    assert_eq!(
        disposition("?download").await.as_deref(),
        Some("attachment")
    );
    assert_eq!(
        disposition("?download=").await.as_deref(),
        Some("attachment")
    );
    let named = disposition("?download=%C5%BC.txt%0D%0Ax:y")
        .await
        .expect("a header");
    assert_eq!(
        named,
        "attachment; filename=\"_.txt__x:y\"; filename*=UTF-8''%C5%BC.txt%0D%0Ax%3Ay"
    );
}

#[tokio::test]
async fn a_browser_runs_nothing_that_was_uploaded() {
    let stage = published("text/plain").await;
    for (content_type, saved) in [
        ("image/png", false),
        ("image/svg+xml", true),
        ("text/html; charset=utf-8", true),
        ("application/xhtml+xml", true),
        ("text/javascript", true),
    ] {
        let put = stage.service.put("/object/site/file").bearer(&stage.admin);
        let put = put.header("content-type", content_type);
        put.body("<script>").await.must_be(200);
        let answer = get(&stage).await.expect_status(200);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"));
        let disposition = answer.header("content-disposition");
        assert_eq!(disposition, saved.then_some("attachment"), "{content_type}");
    }
}

#[tokio::test]
async fn public_means_by_the_public_url_and_private_means_not() {
    let stage = published("text/plain").await;
    for path in [
        "/object/site/file",
        "/object/public/site/file",
        "/object/info/public/site/file",
    ] {
        stage.service.get(path).await.must_be(200);
    }
    assert_refused(
        &stage.service.get("/object/public/site/none").await,
        "404",
        "NoSuchKey",
    );
    let change = json!({ "public": false });
    stage
        .service
        .put("/bucket/site")
        .bearer(&stage.admin)
        .json(&change)
        .await
        .must_be(200);
    for path in [
        "/object/site/file",
        "/object/public/site/file",
        "/object/info/public/site/file",
    ] {
        assert_refused(&stage.service.get(path).await, "404", "NoSuchBucket");
    }
    let request = stage.service.get("/object/authenticated/site/file");
    assert_refused(&request.bearer(&stage.ana).await, "404", "NoSuchKey");
    let request = stage.service.get("/object/authenticated/site/file");
    assert_eq!(
        request.bearer(&stage.admin).await.expect_status(200).body,
        "0123456789"
    );
}

#[tokio::test]
async fn bytes_that_vanished_or_shrank_are_our_fault_and_said_so() {
    let stage = published("text/plain").await;
    if !stage.is_on_files() {
        return;
    }
    let version: String = pg::sqlx::query_scalar("select version from storage.objects")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a row");
    let file = stage.file_of(&version);
    std::fs::write(&file, "0123").expect("a shorter file");
    let failed = get(&stage).await.expect_status(500);
    assert_eq!(failed.json()["message"], "Internal Server Error");
    std::fs::remove_file(&file).expect("the file");
    get(&stage).await.must_be(500);
}
