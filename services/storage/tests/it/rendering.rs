//! Images, rendered.

use http::Method;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::json;
use std::io::Cursor;
use testkit::TestResponse;

use crate::stage::{MustBe as _, Stage};

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_pixel(width, height, image::Rgb([200, 30, 30]));
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(pixels);
    image.write_to(&mut bytes, format).expect("an image");
    bytes.into_inner()
}

async fn put(stage: &Stage, path: &str, mime: &str, bytes: Vec<u8>) {
    let request = stage
        .service
        .post(&format!("/object/{path}"))
        .bearer(&stage.admin);
    let request = request
        .header("content-type", mime)
        .header("x-upsert", "true");
    request.body(bytes).await.must_be(200);
}

fn size(response: &TestResponse) -> (u32, u32) {
    let image = image::load_from_memory(&response.body).expect("an image");
    (image.width(), image.height())
}

#[tokio::test]
async fn images_are_resized_and_kept_as_long_as_the_original() {
    let stage = Stage::new().await;
    stage.bucket("pics", json!({ "public": true })).await;
    put(
        &stage,
        "pics/a.png",
        "image/png",
        picture(400, 200, ImageFormat::Png),
    )
    .await;
    let get = |query: &str| {
        let path = format!("/render/image/public/pics/a.png?{query}");
        stage.service.get(&path)
    };
    let table = [
        ("width=100", (100, 50)),
        ("width=100&height=100", (100, 100)),
        ("width=100&height=100&resize=contain", (100, 50)),
        ("width=100&height=100&resize=fill", (100, 100)),
        ("height=0&width=50&quality=20", (50, 25)),
    ];
    for (query, expected) in table {
        let got = get(query).await.expect_status(200);
        assert_eq!(got.header("content-type"), Some("image/png"), "{query}");
        assert_eq!(size(&got), expected, "{query}");
    }
    let files = stage.files().await;
    assert_eq!(files, (1 + table.len(), 0));
    let webp = get("width=100")
        .header("accept", "image/avif,image/webp,*/*")
        .await;
    assert_eq!(webp.header("content-type"), Some("image/webp"));
    assert_eq!(webp.header("vary"), Some("accept"));
    assert_eq!(size(&webp), (100, 50));
    let origin = get("width=100&format=origin")
        .header("accept", "image/webp")
        .await;
    assert_eq!(origin.header("content-type"), Some("image/png"));
    // The second time nothing is rendered, and a client that has it is told so.
    let count = stage.files().await;
    let again = get("width=100").await.expect_status(200);
    assert_eq!(stage.files().await, count);
    let etag = again.header("etag").expect("an entity tag").to_owned();
    get("width=100")
        .header("if-none-match", &etag)
        .await
        .must_be(304);
    let head = stage
        .service
        .request(Method::HEAD, "/render/image/public/pics/a.png?width=100");
    assert_eq!(head.await.expect_status(200).body, "");
    // Another version: what was rendered of the first goes.
    put(
        &stage,
        "pics/a.png",
        "image/png",
        picture(40, 20, ImageFormat::Png),
    )
    .await;
    stage.until_files(1).await;
    assert_eq!(size(&get("width=10").await), (10, 5));
    let purge = stage.service.delete("/cdn/pics/a.png").bearer(&stage.admin);
    purge.await.must_be(200);
    stage
        .upload(&stage.admin, "pics/wake", b"x")
        .await
        .must_be(200);
    stage.until_files(2).await;
    let purge = stage.service.delete("/cdn/pics/a.png").bearer(&stage.ana);
    purge.await.must_be(400);
}

#[tokio::test]
async fn a_signed_image_is_rendered_as_it_was_signed() {
    let stage = Stage::new().await;
    stage.bucket("pics", json!({})).await;
    put(
        &stage,
        "pics/a.jpg",
        "image/jpeg",
        picture(400, 200, ImageFormat::Jpeg),
    )
    .await;
    let sign = stage
        .service
        .post("/object/sign/pics/a.jpg")
        .bearer(&stage.admin);
    let body = json!({ "expiresIn": 60, "transform": { "width": 100, "height": 100 } });
    let url = sign.json(&body).await.expect_status(200).json();
    let url = url["signedURL"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with("/render/image/sign/pics/a.jpg?token="));
    let got = stage.service.get(&format!("{url}&width=300")).await;
    assert_eq!(size(&got.expect_status(200)), (100, 100));
    // It does not open the object, nor does the object's open the image.
    let plain = url.replace("/render/image/sign/", "/object/sign/");
    stage.service.get(&plain).await.must_be(400);
    let sign = stage
        .service
        .post("/object/sign/pics/a.jpg")
        .bearer(&stage.admin);
    let plain = sign.json(&json!({ "expiresIn": 60 })).await.json();
    let plain = plain["signedURL"].as_str().expect("a URL").to_owned();
    stage.service.get(&plain).await.must_be(200);
    let image = plain.replace("/object/sign/", "/render/image/sign/");
    stage.service.get(&image).await.must_be(400);
}

#[tokio::test]
async fn what_is_no_image_or_no_transformation_is_refused() {
    let stage = Stage::new().await;
    stage.bucket("pics", json!({ "public": true })).await;
    put(&stage, "pics/lie.png", "image/png", b"<script>".to_vec()).await;
    put(
        &stage,
        "pics/a.png",
        "image/png",
        picture(4, 4, ImageFormat::Png),
    )
    .await;
    let mut torn = picture(400, 400, ImageFormat::Png);
    torn.truncate(torn.len() / 2);
    put(&stage, "pics/torn.png", "image/png", torn).await;
    for (path, code) in [
        ("lie.png?width=10", "422"),
        ("torn.png?width=10", "422"),
        ("none.png?width=10", "404"),
        ("a.png?width=x", "400"),
        ("a.png?width=-1", "400"),
        ("a.png?quality=19", "400"),
        ("a.png?quality=999999", "400"),
        ("a.png?resize=stretch", "400"),
        ("a.png?format=bmp", "400"),
    ] {
        let got = stage
            .service
            .get(&format!("/render/image/public/pics/{path}"))
            .await;
        let body = got.expect_status(400).json();
        assert_eq!(body["statusCode"], json!(code), "{path}");
    }
}
