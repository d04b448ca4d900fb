//! Bodies that are not what they say they are.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::stage::{MustBe as _, Stage, assert_refused};

/// A gzip stream of 10 MB of zeros takes 10 KB; this one stands for it.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x4b, 0x4c, 0x4a, 6, 0, 0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0,
];

#[tokio::test]
async fn what_is_compressed_stays_compressed() {
    let stage = Stage::new().await;
    let bucket = json!({ "public": true, "file_size_limit": 1000 });
    stage.bucket("docs", bucket).await;
    for encoding in ["gzip", "br", "deflate, gzip", "nonsense"] {
        let request = stage.service.put("/object/docs/a.gz").bearer(&stage.admin);
        let request = request
            .header("content-encoding", encoding)
            .header("content-type", "application/gzip");
        request.body(GZIP.to_vec()).await.must_be(200);
        let got = stage.service.get("/object/public/docs/a.gz").await;
        let got = got.expect_status(200);
        assert_eq!(got.body, GZIP, "{encoding}");
        assert_eq!(got.header("content-encoding"), None, "{encoding}");
    }
    // JSON that would have to be unpacked is not.
    let request = stage.service.post("/object/list/docs").bearer(&stage.admin);
    let request = request
        .header("content-encoding", "gzip")
        .header("content-type", "application/json");
    assert_refused(&request.body(GZIP.to_vec()).await, "400", "InvalidRequest");
}

#[tokio::test]
async fn a_lying_media_type_runs_nowhere() {
    let stage = Stage::new().await;
    let images = json!({ "public": true, "allowed_mime_types": ["image/*"] });
    stage.bucket("pics", images).await;
    let page = b"<script>alert(1)</script>";
    for (name, said) in [
        ("a.png", "image/png"),
        ("b.html", "image/jpeg"),
        ("c.svg", "image/svg+xml"),
    ] {
        let path = format!("/object/pics/{name}");
        let request = stage.service.post(&path).bearer(&stage.admin);
        let request = request.header("content-type", said).body(page.to_vec());
        request.await.must_be(200);
        let got = stage.service.get(&format!("/object/public/pics/{name}"));
        let got = got.await.expect_status(200);
        assert_eq!(got.header("content-type"), Some(said));
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
        let policy = got.header("content-security-policy").expect("a policy");
        assert!(policy.contains("sandbox"), "{policy}");
        let saved = got.header("content-disposition").is_some();
        assert_eq!(saved, said.contains("svg"), "{said}");
    }
    let request = stage
        .service
        .post("/object/pics/d.png")
        .bearer(&stage.admin);
    let request = request.header("content-type", "text/html");
    assert_refused(&request.body("x").await, "415", "InvalidMimeType");
}

/// Sends `body` as if it had `announced` bytes, and answers what comes back.
fn send(stage: &Stage, announced: usize, body: &[u8]) -> String {
    let address = stage.service.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a time-out");
    let head = format!(
        "POST /object/docs/a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: text/plain\r\ncontent-length: {announced}\r\nconnection: close\r\n\r\n",
        stage.admin
    );
    stream.write_all(head.as_bytes()).expect("a head");
    stream.write_all(body).expect("a body");
    stream.shutdown(Shutdown::Write).expect("an end");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_content_length_keeps_nothing_that_was_not_announced() {
    let stage = Stage::listening().await;
    stage.bucket("docs", json!({})).await;
    // Fewer than announced: aborted.
    let answer = send(&stage, 1000, b"only these");
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    stage.until_files(0).await;
    let missing = stage.download(&stage.admin, "docs/a").await;
    assert_refused(&missing, "404", "NoSuchKey");
    // More than announced: no part of it.
    let answer = send(&stage, 4, b"textGET /object/docs/a HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answers = answer.matches("HTTP/1.1").count();
    assert_eq!(answers, 1, "{answer}");
    let got = stage.download(&stage.admin, "docs/a").await;
    assert_eq!(got.expect_status(200).body, "text");
}

/// A PNG of so many pixels a side, all of one bit and black: a few kilobytes at 100,000.
fn vast_png(side: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).expect("small");
        png.extend(length.to_be_bytes());
        let body = [kind.as_slice(), data].concat();
        png.extend_from_slice(&body);
        png.extend(crc32(&body).to_be_bytes());
    };
    let side = side.to_be_bytes();
    chunk(b"IHDR", &[&side[..], &side, &[1, 0, 0, 0, 0]].concat());
    // A deflate stream that ends at once: whoever unpacks it has already taken the memory.
    chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]);
    chunk(b"IEND", &[]);
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[tokio::test]
async fn an_image_of_a_hundred_thousand_pixels_is_refused_before_it_is_unpacked() {
    let stage = Stage::new().await;
    stage.bucket("pics", json!({ "public": true })).await;
    for side in [100_000, 20_000, 8_000] {
        let request = stage
            .service
            .put("/object/pics/vast.png")
            .bearer(&stage.admin);
        let request = request.header("content-type", "image/png");
        request.body(vast_png(side)).await.must_be(200);
        let begun = Instant::now();
        let image = stage
            .service
            .get("/render/image/public/pics/vast.png?width=10");
        let refused = image.await;
        let refused = refused.expect_status(400).json();
        assert_eq!(refused["statusCode"], "413", "{side}: {refused}");
        let message = refused["message"].as_str().expect("a message");
        assert!(message.contains("pixel"), "{side}: {message}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{side}");
        let plain = stage.service.get("/object/public/pics/vast.png").await;
        plain.must_be(200);
    }
}
