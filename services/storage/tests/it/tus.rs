//! Uploads that go on where they stopped.

use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use common::{BoxError, Clock as _, FixedClock, SystemClock};
use futures_util::stream;
use http::Method;
use serde_json::json;
use testkit::{TestRequest, TestResponse};

use crate::stage::{ANA, MustBe as _, OWN_FOLDERS, Stage};

const PATCH_TYPE: &str = "application/offset+octet-stream";

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
    pairs.collect::<Vec<_>>().join(",")
}

fn request(stage: &Stage, method: Method, path: &str) -> TestRequest {
    let request = stage.service.request(method, path);
    request.header("tus-resumable", "1.0.0")
}

fn create(stage: &Stage, token: &str, key: &str, length: usize) -> TestRequest {
    let metadata = metadata(&[
        ("bucketName", "docs"),
        ("objectName", key),
        ("contentType", "text/plain"),
        ("cacheControl", "3600"),
        ("metadata", r#"{"a":1}"#),
    ]);
    request(stage, Method::POST, "/upload/resumable")
        .bearer(token)
        .header("upload-length", &length.to_string())
        .header("upload-metadata", &metadata)
}

/// Where an upload goes on, as the service behind the gateway sees it.
fn location(response: &TestResponse) -> String {
    let location = response.header("location").expect("a location");
    let (base, path) = location
        .split_once("/storage/v1")
        .expect("behind the gateway");
    assert_eq!(base, "http://localhost:8000");
    path.to_owned()
}

fn patch(stage: &Stage, token: &str, path: &str, offset: usize) -> TestRequest {
    request(stage, Method::PATCH, path)
        .bearer(token)
        .header("content-type", PATCH_TYPE)
        .header("upload-offset", &offset.to_string())
}

async fn offset(stage: &Stage, token: &str, path: &str) -> String {
    let head = request(stage, Method::HEAD, path).bearer(token).await;
    let head = head.expect_status(200);
    head.header("upload-offset").expect("an offset").to_owned()
}

#[tokio::test]
async fn an_upload_in_pieces_becomes_the_object_it_says() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let created = create(&stage, admin, "a/b.txt", 11)
        .await
        .expect_status(201);
    assert!(created.header("upload-expires").is_some());
    let path = location(&created);
    assert_eq!(offset(&stage, admin, &path).await, "0");
    let first = patch(&stage, admin, &path, 0).body("hello ").await;
    assert_eq!(first.expect_status(204).header("upload-offset"), Some("6"));
    stage.download(admin, "docs/a/b.txt").await.must_be(400);
    patch(&stage, admin, &path, 0).body("x").await.must_be(409);
    patch(&stage, admin, &path, 6)
        .body("world!")
        .await
        .must_be(413);
    patch(&stage, admin, &path, 6)
        .body("world")
        .await
        .must_be(204);
    assert_eq!(offset(&stage, admin, &path).await, "11");
    let got = stage
        .download(admin, "docs/a/b.txt")
        .await
        .expect_status(200);
    assert_eq!(got.body, "hello world");
    assert_eq!(got.header("content-type"), Some("text/plain"));
    assert_eq!(got.header("cache-control"), Some("max-age=3600"));
    let info = stage.service.get("/object/info/docs/a/b.txt").bearer(admin);
    assert_eq!(info.await.json()["metadata"], json!({ "a": 1 }));
    // The parts go; the whole stays.
    stage.until_files(1).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_kept_as_far_as_it_came() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let path = location(
        &create(&stage, admin, "big", 300_000)
            .await
            .expect_status(201),
    );
    let chunks = [
        Ok(Bytes::from(vec![7; 100_000])),
        Ok(Bytes::from(vec![8; 50_000])),
        Err(BoxError::from("the line went dead")),
    ];
    let broken = patch(&stage, admin, &path, 0).body(Body::from_stream(stream::iter(chunks)));
    broken.await.must_be(400);
    assert_eq!(offset(&stage, admin, &path).await, "150000");
    let rest = patch(&stage, admin, &path, 150_000).body(vec![9; 150_000]);
    rest.await.must_be(204);
    let got = stage.download(admin, "docs/big").await.body;
    let expected = [vec![7; 100_000], vec![8; 50_000], vec![9; 150_000]].concat();
    assert!(got == expected);
}

#[tokio::test]
async fn creation_takes_bytes_and_lengths_come_later() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let whole = create(&stage, admin, "whole", 3)
        .header("content-type", PATCH_TYPE)
        .body("abc")
        .await
        .expect_status(201);
    assert_eq!(whole.header("upload-offset"), Some("3"));
    assert_eq!(stage.download(admin, "docs/whole").await.body, "abc");
    create(&stage, admin, "empty", 0).await.must_be(201);
    assert_eq!(
        stage
            .download(admin, "docs/empty")
            .await
            .expect_status(200)
            .body,
        ""
    );
    let names = metadata(&[("bucketName", "docs"), ("objectName", "later")]);
    let later = request(&stage, Method::POST, "/upload/resumable")
        .bearer(admin)
        .header("upload-defer-length", "1")
        .header("upload-metadata", &names);
    let path = location(&later.await.expect_status(201));
    patch(&stage, admin, &path, 0).body("ab").await.must_be(204);
    let head = request(&stage, Method::HEAD, &path).bearer(admin).await;
    assert_eq!(head.header("upload-defer-length"), Some("1"));
    assert_eq!(head.header("upload-metadata"), Some(names.as_str()));
    let last = patch(&stage, admin, &path, 2).header("upload-length", "4");
    last.body("cd").await.must_be(204);
    assert_eq!(stage.download(admin, "docs/later").await.body, "abcd");
}

#[tokio::test]
async fn checksums_refuse_other_bytes_and_keep_nothing_of_them() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let path = location(&create(&stage, admin, "sum", 3).await);
    let sum = "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    let wrong = patch(&stage, admin, &path, 0).header("upload-checksum", sum);
    wrong.body("abd").await.must_be(460);
    assert_eq!(offset(&stage, admin, &path).await, "0");
    let unknown = patch(&stage, admin, &path, 0).header("upload-checksum", "crc99 AAAA");
    unknown.body("abc").await.must_be(400);
    let right = patch(&stage, admin, &path, 0).header("upload-checksum", sum);
    right.body("abc").await.must_be(204);
    assert_eq!(stage.download(admin, "docs/sum").await.body, "abc");
}

#[tokio::test]
async fn what_is_given_up_is_gone() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let path = location(&create(&stage, admin, "gone", 10).await);
    patch(&stage, admin, &path, 0)
        .body("abc")
        .await
        .must_be(204);
    let end = request(&stage, Method::DELETE, &path).bearer(admin);
    end.await.must_be(204);
    let head = request(&stage, Method::HEAD, &path).bearer(admin);
    head.await.must_be(404);
    stage.until_files(0).await;
    // And what nobody went on with.
    let path = location(&create(&stage, admin, "late", 10).await);
    patch(&stage, admin, &path, 0)
        .body("abc")
        .await
        .must_be(204);
    let age = "update storage.pending_uploads set expires_at = now() - interval '1 second'";
    stage.db.execute(age).await;
    patch(&stage, admin, &path, 3)
        .body("def")
        .await
        .must_be(410);
    let later = FixedClock::at(SystemClock.now() + Duration::from_mins(1));
    let sweeper = crate::sweeping::sweeper_at(&stage, later).await;
    assert_eq!(sweeper.sweep_expired().await.expect("a sweep"), 1);
    while sweeper.sweep_discarded().await.expect("a sweep") > 0 {}
    assert_eq!(stage.files().await, (0, 0));
}

#[tokio::test]
async fn row_level_security_decides_and_uploads_are_their_owners() {
    let stage = Stage::new().await;
    stage.db.execute(OWN_FOLDERS).await;
    stage
        .bucket("docs", json!({ "file_size_limit": 100 }))
        .await;
    let own = format!("{ANA}/a");
    for token in [&stage.ben, &stage.anon] {
        create(&stage, token, &own, 3).await.must_be(403);
    }
    create(&stage, &stage.ana, &own, 101).await.must_be(413);
    let path = location(&create(&stage, &stage.ana, &own, 3).await.expect_status(201));
    for token in [&stage.ben, &stage.anon, &stage.admin] {
        patch(&stage, token, &path, 0)
            .body("abc")
            .await
            .must_be(404);
        let head = request(&stage, Method::HEAD, &path).bearer(token);
        head.await.must_be(404);
        let end = request(&stage, Method::DELETE, &path).bearer(token);
        end.await.must_be(404);
    }
    let nobody = request(&stage, Method::HEAD, &path);
    nobody.await.must_be(400);
    patch(&stage, &stage.ana, &path, 0)
        .body("abc")
        .await
        .must_be(204);
    // An object of that name is there now.
    create(&stage, &stage.ana, &own, 3).await.must_be(409);
    let again = create(&stage, &stage.ana, &own, 3).header("x-upsert", "true");
    let path = location(&again.await.expect_status(201));
    patch(&stage, &stage.ana, &path, 0)
        .body("def")
        .await
        .must_be(204);
    let got = stage.download(&stage.ana, &format!("docs/{own}")).await;
    assert_eq!(got.body, "def");
}

#[tokio::test]
async fn a_signed_url_uploads_one_object() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let signed = stage.service.post("/object/upload/sign/docs/s.txt");
    let signed = signed.bearer(&stage.admin).await.json();
    let token = signed["token"].as_str().expect("a token");
    let create = |key: &str| {
        let names = metadata(&[("bucketName", "docs"), ("objectName", key)]);
        request(&stage, Method::POST, "/upload/resumable/sign")
            .header("upload-length", "3")
            .header("upload-metadata", &names)
    };
    create("s.txt").await.must_be(400);
    create("t.txt")
        .header("x-signature", token)
        .await
        .must_be(400);
    let created = create("s.txt").header("x-signature", token).await;
    let path = location(&created.expect_status(201));
    assert!(path.starts_with("/upload/resumable/sign/"));
    let send = |path: &str| {
        request(&stage, Method::PATCH, path)
            .header("content-type", PATCH_TYPE)
            .header("upload-offset", "0")
            .body("abc")
    };
    send(&path).await.must_be(400);
    send(&path).header("x-signature", token).await.must_be(204);
    assert_eq!(stage.download(&stage.admin, "docs/s.txt").await.body, "abc");
}

#[tokio::test]
async fn what_tus_asks_for_is_asked_for() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let options = stage
        .service
        .request(Method::OPTIONS, "/upload/resumable")
        .await;
    let options = options.expect_status(204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert!(
        options
            .header("tus-extension")
            .is_some_and(|list| list.contains("checksum"))
    );
    let old = stage.service.post("/upload/resumable").bearer(admin).await;
    assert_eq!(old.expect_status(412).header("tus-version"), Some("1.0.0"));
    let bare = request(&stage, Method::POST, "/upload/resumable").bearer(admin);
    bare.await.must_be(400);
    for length in ["-1", "x", "99999999999999999999"] {
        let odd = request(&stage, Method::POST, "/upload/resumable").bearer(admin);
        odd.header("upload-length", length).await.must_be(400);
    }
    for key in ["../up", "a\\b", "a/./b", ""] {
        create(&stage, admin, key, 3).await.must_be(400);
    }
    let path = location(&create(&stage, admin, "type", 3).await);
    let text = request(&stage, Method::PATCH, &path).bearer(admin);
    let text = text
        .header("upload-offset", "0")
        .header("content-type", "text/plain");
    text.body("abc").await.must_be(415);
    // A method that some proxies do not let through.
    let post = request(&stage, Method::POST, &path)
        .bearer(admin)
        .header("x-http-method-override", "PATCH")
        .header("content-type", PATCH_TYPE)
        .header("upload-offset", "0");
    post.body("abc").await.must_be(204);
    let unknown = format!("/upload/resumable/{ANA}");
    request(&stage, Method::HEAD, &unknown)
        .bearer(admin)
        .await
        .must_be(404);
}

#[tokio::test]
async fn a_crash_before_the_object_is_made_good_by_asking() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let admin = &stage.admin;
    let path = location(&create(&stage, admin, "crash", 6).await);
    patch(&stage, admin, &path, 0)
        .body("abc")
        .await
        .must_be(204);
    // As if the process ended between the last part's row and the object's.
    stage
        .db
        .execute("update storage.pending_uploads set size = 3")
        .await;
    assert_eq!(offset(&stage, admin, &path).await, "3");
    assert_eq!(stage.download(admin, "docs/crash").await.body, "abc");
    // And as if it ended between the object's row and the note of it.
    stage
        .db
        .execute(
            "update storage.pending_uploads set finished = false,
             version = (select version from storage.objects where name = 'crash')",
        )
        .await;
    assert_eq!(offset(&stage, admin, &path).await, "3");
    stage.until_files(1).await;
}
