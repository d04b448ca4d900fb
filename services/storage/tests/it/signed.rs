//! Signed URLs.

use serde_json::{Value, json};

use crate::stage::{ANA, MustBe as _, OWN_FOLDERS, Stage, assert_refused, form};

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    stage.db.execute(OWN_FOLDERS).await;
    stage
        .upload(&stage.ana, &own("a.txt"), b"hers")
        .await
        .must_be(200);
    stage
}

fn own(name: &str) -> String {
    format!("docs/{ANA}/{name}")
}

async fn sign_download(stage: &Stage, token: &str, path: &str) -> testkit::TestResponse {
    let request = stage
        .service
        .post(&format!("/object/sign/{path}"))
        .bearer(token);
    request.json(&json!({ "expiresIn": 60 })).await
}

async fn sign_upload(stage: &Stage, path: &str) -> String {
    let request = stage.service.post(&format!("/object/upload/sign/{path}"));
    let signed = request.bearer(&stage.ana).json(&json!({})).await;
    let signed = signed.expect_status(200).json();
    let url = signed["url"].as_str().expect("a URL").to_owned();
    assert!(url.ends_with(signed["token"].as_str().expect("a token")));
    url
}

fn url(signed: &Value) -> &str {
    signed["signedURL"].as_str().expect("a URL")
}

#[tokio::test]
async fn whoever_has_the_url_reads_the_one_object() {
    let stage = stage().await;
    let signed = sign_download(&stage, &stage.ana, &own("a.txt"))
        .await
        .expect_status(200)
        .json();
    let got = stage.service.get(url(&signed)).await.expect_status(200);
    assert_eq!(got.body, "hers");
    assert!(got.header("expires").is_some());
    let saved = stage
        .service
        .get(&format!("{}&download=x.txt", url(&signed)))
        .await;
    let disposition = saved
        .expect_status(200)
        .header("content-disposition")
        .map(str::to_owned);
    assert!(disposition.is_some_and(|text| text.starts_with("attachment; filename=\"x.txt\"")));
    let head = stage
        .service
        .request(http::Method::HEAD, url(&signed))
        .await;
    head.must_be(200);
}

#[tokio::test]
async fn nobody_signs_what_they_cannot_read() {
    let stage = stage().await;
    for token in [&stage.ben, &stage.anon] {
        let refused = sign_download(&stage, token, &own("a.txt")).await;
        assert_refused(&refused, "404", "NoSuchKey");
    }
    let body = json!({ "expiresIn": 60, "paths": [format!("{ANA}/a.txt"), "none"] });
    let many = |token: &str| {
        stage
            .service
            .post("/object/sign/docs")
            .bearer(token)
            .json(&body)
    };
    let bens = many(&stage.ben).await.expect_status(200).json();
    assert!(
        bens.as_array()
            .expect("a list")
            .iter()
            .all(|one| one["signedURL"].is_null())
    );
    let hers = many(&stage.ana).await.expect_status(200).json();
    assert_eq!(
        stage
            .service
            .get(url(&hers[0]))
            .await
            .expect_status(200)
            .body,
        "hers"
    );
    assert_eq!(hers[0]["error"], Value::Null);
    assert_eq!(hers[1]["path"], "none");
    assert!(hers[1]["error"].is_string() && hers[1]["signedURL"].is_null());
}

#[tokio::test]
async fn whoever_has_the_url_uploads_the_one_object() {
    let stage = stage().await;
    let url = sign_upload(&stage, &own("new.txt")).await;
    let put = stage.service.put(&url).header("content-type", "text/plain");
    let answer = put.body("signed").await.expect_status(200).json();
    assert_eq!(answer["Key"], json!(own("new.txt")));
    let got = stage.download(&stage.ana, &own("new.txt")).await;
    assert_eq!(got.expect_status(200).body, "signed");
    let owner: String =
        pg::sqlx::query_scalar("select owner_id from storage.objects where name like '%new.txt'")
            .fetch_one(&stage.db.admin_pool())
            .await
            .expect("a row");
    assert_eq!(
        owner,
        ANA.to_string(),
        "it belongs to who asked for the URL"
    );
    let again = stage
        .service
        .put(&url)
        .header("x-upsert", "true")
        .body("again")
        .await;
    assert_refused(&again, "409", "KeyAlreadyExists");

    let (content_type, body) = form(&[("", Some("a.png"), b"png")]);
    let url = sign_upload(&stage, &own("form.png")).await;
    let put = stage
        .service
        .put(&url)
        .header("content-type", &content_type)
        .body(body);
    put.await.must_be(200);
}

#[tokio::test]
async fn nobody_signs_an_upload_they_could_not_make() {
    let stage = stage().await;
    let sign = |token: &str, path: &str| {
        let request = stage.service.post(&format!("/object/upload/sign/{path}"));
        request.bearer(token).json(&json!({}))
    };
    assert_refused(
        &sign(&stage.ben, &own("b.txt")).await,
        "403",
        "AccessDenied",
    );
    assert_refused(
        &sign(&stage.anon, &own("b.txt")).await,
        "403",
        "AccessDenied",
    );
    assert_refused(
        &sign(&stage.ana, &own("a.txt")).await,
        "409",
        "KeyAlreadyExists",
    );
    let replacing = sign(&stage.ana, &own("a.txt"))
        .header("x-upsert", "true")
        .await;
    let replacing = replacing.expect_status(200).json();
    let put = stage
        .service
        .put(replacing["url"].as_str().expect("a URL"))
        .body("new");
    put.await.must_be(200);
    assert_eq!(stage.download(&stage.ana, &own("a.txt")).await.body, "new");
}

#[tokio::test]
async fn a_url_opens_nothing_else() {
    let stage = stage().await;
    stage
        .upload(&stage.ana, &own("b.txt"), b"other")
        .await
        .must_be(200);
    let signed = sign_download(&stage, &stage.ana, &own("a.txt"))
        .await
        .json();
    let download = url(&signed)
        .split_once("?token=")
        .expect("a token")
        .1
        .to_owned();
    let upload = sign_upload(&stage, &own("new.txt")).await;
    let upload = upload.split_once("?token=").expect("a token").1.to_owned();
    let get = async |path: String| stage.service.get(&path).await;
    let put = async |path: String| stage.service.put(&path).body("x").await;
    let refused = [
        get(format!("/object/sign/{}?token={download}", own("b.txt"))).await,
        get(format!("/object/sign/{}?token={upload}", own("a.txt"))).await,
        get(format!("/object/sign/{}?token={upload}", own("new.txt"))).await,
        get(format!("/object/sign/{}?token={}", own("a.txt"), stage.ana)).await,
        get(format!("/object/sign/{}", own("a.txt"))).await,
        put(format!(
            "/object/upload/sign/{}?token={download}",
            own("a.txt")
        ))
        .await,
        put(format!(
            "/object/upload/sign/{}?token={upload}",
            own("b.txt")
        ))
        .await,
        put(format!(
            "/object/upload/sign/{}?token={}",
            own("new.txt"),
            stage.admin
        ))
        .await,
    ];
    for response in refused {
        assert_refused(&response, "400", "InvalidSignature");
    }
    for token in [&download, &upload] {
        let bearer = stage.download(token, &own("a.txt")).await;
        assert_refused(&bearer, "404", "NoSuchBucket");
        assert_refused(
            &stage.upload(token, &own("c.txt"), b"x").await,
            "403",
            "AccessDenied",
        );
    }
    assert_eq!(stage.files().await, (2, 0));
}

#[tokio::test]
async fn a_url_needs_a_time_to_live() {
    let stage = stage().await;
    for expires_in in [json!(0), json!(-1), json!("x"), json!(null)] {
        let request = stage
            .service
            .post(&format!("/object/sign/{}", own("a.txt")));
        let request = request
            .bearer(&stage.ana)
            .json(&json!({ "expiresIn": expires_in }));
        assert_refused(&request.await, "400", "InvalidRequest");
    }
}
