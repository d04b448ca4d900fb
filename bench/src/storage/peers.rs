//! What ours is measured beside, and `wrk`, which asks.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::fault::free_port;

use super::client::{body, rate};

/// nginx, serving files as Debian configures it.
pub(super) struct Nginx {
    child: Child,
    port: u16,
    home: TempDir,
}

impl Nginx {
    pub(super) fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let (port, folder) = (free_port(), home.path().display().to_string());
        fs::create_dir(home.path().join("files")).expect("a folder");
        let text = format!(
            "daemon off; user root; worker_processes auto; pid {folder}/pid; error_log stderr crit;
            events {{ worker_connections 1024; }}
            http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
                client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
                scgi_temp_path {folder}/scgi;
                server {{ listen 127.0.0.1:{port}; root {folder}/files; }} }}"
        );
        let config = home.path().join("nginx.conf");
        fs::write(&config, text).expect("nginx' settings");
        let child = Command::new("nginx").arg("-c").arg(&config).spawn();
        let child = child.expect("nginx runs: install it (Debian: apt install nginx-light)");
        until_open(port);
        Self { child, port, home }
    }

    pub(super) fn put(&self, key: &str, size: usize) {
        let file = self.home.path().join("files").join(key);
        fs::write(file, vec![b'x'; size]).expect("a file");
    }

    pub(super) fn url(&self, key: &str) -> String {
        format!("http://127.0.0.1:{}/{key}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers on SIGTERM; it is told so by its own pid.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.child.wait();
    }
}

/// `SeaweedFS`, asked without signatures by its filer.
pub(super) struct Weed {
    child: Child,
    port: u16,
    _home: TempDir,
}

impl Weed {
    /// `None` where it is not installed.
    pub(super) async fn start() -> Option<Self> {
        let named = std::env::var_os("SELFDB_WEED_BIN").map(PathBuf::from);
        let program = named.unwrap_or_else(|| PathBuf::from("weed"));
        let home = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(program);
        command
            .arg("mini")
            .arg(format!("-dir={}", home.path().display()));
        command.args(["-ip=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        // The port 10,000 above each is taken too.
        let first = 20_000 + u16::try_from(std::process::id() % 20_000).expect("small");
        let names = ["master", "volume", "webdav", "admin", "s3", "filer"];
        let mut port = first;
        for name in names {
            port += 1;
            command.arg(format!("-{name}.port={port}"));
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let weed = Self {
            child: child.ok()?,
            port,
            _home: home,
        };
        until_open(port);
        // Its volumes come a moment after its port.
        let deadline = Instant::now() + Duration::from_secs(60);
        while !weed.put(0, 1).await {
            assert!(Instant::now() < deadline, "SeaweedFS takes nothing");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Some(weed)
    }

    async fn put(&self, number: usize, size: usize) -> bool {
        let url = format!("http://127.0.0.1:{}/bench/{number}", self.port);
        let request = reqwest::Client::new()
            .put(url)
            .header("content-length", size);
        let answer = request.body(body(size)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// As [`super::client::Client::put_many`].
    pub(super) async fn put_many(&self, count: usize, at_once: usize) -> f64 {
        rate(count, at_once, async |number| {
            assert!(self.put(number, 1_000_000).await, "an object");
        })
        .await
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// MB/s of writing `count` times 1 MB, each synchronised.
pub(super) fn dd(count: usize) -> f64 {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("dd");
    let begun = Instant::now();
    let done = Command::new("dd")
        .args(["if=/dev/zero", "bs=1000000", "oflag=dsync"])
        .arg(format!("of={}", file.display()))
        .arg(format!("count={count}"))
        .stderr(Stdio::null())
        .status();
    assert!(done.expect("dd runs").success(), "dd");
    super::report::number(count) / begun.elapsed().as_secs_f64()
}

/// Requests per second of one URL.
pub(super) fn wrk(url: &str, seconds: u64) -> f64 {
    let output = Command::new("wrk")
        .args(["--threads=1", "--connections=16"])
        .arg(format!("--duration={seconds}s"))
        .arg(url)
        .output()
        .expect("wrk runs: install it (Debian: apt install wrk)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx"), "{text}");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    line.and_then(|line| line.trim().parse().ok())
        .expect("a rate")
}

fn until_open(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "port {port} stays closed");
        std::thread::sleep(Duration::from_millis(20));
    }
}
