//! What is too large, over a socket: answered while it is still being sent, and not kept.

use std::time::Duration;

use testkit::{TestDatabase, TestService};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MIB: usize = 1 << 20;

async fn listen(db: &TestDatabase) -> TestService {
    db.execute("create table items (id int primary key, name text)")
        .await;
    let service = TestService::listen(testkit::config::<rest::Config>(&db.settings())).await;
    while service.get("/ready").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service
}

/// Sends `head`, and then `size` bytes of a body as long as they are taken; the status.
async fn send(service: &TestService, head: &str, size: usize) -> u16 {
    let address = service.url().trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut reader, mut writer) = stream.into_split();
    let head = head.to_owned();
    let sending = tokio::spawn(async move {
        let mut sent = writer.write_all(head.as_bytes()).await;
        let piece = vec![b' '; MIB];
        for _ in 0..size / MIB {
            if sent.is_err() {
                break;
            }
            sent = writer.write_all(&piece).await;
        }
        // Kept open until the answer was read.
        writer
    });
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(Duration::from_secs(30), reader.read_exact(&mut answer));
    read.await.expect("in time").expect("an answer");
    sending.abort();
    let status = answer.split_off(9);
    let status = String::from_utf8(status).expect("digits");
    status.parse().expect("a status")
}

fn peak_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: usize = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .expect("a number");
    kib / 1024
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_not_kept() {
    let db = TestDatabase::new(&[]).await;
    let service = listen(&db).await;
    let token = db.service_token();
    let before = peak_mib();
    let head = format!(
        "POST /items HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n"
    );
    let announced = format!("{head}content-length: {}\r\n\r\n", 200 * MIB);
    assert_eq!(send(&service, &announced, 200 * MIB).await, 413);
    assert!(
        peak_mib() < before + 32,
        "{} after {before} MiB",
        peak_mib()
    );
    let url = format!(
        "GET /items?id=eq.{} HTTP/1.1\r\nhost: x\r\n\r\n",
        "1".repeat(MIB)
    );
    let status = send(&service, &url, 0).await;
    assert!([414, 431].contains(&status), "{status}");
    let headers = format!(
        "GET /items HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n",
        "1".repeat(MIB)
    );
    assert_eq!(send(&service, &headers, 0).await, 431);
    let many = "x-a: b\r\n".repeat(5_000);
    let many = format!("GET /items HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    assert_eq!(send(&service, &many, 0).await, 431);
    let token = format!(
        "GET /items HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        "a".repeat(60_000)
    );
    assert_eq!(send(&service, &token, 0).await, 401);
    assert!(
        peak_mib() < before + 48,
        "{} after {before} MiB",
        peak_mib()
    );
}
