//! How much memory a large answer takes.

use std::fs;
use std::time::Instant;

use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::instance::Instance;
use super::report::print;

/// Bytes of one row's text.
const ROW_BYTES: f64 = 1000.0;

/// Fills a table with so many GB, asks for it as CSV, and looks at the server's memory meanwhile.
pub(super) async fn run(instance: &Instance, gigabytes: f64) {
    fill(instance, gigabytes).await;
    let server = instance.server.pid();
    let url = format!("{}/rest/v1/pages", instance.address("API_PORT"));
    let request = http::Request::get(url)
        .header("apikey", instance.setting("SERVICE_ROLE_KEY"))
        .header("accept", "text/csv")
        .body(Empty::<bytes::Bytes>::new());
    forget_peak(server);
    let before = memory(server, "VmRSS:");
    let started = Instant::now();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.expect("a request")).await;
    let response = response.expect("an answer");
    let status = response.status();
    let mut body = response.into_body();
    let mut bytes: usize = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.expect("the whole answer");
        bytes += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
    let elapsed = started.elapsed();
    let peak = memory(server, "VmHWM:");
    let mib = bytes / (1 << 20);
    print(&format!(
        "CSV: {status}, {mib} MiB in {:.1} s; memory of the server before {} MiB, at most {} MiB: \
         {} MiB more",
        elapsed.as_secs_f64(),
        before >> 10,
        peak >> 10,
        peak.saturating_sub(before) >> 10,
    ));
}

async fn fill(instance: &Instance, gigabytes: f64) {
    let rows = (gigabytes * 1e9 / ROW_BYTES).round();
    let pool = pg::pool(&instance.admin(), &pg::PoolOptions::new("bench", 1));
    let insert = "insert into public.pages \
        select number, repeat(md5(number::text), 31) from generate_series(1, $1::int) number";
    let inserted = pg::sqlx::query(insert).bind(rows).execute(&pool).await;
    inserted.expect("the rows");
    pool.close().await;
}

/// Lets the kernel count the peak of the resident memory anew (proc(5), `clear_refs`).
fn forget_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("a process of ours");
}

/// A line of `/proc/<pid>/status`, in KiB.
fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect(name)
}
