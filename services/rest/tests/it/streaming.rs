//! Large answers: all of them arrives, and little of it is ever in memory.

use std::time::Duration;

use http_body_util::BodyExt as _;
use testkit::{TestDatabase, TestService};

const ROWS: usize = 60_000;

fn peak_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or(0) / 1024
}

#[tokio::test]
async fn a_large_table_as_csv_is_not_held_in_memory() {
    let db = TestDatabase::new(&[]).await;
    db.execute(
        "create table pages (id int primary key, body text);
         insert into pages select n, repeat(md5(n::text), 31) from generate_series(1, 60000) n",
    )
    .await;
    let config: rest::Config = testkit::config(&db.settings());
    let service = TestService::start(config).await;
    while service.get("/ready").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = peak_mib();
    let request = service.get("/pages?order=id").bearer(db.service_token());
    let response = request.header("accept", "text/csv").open().await;
    assert_eq!(response.status(), 200);
    let range = format!("0-{}/*", ROWS - 1);
    assert_eq!(response.headers()["content-range"], range.as_str());
    let mut body = response.into_body();
    let (mut bytes, mut lines) = (0, 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.expect("the whole answer").into_data() else {
            continue;
        };
        bytes += data.len();
        lines += data.split(|byte| *byte == b'\n').count() - 1;
    }
    assert_eq!(lines, ROWS);
    assert!(bytes > ROWS * 990, "{bytes}");
    assert!(
        peak_mib() < before + 30,
        "{} after {before} MiB",
        peak_mib()
    );
}
