//! Buckets and files through `/api/v1`.

use serde_json::{Value, json};
use testkit::TestResponse;

use crate::stage::{ANA, BEN, MustBe as _, Stage};

async fn make(stage: &Stage, token: &str, body: Value) -> TestResponse {
    stage
        .service
        .post("/api/v1/buckets")
        .bearer(token)
        .json(&body)
        .await
}

async fn initiate(stage: &Stage, token: &str, bucket: &str, name: &str) -> TestResponse {
    let body =
        json!({ "filename": name, "content_type": "image/png", "size": 3, "bucket_id": bucket });
    let request = stage.service.post("/api/v1/files/initiate-upload");
    request.bearer(token).json(&body).await
}

/// Uploads a file in two steps, as SelfDB's clients do; answers its id.
async fn put_file(stage: &Stage, token: &str, bucket: &str, name: &str) -> String {
    let initiated = initiate(stage, token, bucket, name)
        .await
        .expect_status(201)
        .json();
    let upload = &initiated["presigned_upload_info"];
    assert_eq!(upload["upload_method"], "PUT");
    let url = in_service(upload["upload_url"].as_str().expect("a URL"));
    let put = stage.service.put(&url).header("content-type", "image/png");
    put.body("png").await.must_be(200);
    initiated["file_metadata"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// What the service sees of a public URL: the gateway strips the prefix.
fn in_service(url: &str) -> String {
    let path = url.strip_prefix("http://localhost:8000/storage/v1");
    path.expect("an absolute URL of the platform").to_owned()
}

#[tokio::test]
async fn anon_sees_public_buckets_and_nothing_else() {
    let stage = Stage::new().await;
    make(&stage, &stage.ana, json!({ "name": "private" }))
        .await
        .must_be(201);
    let made = make(
        &stage,
        &stage.ana,
        json!({ "name": "open", "description": "for all", "is_public": true }),
    );
    let made = made.await.expect_status(201).json();
    assert_eq!(made["owner_id"], json!(ANA));
    put_file(&stage, &stage.anon, "open", "a.png").await;
    for path in ["/api/v1/buckets/public", "/api/v1/buckets"] {
        let listed = stage
            .service
            .get(path)
            .bearer(&stage.anon)
            .await
            .expect_status(200)
            .json();
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "{path}");
        assert_eq!(listed[0]["name"], "open");
        assert_eq!(listed[0]["description"], "for all");
        assert_eq!(listed[0]["is_public"], true);
        assert_eq!(listed[0]["file_count"], 1);
        assert_eq!(listed[0]["total_size"], 3);
    }
    let hidden = stage
        .service
        .get("/api/v1/buckets/private")
        .bearer(&stage.anon)
        .await;
    let hidden = hidden.expect_status(404).json();
    assert_eq!(
        hidden,
        json!({ "detail": "Bucket not found", "code": "NoSuchBucket" })
    );
    let own = stage
        .service
        .get("/api/v1/buckets")
        .bearer(&stage.ana)
        .await
        .json();
    assert_eq!(own.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn only_an_owner_or_an_administrator_changes_a_bucket() {
    let stage = Stage::new().await;
    make(
        &stage,
        &stage.ana,
        json!({ "name": "open", "is_public": true }),
    )
    .await
    .must_be(201);
    let path = "/api/v1/buckets/open";
    let change = |token: &str| {
        stage
            .service
            .put(path)
            .bearer(token)
            .json(&json!({ "description": "changed" }))
    };
    change(&stage.anon).await.must_be(403);
    change(&stage.ben).await.must_be(403);
    stage
        .service
        .delete(path)
        .bearer(&stage.ben)
        .await
        .must_be(403);
    let changed = change(&stage.ana).await.expect_status(200).json();
    assert_eq!(changed["description"], "changed");
    assert_eq!(changed["is_public"], true, "what is absent stays");
    let admin = stage.db.superuser_token(BEN, "root@example.com");
    change(&admin).await.must_be(200);
    stage.service.delete(path).bearer(&admin).await.must_be(204);
    stage
        .service
        .get(path)
        .bearer(&stage.ana)
        .await
        .must_be(404);
}

#[tokio::test]
async fn a_bucket_made_private_is_private_in_both_dialects() {
    let stage = Stage::new().await;
    for (name, by_supabase) in [("one", false), ("two", true)] {
        make(
            &stage,
            &stage.ana,
            json!({ "name": name, "is_public": true }),
        )
        .await
        .must_be(201);
        let id = put_file(&stage, &stage.ana, name, "a.png").await;
        let public = format!("/api/v1/files/public/{id}/view-info");
        stage
            .service
            .get(&public)
            .bearer(&stage.anon)
            .await
            .must_be(200);
        let request = if by_supabase {
            let request = stage
                .service
                .put(&format!("/bucket/{name}"))
                .bearer(&stage.admin);
            request.json(&json!({ "public": false }))
        } else {
            let request = stage
                .service
                .put(&format!("/api/v1/buckets/{name}"))
                .bearer(&stage.ana);
            request.json(&json!({ "is_public": false }))
        };
        request.await.must_be(200);
        stage
            .service
            .get(&public)
            .bearer(&stage.anon)
            .await
            .must_be(404);
        initiate(&stage, &stage.anon, name, "b.png")
            .await
            .must_be(403);
        assert_eq!(
            stage
                .upload(&stage.anon, &format!("{name}/b"), b"x")
                .await
                .json()["statusCode"],
            "403"
        );
        let listed = stage
            .service
            .get("/api/v1/buckets/public")
            .bearer(&stage.anon);
        assert_eq!(listed.await.json(), json!([]));
    }
}

#[tokio::test]
async fn a_file_goes_up_in_two_steps_and_comes_down_by_its_id() {
    let stage = Stage::new().await;
    make(&stage, &stage.ana, json!({ "name": "mine" }))
        .await
        .must_be(201);
    let id = put_file(&stage, &stage.ana, "mine", "Zażółć gęślą.png").await;
    put_file(&stage, &stage.ana, "mine", "Zażółć gęślą.png").await;

    let path = format!("/api/v1/files/{id}/download-info");
    let info = stage
        .service
        .get(&path)
        .bearer(&stage.ana)
        .await
        .expect_status(200)
        .json();
    let file = &info["file_metadata"];
    assert_eq!(file["id"], json!(id), "the id that was promised");
    assert_eq!(file["filename"], "Zażółć gęślą.png");
    assert_eq!(file["size"], 3);
    assert_eq!(file["content_type"], "image/png");
    assert_eq!(file["owner_id"], json!(ANA));
    let url = in_service(info["download_url"].as_str().expect("a URL"));
    let got = stage.service.get(&url).await.expect_status(200);
    assert_eq!(got.body, "png");
    let disposition = got
        .header("content-disposition")
        .expect("saved under a name");
    assert!(disposition.ends_with("UTF-8''Za%C5%BC%C3%B3%C5%82%C4%87%20g%C4%99%C5%9Bl%C4%85.png"));

    let view = stage
        .service
        .get(&format!("/api/v1/files/{id}/view-info"))
        .bearer(&stage.ana);
    let view = view.await.expect_status(200).json();
    let url = in_service(view["view_url"].as_str().expect("a URL"));
    let got = stage.service.get(&url).await.expect_status(200);
    assert_eq!(got.header("content-disposition"), None);

    for token in [&stage.ben, &stage.anon] {
        stage.service.get(&path).bearer(token).await.must_be(404);
    }
    let files = stage
        .service
        .get("/api/v1/buckets/mine/files?limit=1&skip=1")
        .bearer(&stage.ana);
    let files = files.await.expect_status(200).json();
    assert_eq!(files.as_array().map(Vec::len), Some(1));
    assert_eq!(files[0]["id"], json!(id), "newest first");
}

#[tokio::test]
async fn public_files_are_seen_by_anybody_and_changed_by_their_owner() {
    let stage = Stage::new().await;
    make(
        &stage,
        &stage.ana,
        json!({ "name": "open", "is_public": true }),
    )
    .await
    .must_be(201);
    let of_ben = put_file(&stage, &stage.ben, "open", "b.png").await;
    let of_nobody = put_file(&stage, &stage.anon, "open", "n.png").await;
    let path = format!("/api/v1/files/public/{of_ben}/view-info");
    let view = stage
        .service
        .get(&path)
        .bearer(&stage.anon)
        .await
        .expect_status(200)
        .json();
    let url = in_service(view["view_url"].as_str().expect("a URL"));
    assert!(url.starts_with("/object/public/open/"), "{url}");
    assert_eq!(stage.service.get(&url).await.expect_status(200).body, "png");
    let files = stage
        .service
        .get("/api/v1/buckets/open/files")
        .bearer(&stage.anon);
    assert_eq!(files.await.json().as_array().map(Vec::len), Some(2));
    let own = stage
        .service
        .get("/api/v1/files?bucket_id=open")
        .bearer(&stage.ben)
        .await
        .json();
    assert_eq!(own.as_array().map(Vec::len), Some(1));

    let delete = |token: &str, id: &str| {
        stage
            .service
            .delete(&format!("/api/v1/files/{id}"))
            .bearer(token)
    };
    delete(&stage.anon, &of_nobody).await.must_be(403);
    delete(&stage.anon, &of_ben).await.must_be(403);
    delete(&stage.ben, &of_nobody).await.must_be(403);
    delete(&stage.ben, &of_ben).await.must_be(204);
    delete(&stage.ana, &of_nobody).await.must_be(204);
    stage.until_files(0).await;
    delete(&stage.ana, &of_nobody).await.must_be(404);
    delete(&stage.ana, "no-id").await.must_be(404);
}

#[tokio::test]
async fn who_is_nobody_is_told_so() {
    let stage = Stage::new().await;
    for request in [
        stage.service.get("/api/v1/buckets/public"),
        stage.service.get("/api/v1/buckets/public").bearer("a.b.c"),
        stage
            .service
            .post("/api/v1/files/initiate-upload")
            .json(&json!({})),
    ] {
        let refused = request.await.expect_status(401).json();
        assert!(refused["detail"].is_string(), "{refused}");
    }
    make(&stage, &stage.anon, json!({ "name": "x" }))
        .await
        .must_be(403);
    make(&stage, &stage.ana, json!({ "name": "a/b" }))
        .await
        .must_be(400);
    make(&stage, &stage.ana, json!({ "is_superuser": true }))
        .await
        .must_be(400);
    make(&stage, &stage.ana, json!({ "name": "x", "owner_id": BEN }))
        .await
        .must_be(201);
    let own = stage
        .service
        .get("/api/v1/buckets/x")
        .bearer(&stage.ana)
        .await
        .json();
    assert_eq!(own["owner_id"], json!(ANA), "a body never says whose it is");
    make(&stage, &stage.ben, json!({ "name": "x" }))
        .await
        .must_be(409);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_sent() {
    let stage = Stage::with(&[("FILE_SIZE_LIMIT", "2")]).await;
    make(&stage, &stage.ana, json!({ "name": "mine" }))
        .await
        .must_be(201);
    initiate(&stage, &stage.ana, "mine", "a.png")
        .await
        .must_be(413);
    initiate(&stage, &stage.ana, "none", "a.png")
        .await
        .must_be(404);
    initiate(&stage, &stage.ana, "mine", " ").await.must_be(400);
}

#[tokio::test]
async fn a_single_file_is_made_public_by_its_owner() {
    let stage = Stage::new().await;
    make(&stage, &stage.ana, json!({ "name": "closed" }))
        .await
        .must_be(201);
    let id = put_file(&stage, &stage.ana, "closed", "a.txt").await;
    let show = |is_public: Value| {
        let request = stage.service.put(&format!("/api/v1/files/{id}"));
        request.json(&json!({ "is_public": is_public }))
    };
    let view = || {
        let path = format!("/api/v1/files/public/{id}/view-info");
        stage.service.get(&path).bearer(&stage.anon)
    };
    view().await.must_be(404);
    show(json!(true)).bearer(&stage.ben).await.must_be(404);
    show(json!(true)).bearer(&stage.anon).await.must_be(403);
    show(json!("yes")).bearer(&stage.ana).await.must_be(400);
    let shown = show(json!(true)).bearer(&stage.ana).await;
    assert_eq!(shown.expect_status(200).json()["is_public"], true);
    let info = view().await.expect_status(200).json();
    let url = info["view_url"].as_str().expect("a URL");
    let path = url.split_once("/storage/v1").expect("a path").1;
    stage.service.get(path).await.must_be(200);
    // Whoever sees it may still not change it.
    show(json!(false)).bearer(&stage.ben).await.must_be(403);
    show(json!(false)).bearer(&stage.ana).await.must_be(200);
    view().await.must_be(404);
    stage.service.get(path).await.must_be(400);
}
