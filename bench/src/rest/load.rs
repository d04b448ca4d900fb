//! `wrk`, and what it says.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SCRIPT: &str = include_str!("wrk.lua");

/// One kind of request.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// With the address; `%d` takes a key.
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// A file of bearer tokens, one for each request in turn.
    pub(crate) tokens: Option<std::path::PathBuf>,
}

impl Request {
    pub(crate) fn get(url: String) -> Self {
        Self {
            method: "GET",
            url,
            body: String::new(),
            headers: Vec::new(),
            tokens: None,
        }
    }

    pub(crate) fn post(url: String, body: &str) -> Self {
        let request = Self {
            method: "POST",
            body: body.to_owned(),
            ..Self::get(url)
        };
        request.header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What came of a load.
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) elapsed: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) failed: u64,
}

/// Sends requests for some seconds, each connection the next one after an answer.
pub(crate) async fn run(folder: &Path, request: &Request, connections: u32, seconds: u64) -> Load {
    let script = folder.join("wrk.lua");
    std::fs::write(&script, SCRIPT).expect("the script");
    // The path is everything after the third slash.
    let path_at = request.url.match_indices('/').nth(2).expect("a path").0;
    let (address, path) = request.url.split_at(path_at);
    let mut command = Command::new("wrk");
    command
        .args(["--threads=1", "--timeout=10s"])
        .arg(format!("--connections={connections}"))
        .arg(format!("--duration={seconds}s"))
        .arg(format!("--script={}", script.display()))
        .arg(format!("{address}/"))
        .args(["--", request.method, path, &request.body])
        .arg(request.tokens.clone().unwrap_or_default());
    for (name, value) in &request.headers {
        command.arg(format!("{name}: {value}"));
    }
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic");
    let output = output.expect("wrk runs: install it (Debian: apt install wrk)");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("result "));
    let mistakes = String::from_utf8_lossy(&output.stderr);
    let line = line.unwrap_or_else(|| complain(&text, &mistakes));
    let numbers: Vec<u64> = line.split(' ').flat_map(str::parse).collect();
    let &[requests, elapsed, p50, p99, failed] = &numbers[..] else {
        complain(&text, &mistakes)
    };
    Load {
        requests: u32::try_from(requests).map_or(f64::MAX, f64::from),
        elapsed: Duration::from_micros(elapsed),
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
        failed,
    }
}

#[expect(clippy::panic, reason = "a benchmark that cannot go on stops")]
fn complain(text: &str, mistakes: &str) -> ! {
    panic!("wrk said: {text}{mistakes}")
}
