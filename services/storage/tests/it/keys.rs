//! Names that try to be more than names.

use serde_json::json;

use crate::stage::{MustBe as _, Stage, assert_refused};

/// Percent-encoded as they go over the wire.
const HOSTILE: &[&str] = &[
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "a/../../b",
    "a/%2e%2e/%2e%2e/b",
    "a/./b",
    "%252e%252e/secret",
    "a%5C..%5Cb",
    "nul%00byte",
    "tab%09",
    "line%0Abreak",
    "esc%1B",
    "del%7F",
    "cyr%D1%96llic",
    "full%EF%BC%8Fwidth",
    "div%E2%88%95slash",
    "dot%E2%80%A4leader",
    "zero%E2%80%8Bwidth",
    "rtl%E2%80%AEoverride",
    "bad%FFutf8",
];

#[tokio::test]
async fn hostile_keys_are_refused_on_every_route() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({ "public": true })).await;
    let long = "k".repeat(4096);
    for key in HOSTILE.iter().copied().chain([long.as_str()]) {
        let upload = stage.service.post(&format!("/object/docs/{key}"));
        assert_refused(
            &upload.bearer(&stage.admin).body("x").await,
            "400",
            "InvalidKey",
        );
        for route in [
            "",
            "public/",
            "authenticated/",
            "info/",
            "info/public/",
            "sign/",
        ] {
            let path = format!("/object/{route}docs/{key}");
            let read = stage.service.get(&path).bearer(&stage.admin).await;
            assert_refused(&read, "400", "InvalidKey");
        }
        let remove = stage.service.delete(&format!("/object/docs/{key}"));
        assert_refused(&remove.bearer(&stage.admin).await, "400", "InvalidKey");
    }
    assert_eq!(stage.files().await, (0, 0));
}

#[tokio::test]
async fn hostile_keys_in_bodies_are_refused_or_found_nowhere() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/a", b"x")
        .await
        .must_be(200);
    for key in ["..", "a/../b", "a\\b", "nul\0", "cyrіllic", ""] {
        for route in ["move", "copy"] {
            let body = json!({ "bucketId": "docs", "sourceKey": "a", "destinationKey": key });
            let request = stage
                .service
                .post(&format!("/object/{route}"))
                .bearer(&stage.admin);
            assert_refused(&request.json(&body).await, "400", "InvalidKey");
        }
        let signed = stage.service.post("/object/sign/docs").bearer(&stage.admin);
        let signed = signed
            .json(&json!({ "expiresIn": 60, "paths": [key] }))
            .await;
        if key.contains('\0') {
            assert_refused(&signed, "400", "InvalidRequest");
        } else {
            assert_eq!(
                signed.expect_status(200).json()[0]["signedURL"],
                json!(null)
            );
        }
    }
    let listed = stage.service.post("/object/list/docs").bearer(&stage.admin);
    let listed = listed
        .json(&json!({ "prefix": "../..", "search": "%" }))
        .await;
    assert_eq!(listed.expect_status(200).json(), json!([]));
}

#[tokio::test]
async fn every_character_a_key_may_have_goes_up_and_down() {
    let stage = Stage::new().await;
    stage.bucket("My docs", json!({})).await;
    let encoded = "a%20b/c%2Bd%26e%3D%24%21%2A%27%28%29%40%3A%3B%2C%3F-_.txt";
    let path = format!("My%20docs/{encoded}");
    let answer = stage.upload(&stage.admin, &path, b"x").await;
    let key = answer.expect_status(200).json()["Key"].clone();
    assert_eq!(key, "My docs/a b/c+d&e=$!*'()@:;,?-_.txt");
    assert_eq!(
        stage
            .download(&stage.admin, &path)
            .await
            .expect_status(200)
            .body,
        "x"
    );
    let sign = stage
        .service
        .post(&format!("/object/sign/{path}"))
        .bearer(&stage.admin);
    let signed = sign
        .json(&json!({ "expiresIn": 60 }))
        .await
        .expect_status(200)
        .json();
    let url = signed["signedURL"].as_str().expect("a URL");
    let (_, token) = url.split_once("token=").expect("a token");
    let signed = stage
        .service
        .get(&format!("/object/sign/{path}?token={token}"));
    assert_eq!(signed.await.expect_status(200).body, "x");
}

#[tokio::test]
async fn hostile_buckets_are_refused() {
    let stage = Stage::new().await;
    for bucket in ["..", "%2e%2e", "a%2Fb", "a%5Cb", "nul%00", "b%C3%BCcket"] {
        let upload = stage.service.post(&format!("/object/{bucket}/key"));
        assert_refused(
            &upload.bearer(&stage.admin).body("x").await,
            "400",
            "InvalidBucketName",
        );
    }
}

#[tokio::test]
async fn no_file_is_named_after_what_a_user_wrote() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/etc/passwd", b"x")
        .await
        .must_be(200);
    if !stage.is_on_files() {
        return;
    }
    let found = walk(&stage.root());
    assert!(
        found
            .iter()
            .all(|path| !path.contains("docs") && !path.contains("passwd")),
        "{found:?}"
    );
}

fn walk(directory: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
        );
    }
    found
}
