//! Many objects of 1 MB, and a large one.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use tokio::process::Command;

use super::report::{number, print};
use super::server::Server;
use crate::rest::load::Load;

/// Runs `put` for each of `count` numbers, so many at once.
pub(super) async fn many<F: Future<Output = bool> + Send>(
    count: usize,
    at_once: usize,
    put: impl Fn(usize) -> F + Send + Sync,
) -> Load {
    let begun = Instant::now();
    let timed = |number| {
        let put = put(number);
        async {
            let begun = Instant::now();
            (put.await, begun.elapsed())
        }
    };
    let puts = stream::iter(0..count).map(timed).buffer_unordered(at_once);
    let done: Vec<(bool, Duration)> = puts.collect().await;
    let times = done.iter().map(|(_, time)| *time).collect();
    let failed = done.iter().filter(|(taken, _)| !taken).count();
    load(times, begun.elapsed(), failed)
}

fn load(mut times: Vec<Duration>, elapsed: Duration, failed: usize) -> Load {
    times.sort();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied();
    Load {
        requests: number(times.len()),
        elapsed,
        p50: at(50).unwrap_or_default(),
        p99: at(99).unwrap_or_default(),
        failed: u64::try_from(failed).unwrap_or(u64::MAX),
    }
}

/// As many blocks of 1 MB, each synchronised, one after the other.
pub(super) async fn dd(folder: &Path, count: usize) -> Load {
    let begun = Instant::now();
    let done = Command::new("dd")
        .args(["if=/dev/zero", "bs=1000000", "oflag=dsync", "status=none"])
        .arg(format!("of={}", folder.join("dd").display()))
        .arg(format!("count={count}"))
        .status()
        .await;
    assert!(done.expect("dd runs").success(), "dd");
    let elapsed = begun.elapsed();
    let each = elapsed / u32::try_from(count).unwrap_or(u32::MAX);
    load(vec![each; count], elapsed, 0)
}

/// One large object up and down, and what the server's memory peaks at.
pub(super) async fn large(server: &Server, size: usize) {
    let client = &server.client;
    let begun = Instant::now();
    let put = client.put("large", size).await;
    put.expect("the large object");
    let up = begun.elapsed();
    let begun = Instant::now();
    let read = client.read("large").await;
    assert_eq!(read, size, "all of the large object");
    let rate = |time: Duration| number(size) / 1e6 / time.as_secs_f64();
    print(&format!(
        "{}: {} MB up {:.0} MB/s, down {:.0} MB/s, resident {:.0} MiB, at most {:.0} MiB \
         (goal: at most 80)",
        server.name,
        size / 1_000_000,
        rate(up),
        rate(begun.elapsed()),
        server.memory_mib("VmRSS"),
        server.memory_mib("VmHWM"),
    ));
}
