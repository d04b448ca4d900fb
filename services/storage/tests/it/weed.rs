//! A real S3 server: `SeaweedFS`, in a directory of a test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Environment as _, ProcessEnvironment};
use futures_util::TryStreamExt as _;
use object_store::ObjectStore as _;
use object_store::aws::AmazonS3Builder;
use tempfile::TempDir;
use uuid::Uuid;

const BUCKET: &str = "selfdb";
const ACCESS_KEY: &str = "weed-access-key";
const SECRET_KEY: &str = "weed-secret-access-key";

/// A server that ends with the test.
pub(crate) struct Weed {
    child: Child,
    port: u16,
    _home: TempDir,
}

/// Where the program is: `SELFDB_WEED_BIN`, or where `./test.sh` puts it.
fn program() -> Option<PathBuf> {
    let named = ProcessEnvironment.var("SELFDB_WEED_BIN").map(PathBuf::from);
    let caches = ["/var/cache/selfdb".to_owned()].into_iter();
    let home = ProcessEnvironment.var("HOME");
    let home = home.map(|home| format!("{home}/.cache/selfdb/tools"));
    let installed = caches
        .chain(home)
        .map(|cache| PathBuf::from(cache).join("seaweedfs/bin/weed"));
    named
        .into_iter()
        .chain(installed)
        .find(|path| path.exists())
}

/// A port that is free, and with it the one 10,000 above, which `SeaweedFS` takes too.
fn free_port(tried: &mut Vec<u16>) -> u16 {
    let [high, low, ..] = Uuid::new_v4().into_bytes();
    let seed = u16::from_be_bytes([high, low]) % 20_000;
    (0..20_000_u16)
        .map(|step| 20_000 + (seed + step * 7) % 20_000)
        .find(|port| {
            let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
            let is_new = !tried.contains(port);
            is_new && free(*port) && free(*port + 10_000) && {
                tried.push(*port);
                true
            }
        })
        .expect("a free port")
}

impl Weed {
    /// The server that all tests' services keep their bytes on where `STORAGE_TEST_BACKEND` is `s3`.
    pub(crate) async fn under_test() -> Option<Self> {
        let backend = ProcessEnvironment.var("STORAGE_TEST_BACKEND");
        if backend.as_deref() != Some("s3") {
            return None;
        }
        let weed = Self::start().await;
        Some(weed.expect("SeaweedFS is installed"))
    }

    /// How many versions the service keeps here.
    pub(crate) async fn objects(&self) -> usize {
        let store = AmazonS3Builder::new()
            .with_bucket_name(BUCKET)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .with_endpoint(format!("http://127.0.0.1:{}", self.port))
            .with_allow_http(true)
            .build();
        let store = store.expect("a store");
        let listed = store.list(Some(&object_store::path::Path::from("objects")));
        let listed: Vec<_> = listed.try_collect().await.expect("a list");
        listed.len()
    }

    /// A server that answers; `None`, with a word on it, where the program is not installed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: there is no SeaweedFS; ./test.sh installs it");
            return None;
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Another test may take a port between the look and the start.
        for _ in 0..5 {
            let weed = Self::spawn(&program);
            if let Some(weed) = weed.once_it_answers().await {
                return Some(weed);
            }
        }
        unreachable!("SeaweedFS does not answer")
    }

    fn spawn(program: &Path) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let mut taken = Vec::new();
        let mut command = Command::new(program);
        command
            .arg("mini")
            .arg(format!("-dir={}", home.path().display()));
        command.args(["-ip=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        let mut port = 0;
        for name in ["master", "volume", "filer", "webdav", "admin", "s3"] {
            port = free_port(&mut taken);
            command.arg(format!("-{name}.port={port}"));
        }
        let child = command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("SeaweedFS starts");
        Self {
            child,
            port,
            _home: home,
        }
    }

    /// `None` where it ended instead, or takes too long.
    async fn once_it_answers(mut self) -> Option<Self> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = reqwest::get(format!("http://127.0.0.1:{}/", self.port)).await;
            if answer.is_ok_and(|answer| answer.status().as_u16() == 403) {
                return Some(self);
            }
            let ended = self.child.try_wait().expect("a process").is_some();
            if ended || Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The settings that make it the backend.
    pub(crate) fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("STORAGE_BACKEND", "s3".to_owned()),
            (
                "STORAGE_S3_ENDPOINT",
                format!("http://127.0.0.1:{}", self.port),
            ),
            ("STORAGE_S3_BUCKET", BUCKET.to_owned()),
            ("STORAGE_S3_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("STORAGE_S3_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        self.kill();
    }
}
