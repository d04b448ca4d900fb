//! The S3 protocol. The real clients run in tests/acceptance; here is what they cannot be made to
//! do, and what row-level security lets whom do.

use http::Method;
use serde_json::json;

use crate::sigv4::{Habit, Signer};
use crate::stage::{ANA, MustBe as _, OWN_FOLDERS, Stage, form};

#[tokio::test]
async fn objects_go_round() {
    let stage = Stage::new().await;
    let service = Signer::service(&stage);
    let ask = |method, path: &str, query: &[(&str, &str)], body: &[u8]| {
        service.request(&stage, method, path, query, body)
    };
    ask(Method::PUT, "/docs", &[], b"").await.must_be(200);
    ask(Method::PUT, "/docs", &[], b"").await.must_be(409);
    let put = ask(Method::PUT, "/docs/a/b c+d.txt", &[], b"hello");
    let put = put
        .header("content-type", "text/plain")
        .header("x-amz-meta-colour", "red");
    let etag = put.await.expect_status(200);
    let etag = etag.header("etag").expect("an entity tag").to_owned();
    assert_eq!(etag, "\"5d41402abc4b2a76b9719d911017c592\"");
    let got = ask(Method::GET, "/docs/a/b c+d.txt", &[], b"")
        .await
        .expect_status(200);
    assert_eq!(got.body, "hello");
    assert_eq!(got.header("content-type"), Some("text/plain"));
    assert_eq!(got.header("x-amz-meta-colour"), Some("red"));
    assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    let part = ask(Method::GET, "/docs/a/b c+d.txt", &[], b"").header("range", "bytes=1-2");
    assert_eq!(part.await.expect_status(206).body, "el");
    let same = ask(Method::GET, "/docs/a/b c+d.txt", &[], b"").header("if-none-match", &etag);
    same.await.must_be(304);
    let list = ask(
        Method::GET,
        "/docs",
        &[("list-type", "2"), ("delimiter", "/")],
        b"",
    )
    .await;
    assert!(
        list.expect_status(200)
            .text()
            .contains("<Prefix>a/</Prefix>")
    );
    // The same object by storage's own protocol.
    assert_eq!(
        stage
            .download(&stage.admin, "docs/a/b%20c%2Bd.txt")
            .await
            .body,
        "hello"
    );
    // Writes on conditions.
    let new = ask(Method::PUT, "/docs/a/b c+d.txt", &[], b"x").header("if-none-match", "*");
    new.await.must_be(412);
    let other = ask(Method::PUT, "/docs/a/b c+d.txt", &[], b"x").header("if-match", "\"0\"");
    other.await.must_be(412);
    let this = ask(Method::PUT, "/docs/a/b c+d.txt", &[], b"new").header("if-match", &etag);
    this.await.must_be(200);
    ask(Method::DELETE, "/docs", &[], b"").await.must_be(409);
    ask(Method::DELETE, "/docs/a/b c+d.txt", &[], b"")
        .await
        .must_be(204);
    ask(Method::DELETE, "/docs/a/b c+d.txt", &[], b"")
        .await
        .must_be(204);
    ask(Method::HEAD, "/docs/a/b c+d.txt", &[], b"")
        .await
        .must_be(404);
    ask(Method::DELETE, "/docs", &[], b"").await.must_be(204);
    ask(Method::GET, "/docs", &[], b"").await.must_be(404);
}

#[tokio::test]
async fn bytes_that_are_not_those_that_were_signed_are_not_kept() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let service = Signer::service(&stage);
    let forged = service.request(&stage, Method::PUT, "/docs/a", &[], b"hello");
    forged.body("jello").await.must_be(400);
    for (name, value) in [
        ("content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="),
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-sha256", "AAAA"),
    ] {
        let wrong = service.request(&stage, Method::PUT, "/docs/a", &[], b"hello");
        let refused = wrong.header(name, value).await.expect_status(400);
        assert!(refused.text().contains("BadDigest"), "{}", refused.text());
    }
    let right = service.request(&stage, Method::PUT, "/docs/b", &[], b"hello");
    let right = right.header("x-amz-checksum-crc32", "NhCmhg==");
    right.await.must_be(200);
    assert_eq!(stage.files().await, (1, 0));
}

#[tokio::test]
async fn whoever_did_not_sign_is_refused() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage
        .upload(&stage.admin, "docs/a", b"secret")
        .await
        .must_be(200);
    let service = Signer::service(&stage);
    let wrong = Signer {
        secret: "not the secret".to_owned(),
        ..service.clone()
    };
    // The anon key is everybody's: alone it is nobody's.
    let nobody = Signer {
        token: None,
        ..Signer::session(&stage, "")
    };
    let forged = Signer::session(&stage, "not.a.token");
    for signer in [wrong, nobody, forged] {
        let got = signer
            .request(&stage, Method::GET, "/docs/a", &[], b"")
            .await;
        assert!(got.status.is_client_error(), "{signer:?}: {}", got.status);
        assert!(!got.text().contains("secret</") && got.body != "secret");
    }
    stage.service.get("/s3/docs/a").await.must_be(403);
    stage.service.get("/s3").await.must_be(403);
    let bearer = stage.service.get("/s3/docs/a").bearer(&stage.admin).await;
    assert!(bearer.status.is_client_error());
    let old = stage
        .service
        .get("/s3/docs/a")
        .header("authorization", "AWS a:b");
    old.await.must_be(400);
    let signed = service.request(&stage, Method::GET, "/docs/a", &[], b"");
    let moved = signed.header("x-forwarded-prefix", "/elsewhere");
    // The first of the two counts, and the signature is for that path.
    moved.await.must_be(200);
}

#[tokio::test]
async fn session_tokens_are_bound_by_row_level_security() {
    let stage = Stage::new().await;
    stage.db.execute(OWN_FOLDERS).await;
    stage.bucket("docs", json!({})).await;
    let (ana, ben) = (
        Signer::session(&stage, &stage.ana),
        Signer::session(&stage, &stage.ben),
    );
    let path = format!("/docs/{ANA}/a");
    let ask = |signer: &Signer, method, path: &str, body: &[u8]| {
        signer.request(&stage, method, path, &[], body)
    };
    ask(&ben, Method::PUT, &path, b"x").await.must_be(403);
    ask(&ana, Method::PUT, &path, b"secret").await.must_be(200);
    let owner: String = pg::sqlx::query_scalar("select owner_id from storage.objects")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("an owner");
    assert_eq!(owner, ANA.to_string());
    ask(&ben, Method::GET, &path, b"").await.must_be(404);
    ask(&ben, Method::DELETE, &path, b"").await.must_be(204);
    assert_eq!(ask(&ana, Method::GET, &path, b"").await.body, "secret");
    let list = ben
        .request(&stage, Method::GET, "/docs", &[("list-type", "2")], b"")
        .await;
    assert!(
        list.expect_status(200)
            .text()
            .contains("<KeyCount>0</KeyCount>")
    );
    ask(&ana, Method::PUT, "/mine", b"").await.must_be(403);
    let url = ana.presigned(&Method::GET, &path);
    let get = |url: &str| {
        let request = stage.service.get(url).header("host", "localhost:8000");
        request.header("x-forwarded-prefix", "/storage/v1")
    };
    assert_eq!(get(&url).await.expect_status(200).body, "secret");
    get(&url.replace("/a?", "/b?")).await.must_be(403);
    let stolen = ben.presigned(&Method::GET, &path);
    get(&stolen).await.must_be(404);
}

#[tokio::test]
async fn signatures_are_understood_as_s3cmd_makes_them() {
    let stage = Stage::new().await;
    let service = Signer {
        habit: Habit::S3cmd,
        ..Signer::service(&stage)
    };
    let thief = Signer {
        secret: "guessed".to_owned(),
        ..service.clone()
    };
    let ask = |signer: &Signer, method, path: &str, body: &[u8]| {
        signer.request(&stage, method, path, &[], body)
    };
    ask(&service, Method::PUT, "/docs", b"").await.must_be(200);
    let path = "/docs/a/b c.txt";
    ask(&thief, Method::PUT, path, b"x").await.must_be(403);
    ask(&service, Method::PUT, path, b"hello")
        .await
        .must_be(200);
    assert_eq!(ask(&service, Method::GET, path, b"").await.body, "hello");
    ask(&thief, Method::GET, path, b"").await.must_be(403);
    let list = [("list-type", "2"), ("prefix", "a/")];
    let list = service.request(&stage, Method::GET, "/docs", &list, b"");
    assert!(list.await.expect_status(200).text().contains("a/b c.txt"));
    ask(&service, Method::DELETE, path, b"").await.must_be(204);
}

#[tokio::test]
async fn of_many_that_replace_the_same_version_one_wins() {
    let stage = Stage::new().await;
    stage.db.execute(OWN_FOLDERS).await;
    stage.bucket("docs", json!({})).await;
    let path = format!("/docs/{ANA}/a");
    for signer in [Signer::service(&stage), Signer::session(&stage, &stage.ana)] {
        let first = signer.request(&stage, Method::PUT, &path, &[], b"first");
        let first = first.await.expect_status(200);
        let etag = first.header("etag").expect("an entity tag");
        let puts = (0..8).map(|number: u8| {
            let put = signer.request(&stage, Method::PUT, &path, &[], &[number]);
            async { put.header("if-match", etag).await.status.as_u16() }
        });
        let mut answers = futures_util::future::join_all(puts).await;
        answers.sort_unstable();
        assert_eq!(answers, [200, 412, 412, 412, 412, 412, 412, 412]);
        let missing = format!("/docs/{ANA}/missing");
        let missing = signer.request(&stage, Method::PUT, &missing, &[], b"x");
        missing.header("if-match", etag).await.must_be(404);
    }
    stage.until_files(1).await;
}

#[tokio::test]
async fn uploads_in_parts_are_their_owners_and_whole() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let service = Signer::service(&stage);
    let begun = service.request(&stage, Method::POST, "/docs/big", &[("uploads", "")], b"");
    let begun = begun.await.expect_status(200).text();
    let id = begun.split("<UploadId>").nth(1).expect("an id");
    let id = id.split('<').next().expect("an id").to_owned();
    let part = |number: &str, bytes: &[u8]| {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        service.request(&stage, Method::PUT, "/docs/big", &query, bytes)
    };
    let large = vec![1; 5 * 1024 * 1024];
    let first = part("1", &large).await.expect_status(200);
    let first = first.header("etag").expect("an entity tag").to_owned();
    part("2", b"replaced").await.must_be(200);
    let second = part("2", b"the end").await.expect_status(200);
    let second = second.header("etag").expect("an entity tag").to_owned();
    part("0", b"x").await.must_be(400);
    let complete = |parts: &[(&str, &str)]| {
        let parts: Vec<String> = parts
            .iter()
            .map(|(number, etag)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        let parts = parts.concat();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let query = [("uploadId", id.as_str())];
        service.request(&stage, Method::POST, "/docs/big", &query, body.as_bytes())
    };
    for (parts, code) in [
        (
            vec![("2", second.as_str()), ("1", first.as_str())],
            "InvalidPartOrder",
        ),
        (vec![("1", second.as_str())], "InvalidPart"),
        (vec![("1", first.as_str()), ("3", "\"0\"")], "InvalidPart"),
    ] {
        let refused = complete(&parts).await.expect_status(400).text();
        assert!(refused.contains(code), "{refused}");
    }
    let other = Signer::session(&stage, &stage.ana);
    let stolen = other.request(
        &stage,
        Method::GET,
        "/docs/big",
        &[("uploadId", id.as_str())],
        b"",
    );
    stolen.await.must_be(404);
    let done = complete(&[("1", &first), ("2", &second)])
        .await
        .expect_status(200);
    assert!(done.text().contains("-2"), "{}", done.text());
    let got = service
        .request(&stage, Method::GET, "/docs/big", &[], b"")
        .await;
    assert!(got.body == [large, b"the end".to_vec()].concat());
    assert!(
        got.header("etag")
            .is_some_and(|etag| etag.ends_with("-2\""))
    );
    stage.until_files(1).await;
}

#[tokio::test]
async fn a_form_uploads_what_its_policy_lets_it() {
    let stage = Stage::new().await;
    stage.db.execute(OWN_FOLDERS).await;
    stage.bucket("docs", json!({})).await;
    let key = format!("{ANA}/f");
    let post = |fields: &[(String, String)], bytes: &[u8]| {
        let mut parts: Vec<crate::stage::Field<'_>> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), None, value.as_bytes()))
            .collect();
        parts.push(("file", Some("f.txt"), bytes));
        let (kind, body) = form(&parts);
        let request = stage.service.post("/s3/docs").header("content-type", &kind);
        request.body(body)
    };
    let fields = Signer::session(&stage, &stage.ana).form("docs", &key);
    post(&fields, b"hello").await.must_be(204);
    let got = stage.download(&stage.ana, &format!("docs/{key}")).await;
    assert_eq!(got.body, "hello");
    let mut other = fields.clone();
    other[0].1 = format!("{ANA}/g");
    post(&other, b"x").await.must_be(403);
    post(&fields, &[1; 101]).await.must_be(400);
    let mut unsigned = fields.clone();
    unsigned.last_mut().expect("a signature").1 = "0".repeat(64);
    post(&unsigned, b"x").await.must_be(403);
    let ben = Signer::session(&stage, &stage.ben).form("docs", &key);
    post(&ben, b"x").await.must_be(403);
    post(&[], b"x").await.must_be(403);
    assert_eq!(stage.files().await.0, 1);
}
