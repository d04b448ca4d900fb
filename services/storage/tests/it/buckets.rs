//! Buckets through Supabase's API.

use serde_json::{Value, json};

use crate::stage::{MustBe as _, Stage, assert_refused};

#[tokio::test]
async fn a_bucket_is_made_read_changed_listed_and_deleted() {
    let stage = Stage::new().await;
    let settings = json!({
        "public": true,
        "file_size_limit": "5MB",
        "allowed_mime_types": ["image/*", ""],
    });
    stage.bucket("avatars", settings).await;
    let admin = stage.admin.as_str();
    let read = || async {
        let request = stage.service.get("/bucket/avatars").bearer(admin);
        request.await.expect_status(200).json()
    };

    let bucket = read().await;
    assert_eq!(bucket["id"], "avatars");
    assert_eq!(bucket["public"], true);
    assert_eq!(bucket["file_size_limit"], 5_000_000);
    assert_eq!(bucket["allowed_mime_types"], json!(["image/*"]));

    let change =
        json!({ "id": "avatars", "name": "avatars", "public": false, "file_size_limit": null });
    let request = stage
        .service
        .put("/bucket/avatars")
        .bearer(admin)
        .json(&change);
    assert_eq!(
        request.await.expect_status(200).json(),
        json!({ "message": "Successfully updated" })
    );
    let bucket = read().await;
    assert_eq!(bucket["public"], false);
    assert_eq!(bucket["file_size_limit"], Value::Null);
    assert_eq!(
        bucket["allowed_mime_types"],
        json!(["image/*"]),
        "what is absent stays"
    );

    let request = stage
        .service
        .delete("/bucket/avatars")
        .bearer(admin)
        .json(&json!({}));
    assert_eq!(
        request.await.expect_status(200).json(),
        json!({ "message": "Successfully deleted" })
    );
    let gone = stage.service.get("/bucket/avatars").bearer(admin).await;
    assert_refused(&gone, "404", "NoSuchBucket");
}

#[tokio::test]
async fn buckets_are_searched_sorted_and_paged() {
    let stage = Stage::new().await;
    for name in ["beta", "alpha", "album"] {
        stage.bucket(name, json!({})).await;
    }
    let names = |query: &'static str| {
        let request = stage
            .service
            .get(&format!("/bucket{query}"))
            .bearer(&stage.admin);
        async move {
            let buckets = request.await.expect_status(200).json();
            let buckets = buckets.as_array().expect("a list").clone();
            let name = |bucket: &Value| bucket["name"].as_str().expect("a name").to_owned();
            buckets.iter().map(name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names("").await, ["album", "alpha", "beta"]);
    assert_eq!(
        names("?search=AL&sortColumn=name&sortOrder=desc").await,
        ["alpha", "album"]
    );
    assert_eq!(
        names("?sortColumn=created_at&limit=1&offset=1").await,
        ["alpha"]
    );
}

#[tokio::test]
async fn only_who_a_policy_allows_makes_buckets() {
    let stage = Stage::new().await;
    let make = |token: &str, name: &str| {
        let body = json!({ "name": name });
        stage.service.post("/bucket").bearer(token).json(&body)
    };
    for token in [&stage.anon, &stage.ana] {
        assert_refused(&make(token, "mine").await, "403", "AccessDenied");
    }
    stage
        .db
        .execute(
            "create policy make on storage.buckets for insert to authenticated with check (true)",
        )
        .await;
    let made = make(&stage.ana, "mine").await.expect_status(200);
    assert_eq!(made.json(), json!({ "name": "mine" }));
    assert_refused(
        &make(&stage.ana, "mine").await,
        "409",
        "BucketAlreadyExists",
    );
    let owner: Option<String> = pg::sqlx::query_scalar("select owner_id from storage.buckets")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a bucket");
    assert_eq!(owner, Some(crate::stage::ANA.to_string()));
}

#[tokio::test]
async fn a_bucket_goes_only_when_it_is_empty() {
    let stage = Stage::new().await;
    stage.bucket("full", json!({})).await;
    for index in 0..3 {
        let path = format!("full/dir/{index}");
        stage.upload(&stage.admin, &path, b"x").await.must_be(200);
    }
    let delete = || stage.service.delete("/bucket/full").bearer(&stage.admin);
    let refused = delete().await;
    assert_refused(&refused, "409", "InvalidRequest");
    assert_eq!(stage.files().await.0, 3);

    let request = stage
        .service
        .post("/bucket/full/empty")
        .bearer(&stage.admin);
    let emptied = request.json(&json!({})).await.expect_status(200);
    assert_eq!(emptied.json(), json!({ "message": "Successfully emptied" }));
    stage.until_files(0).await;
    delete().await.must_be(200);
}

#[tokio::test]
async fn names_and_settings_that_cannot_be_are_refused() {
    let stage = Stage::new().await;
    let make = async |body: Value| {
        let request = stage.service.post("/bucket").bearer(&stage.admin);
        request.json(&body).await
    };
    for name in ["", "a/b", "..", "bücket", " edge"] {
        let refused = make(json!({ "name": name })).await;
        assert_refused(&refused, "400", "InvalidBucketName");
        assert_eq!(refused.json()["error"], "Invalid Input");
    }
    let table = [
        (
            json!({ "file_size_limit": "much" }),
            "400",
            "InvalidRequest",
        ),
        (json!({ "file_size_limit": -1 }), "400", "InvalidRequest"),
        (json!({ "file_size_limit": "6GB" }), "413", "EntityTooLarge"),
        (
            json!({ "allowed_mime_types": ["no type"] }),
            "415",
            "InvalidMimeType",
        ),
        (json!({ "type": "ANALYTICS" }), "400", "InvalidRequest"),
    ];
    for (mut body, status, code) in table {
        body["name"] = json!("fine");
        assert_refused(&make(body).await, status, code);
    }
}
