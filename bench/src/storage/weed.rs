//! `SeaweedFS`, asked without signatures by its filer.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Environment as _, ProcessEnvironment};
use tempfile::TempDir;

use super::client::body;
use crate::rest::child::Program;

pub(super) struct Weed {
    program: Program,
    http: reqwest::Client,
    port: u16,
    _home: TempDir,
}

/// `SELFDB_WEED_BIN`, or where `./test.sh` puts it.
fn program() -> Option<PathBuf> {
    let named = ProcessEnvironment.var("SELFDB_WEED_BIN").map(PathBuf::from);
    let home = ProcessEnvironment.var("HOME").map(PathBuf::from);
    let installed = home.map(|home| home.join(".cache/selfdb/tools/seaweedfs/bin/weed"));
    let places = named.into_iter().chain(installed);
    places.into_iter().find(|path| path.exists())
}

impl Weed {
    /// `None` where it is not installed.
    pub(super) async fn start() -> Option<Self> {
        let home = super::server::folder();
        let mut command = Command::new(program()?);
        command
            .arg("mini")
            .arg(format!("-dir={}", home.path().display()));
        command.args(["-ip=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        // The port 10,000 above each is taken too.
        let mut port = 20_000 + u16::try_from(std::process::id() % 20_000).expect("small");
        for name in ["master", "volume", "webdav", "admin", "s3", "filer"] {
            port += 1;
            command.arg(format!("-{name}.port={port}"));
        }
        let weed = Self {
            program: Program::start(command, &home.path().join("log")),
            http: reqwest::Client::new(),
            port,
            _home: home,
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        while !weed.put_one(0).await {
            assert!(Instant::now() < deadline, "SeaweedFS takes nothing");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Some(weed)
    }

    pub(super) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Puts 1 MB; answers whether that was taken.
    pub(super) async fn put_one(&self, number: usize) -> bool {
        let url = format!("http://127.0.0.1:{}/bench/{number}", self.port);
        let request = self.http.put(url).header("content-length", 1_000_000);
        let answer = request.body(body(1_000_000)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}
