//! Moving, copying, deleting.

use serde_json::{Value, json};
use testkit::TestRequest;

use crate::stage::{ANA, BEN, MustBe as _, OWN_FOLDERS, Stage, assert_refused};

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage.bucket("other", json!({ "file_size_limit": 3 })).await;
    stage
        .upload(&stage.admin, "docs/a.txt", b"text")
        .await
        .must_be(200);
    stage
}

fn transfer(stage: &Stage, route: &str, token: &str, body: &Value) -> TestRequest {
    let request = stage.service.post(&format!("/object/{route}"));
    request.bearer(token).json(body)
}

fn from_to(from: &str, to: &str) -> Value {
    json!({ "bucketId": "docs", "sourceKey": from, "destinationKey": to })
}

#[tokio::test]
async fn a_moved_object_keeps_its_id_and_bytes() {
    let stage = stage().await;
    let before = stage
        .service
        .get("/object/info/docs/a.txt")
        .bearer(&stage.admin)
        .await
        .json();
    let moved = transfer(&stage, "move", &stage.admin, &from_to("a.txt", "b/c.txt")).await;
    let moved = moved.expect_status(200).json();
    assert_eq!(moved["message"], "Successfully moved");
    assert_eq!(moved["Key"], "docs/b/c.txt");
    assert_refused(
        &stage.download(&stage.admin, "docs/a.txt").await,
        "404",
        "NoSuchKey",
    );
    assert_eq!(
        stage.download(&stage.admin, "docs/b/c.txt").await.body,
        "text"
    );
    let after = stage
        .service
        .get("/object/info/docs/b/c.txt")
        .bearer(&stage.admin)
        .await
        .json();
    assert_eq!(after["id"], before["id"]);
}

#[tokio::test]
async fn a_copy_is_an_object_of_its_own() {
    let stage = stage().await;
    let copied = transfer(&stage, "copy", &stage.admin, &from_to("a.txt", "copy.txt")).await;
    assert_eq!(copied.expect_status(200).json()["Key"], "docs/copy.txt");
    stage
        .service
        .delete("/object/docs/a.txt")
        .bearer(&stage.admin)
        .await
        .must_be(200);
    stage.until_files(1).await;
    let copy = stage
        .download(&stage.admin, "docs/copy.txt")
        .await
        .expect_status(200);
    assert_eq!(copy.body, "text");
    assert_eq!(copy.header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn a_copy_replaces_only_when_asked() {
    let stage = stage().await;
    stage
        .upload(&stage.admin, "docs/b.txt", b"old")
        .await
        .must_be(200);
    let body = from_to("a.txt", "b.txt");
    for route in ["copy", "move"] {
        let refused = transfer(&stage, route, &stage.admin, &body).await;
        assert_refused(&refused, "409", "KeyAlreadyExists");
    }
    let upsert = transfer(&stage, "copy", &stage.admin, &body).header("x-upsert", "true");
    upsert.await.must_be(200);
    assert_eq!(
        stage.download(&stage.admin, "docs/b.txt").await.body,
        "text"
    );
    stage.until_files(2).await;
}

#[tokio::test]
async fn what_another_bucket_does_not_take_stays_out() {
    let stage = stage().await;
    for (bucket, status, code) in [
        ("other", "413", "EntityTooLarge"),
        ("none", "404", "NoSuchBucket"),
    ] {
        let mut body = from_to("a.txt", "a.txt");
        body["destinationBucket"] = json!(bucket);
        for route in ["move", "copy"] {
            let refused = transfer(&stage, route, &stage.admin, &body).await;
            assert_refused(&refused, status, code);
        }
    }
    for route in ["move", "copy"] {
        let refused = transfer(&stage, route, &stage.admin, &from_to("none", "b")).await;
        assert_refused(&refused, "404", "NoSuchKey");
    }
    assert_eq!(stage.files().await, (1, 0));
}

#[tokio::test]
async fn users_move_and_copy_only_where_they_may_write() {
    let stage = stage().await;
    stage.db.execute(OWN_FOLDERS).await;
    let own = format!("{ANA}/a");
    stage
        .upload(&stage.ana, &format!("docs/{own}"), b"hers")
        .await
        .must_be(200);
    for route in ["move", "copy"] {
        let into_bens = from_to(&own, &format!("{BEN}/a"));
        let refused = transfer(&stage, route, &stage.ana, &into_bens).await;
        assert_refused(&refused, "403", "AccessDenied");
        let from_hers = from_to(&own, &format!("{BEN}/a"));
        let refused = transfer(&stage, route, &stage.ben, &from_hers).await;
        assert_refused(&refused, "404", "NoSuchKey");
    }
    assert_eq!(stage.files().await, (2, 0));
    let renamed = from_to(&own, &format!("{ANA}/b"));
    transfer(&stage, "move", &stage.ana, &renamed)
        .await
        .must_be(200);
}

#[tokio::test]
async fn deleting_many_answers_those_that_were_deleted() {
    let stage = stage().await;
    stage.db.execute(OWN_FOLDERS).await;
    let own = format!("{ANA}/a");
    stage
        .upload(&stage.ana, &format!("docs/{own}"), b"hers")
        .await
        .must_be(200);
    let body = json!({ "prefixes": [own, "a.txt", "none"] });
    let remove = |token: &str| {
        stage
            .service
            .delete("/object/docs")
            .bearer(token)
            .json(&body)
    };
    assert_eq!(
        remove(&stage.ben).await.expect_status(200).json(),
        json!([])
    );
    let removed = remove(&stage.ana).await.expect_status(200).json();
    assert_eq!(removed.as_array().map(Vec::len), Some(1));
    assert_eq!(removed[0]["name"], json!(own));
    stage.until_files(1).await;
    for prefixes in [json!([]), json!(vec!["x"; 1001])] {
        let request = stage.service.delete("/object/docs").bearer(&stage.admin);
        let refused = request.json(&json!({ "prefixes": prefixes })).await;
        assert_refused(&refused, "400", "InvalidRequest");
    }
}
