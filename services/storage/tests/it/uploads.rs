//! Uploads through Supabase's API.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use crate::stage::{ANA, Field, MustBe as _, OWN_FOLDERS, Stage, assert_refused, form};

#[tokio::test]
async fn bare_bytes_come_back_as_they_went() {
    let stage = Stage::new().await;
    stage.bucket("photos", json!({})).await;
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let request = stage
        .service
        .post("/object/photos/a%20b/c.bin")
        .bearer(&stage.admin)
        .header("content-type", "application/x-thing")
        .header("cache-control", "max-age=60")
        .header("x-metadata", "eyJjb2xvciI6InJlZCJ9")
        .body(bytes.clone());
    let answer = request.await.expect_status(200).json();
    assert_eq!(answer["Key"], "photos/a b/c.bin");

    let got = stage
        .download(&stage.admin, "photos/a%20b/c.bin")
        .await
        .expect_status(200);
    assert_eq!(got.body, bytes);
    assert_eq!(got.header("content-type"), Some("application/x-thing"));
    assert_eq!(got.header("cache-control"), Some("max-age=60"));
    let etag = got.header("etag").expect("an entity tag").to_owned();

    let info = stage
        .service
        .get("/object/info/photos/a%20b/c.bin")
        .bearer(&stage.admin);
    let info = info.await.expect_status(200).json();
    assert_eq!(info["id"], answer["Id"]);
    assert_eq!(info["size"], 700_000);
    assert_eq!(info["etag"], json!(etag));
    assert_eq!(info["metadata"], json!({ "color": "red" }));
    let hashed: bool = pg::sqlx::query_scalar("select sha256 = sha256($1) from storage.objects")
        .bind(&bytes)
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a row");
    assert!(hashed, "the row has the SHA-256 of the bytes");
}

#[tokio::test]
async fn a_form_is_taken_whatever_the_order_of_its_fields() {
    let stage = Stage::new().await;
    stage.bucket("photos", json!({})).await;
    let file: Field<'_> = ("", Some("cat.png"), b"png bytes\r\n--edg");
    let age: Field<'_> = ("cacheControl", None, b"120");
    let metadata: Field<'_> = ("metadata", None, br#"{"a":1}"#);
    for (index, fields) in [[age, metadata, file], [file, age, metadata]]
        .iter()
        .enumerate()
    {
        let (content_type, body) = form(fields);
        let path = format!("photos/cat{index}.png");
        let request = stage
            .service
            .post(&format!("/object/{path}"))
            .bearer(&stage.admin);
        let request = request.header("content-type", &content_type).body(body);
        request.await.must_be(200);
        let got = stage.download(&stage.admin, &path).await.expect_status(200);
        assert_eq!(got.body, file.2);
        assert_eq!(got.header("content-type"), Some("image/png"));
        assert_eq!(got.header("cache-control"), Some("max-age=120"));
        let info = stage
            .service
            .get(&format!("/object/info/{path}"))
            .bearer(&stage.admin);
        assert_eq!(info.await.json()["metadata"], json!({ "a": 1 }));
    }
}

#[tokio::test]
async fn a_form_that_is_not_one_file_leaves_nothing() {
    let stage = Stage::new().await;
    stage.bucket("photos", json!({})).await;
    let file: Field<'_> = ("", Some("cat.png"), b"bytes");
    let cases: [&[Field<'_>]; 5] = [
        &[],
        &[("cacheControl", None, b"1")],
        &[file, file],
        &[file, ("metadata", None, b"not json")],
        &[("cacheControl", None, b"1\r\nset-cookie: a=b"), file],
    ];
    let mut bodies: Vec<Vec<u8>> = cases.iter().map(|fields| form(fields).1).collect();
    let (content_type, whole) = form(&[file]);
    bodies.push(whole[..whole.len() - 12].to_vec());
    bodies.push(b"no form at all".to_vec());
    for body in bodies {
        let request = stage
            .service
            .post("/object/photos/cat.png")
            .bearer(&stage.admin);
        let request = request
            .header("content-type", &content_type)
            .body(body.clone());
        assert_refused(&request.await, "400", "InvalidRequest");
        assert_eq!(
            stage.files().await,
            (0, 0),
            "{:?}",
            String::from_utf8_lossy(&body)
        );
    }
    let request = stage
        .service
        .post("/object/photos/cat.png")
        .bearer(&stage.admin);
    let request = request
        .header("content-type", "multipart/form-data")
        .body("x");
    assert_refused(&request.await, "400", "InvalidRequest");
}

#[tokio::test]
async fn replacing_needs_to_be_asked_for_and_keeps_the_id() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let first = stage
        .upload(&stage.admin, "docs/a.txt", b"one")
        .await
        .json();
    let again = stage.upload(&stage.admin, "docs/a.txt", b"two").await;
    assert_refused(&again, "409", "KeyAlreadyExists");
    assert_eq!(again.json()["error"], "Duplicate");

    let upsert = stage
        .service
        .post("/object/docs/a.txt")
        .bearer(&stage.admin);
    let upsert = upsert.header("x-upsert", "true").body("three");
    assert_eq!(upsert.await.expect_status(200).json()["Id"], first["Id"]);
    let put = stage
        .service
        .put("/object/docs/a.txt")
        .bearer(&stage.admin)
        .body("four");
    assert_eq!(put.await.expect_status(200).json()["Id"], first["Id"]);
    assert_eq!(
        stage.download(&stage.admin, "docs/a.txt").await.body,
        "four"
    );
    stage.until_files(1).await;
}

#[tokio::test]
async fn limits_of_the_bucket_hold_however_the_bytes_come() {
    let stage = Stage::new().await;
    let limits =
        json!({ "file_size_limit": 1000, "allowed_mime_types": ["text/plain", "image/png"] });
    stage.bucket("small", limits).await;
    stage
        .upload(&stage.admin, "small/fits", &[b'x'; 1000])
        .await
        .must_be(200);

    let too_large = stage
        .upload(&stage.admin, "small/large", &[b'x'; 1001])
        .await;
    assert_refused(&too_large, "413", "EntityTooLarge");
    assert_eq!(too_large.json()["error"], "Payload too large");
    let chunks = (0..5).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 300])));
    let unannounced = stage
        .service
        .post("/object/small/large")
        .bearer(&stage.admin);
    let unannounced = unannounced.header("content-type", "text/plain");
    let unannounced = unannounced.body(Body::from_stream(stream::iter(chunks)));
    assert_refused(&unannounced.await, "413", "EntityTooLarge");
    let (content_type, body) = form(&[("", Some("a.png"), &[b'x'; 1001])]);
    let as_form = stage
        .service
        .post("/object/small/large")
        .bearer(&stage.admin);
    let as_form = as_form.header("content-type", &content_type).body(body);
    assert_refused(&as_form.await, "413", "EntityTooLarge");

    let wrong = stage
        .service
        .post("/object/small/page")
        .bearer(&stage.admin);
    let wrong = wrong.header("content-type", "text/html").body("<p>").await;
    assert_refused(&wrong, "415", "InvalidMimeType");
    assert_eq!(
        stage.files().await,
        (1, 0),
        "nothing of what was refused is left"
    );
}

#[tokio::test]
async fn the_platform_limit_holds_where_the_bucket_has_none() {
    let stage = Stage::with(&[("FILE_SIZE_LIMIT", "10")]).await;
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/ten", b"0123456789")
        .await
        .must_be(200);
    let refused = stage
        .upload(&stage.admin, "docs/eleven", b"0123456789a")
        .await;
    assert_refused(&refused, "413", "EntityTooLarge");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let chunks = [
        Ok(Bytes::from(vec![b'x'; 600_000])),
        Err(std::io::Error::other("cut")),
    ];
    let request = stage.service.post("/object/docs/half").bearer(&stage.admin);
    let request = request.body(Body::from_stream(stream::iter(chunks)));
    assert_refused(&request.await, "400", "InvalidRequest");
    assert_eq!(stage.files().await, (0, 0));
    assert_refused(
        &stage.download(&stage.admin, "docs/half").await,
        "404",
        "NoSuchKey",
    );
}

#[tokio::test]
async fn users_write_only_into_their_own_folder() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage.db.execute(OWN_FOLDERS).await;
    let own = format!("docs/{ANA}/a.txt");
    stage.upload(&stage.ana, &own, b"mine").await.must_be(200);
    for token in [&stage.ben, &stage.anon] {
        let refused = stage
            .upload(token, &format!("docs/{ANA}/b.txt"), b"hers")
            .await;
        assert_refused(&refused, "403", "AccessDenied");
        assert_eq!(
            refused.json()["message"],
            "new row violates row-level security policy"
        );
        assert_refused(&stage.download(token, &own).await, "404", "NoSuchKey");
        let put = stage
            .service
            .put(&format!("/object/{own}"))
            .bearer(token)
            .body("stolen");
        assert_refused(&put.await, "403", "AccessDenied");
    }
    assert_eq!(stage.download(&stage.ana, &own).await.body, "mine");
    let (owner, owner_id): (Option<uuid::Uuid>, Option<String>) =
        pg::sqlx::query_as("select owner, owner_id from storage.objects")
            .fetch_one(&stage.db.admin_pool())
            .await
            .expect("a row");
    assert_eq!((owner, owner_id), (Some(ANA), Some(ANA.to_string())));
}

#[tokio::test]
async fn a_policy_sees_what_is_about_to_be_uploaded() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let policy = "create policy small_text on storage.objects for insert to authenticated
                  with check (metadata ->> 'mimetype' = 'text/plain'
                              and (metadata ->> 'size')::int < 10)";
    stage.db.execute(policy).await;
    stage
        .upload(&stage.ana, "docs/small", b"123")
        .await
        .must_be(200);
    let large = stage.upload(&stage.ana, "docs/large", b"0123456789").await;
    assert_refused(&large, "403", "AccessDenied");
}

#[tokio::test]
async fn placeholders_of_empty_folders_hold_nothing() {
    let stage = Stage::new().await;
    stage
        .bucket("pics", json!({ "allowed_mime_types": ["image/png"] }))
        .await;
    let path = "pics/new/.emptyFolderPlaceholder";
    stage.upload(&stage.admin, path, b"").await.must_be(200);
    let refused = stage
        .service
        .put(&format!("/object/{path}"))
        .bearer(&stage.admin)
        .body("x");
    assert_refused(&refused.await, "413", "EntityTooLarge");
}

#[tokio::test]
async fn no_token_a_bad_one_and_no_bucket_are_told_apart() {
    let stage = Stage::new().await;
    let upload = || stage.service.post("/object/docs/a").body("x");
    assert_refused(&upload().await, "400", "InvalidRequest");
    let bad = upload().bearer("a.b.c").await;
    assert_refused(&bad, "403", "AccessDenied");
    assert_eq!(bad.json()["error"], "Unauthorized");
    assert_refused(&upload().bearer(&stage.admin).await, "404", "NoSuchBucket");
    let unknown: Value = stage
        .service
        .get("/nothing/here")
        .await
        .expect_status(404)
        .json();
    assert_eq!(unknown["statusCode"], "404");
}
