//! Our service: the whole of `SelfDB` in one process, and `selfdb-storage` alone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::Environment as _;
use pg::sqlx::PgPool;
use pg::{PoolOptions, sqlx};
use tempfile::TempDir;
use testkit::TestDatabase;
use testkit::fault::free_port;

use super::client::Client;
use crate::cpu;
use crate::rest::child::Program;
use crate::rest::instance::Instance;

/// One that runs, with a bucket in it.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) pid: u32,
    pub(super) client: Client,
    /// The superuser's connection.
    pub(super) admin: PgPool,
    postmaster: u32,
    // What it runs on; folders last, so that they outlive what writes there.
    _alone: Option<(Program, Box<TestDatabase>, TempDir)>,
    _whole: Option<Box<Instance>>,
}

/// A folder that Postgres, which may run as another user, can reach.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

impl Server {
    /// `selfdb-storage`, on a database of its own, without the gateway.
    pub(super) async fn alone(programs: &Path) -> Self {
        let program = programs.join("selfdb-storage");
        let there = program.exists();
        assert!(there, "build it first: cargo build --release -p storage");
        let db = TestDatabase::new(&[]).await;
        let home = folder();
        let port = free_port();
        let settings = db
            .settings()
            .with("STORAGE_PORT", port.to_string())
            .with("DATA_DIR", home.path().to_string_lossy());
        let mut command = Command::new(program);
        command.envs(settings.iter());
        let mut program = Program::start(command, &home.path().join("log"));
        let base = format!("http://127.0.0.1:{port}");
        program.answers(&format!("{base}/ready")).await;
        let admin = db.admin_pool();
        Self {
            name: "selfdb-storage alone",
            pid: program.pid(),
            client: Client::new(base, db.service_token().to_owned()).await,
            postmaster: postmaster(&admin).await,
            admin,
            _alone: Some((program, Box::new(db), home)),
            _whole: None,
        }
    }

    /// As `./start.sh` runs it, through the gateway; `None` where `selfdb` was not built.
    pub(super) async fn whole(programs: &Path) -> Option<Self> {
        if !programs.join("selfdb").exists() {
            return None;
        }
        let instance = Instance::start(programs).await;
        let base = format!("{}/storage/v1", instance.address("API_PORT"));
        let key = instance.settings.var("SERVICE_ROLE_KEY").expect("a key");
        let admin = pg::pool(&instance.admin(), &PoolOptions::new("bench", 2));
        Some(Self {
            name: "SelfDB",
            pid: instance.server.pid(),
            client: Client::new(base, key).await,
            postmaster: postmaster(&admin).await,
            admin,
            _alone: None,
            _whole: Some(Box::new(instance)),
        })
    }

    /// What Postgres with all its backends has used.
    pub(super) fn database_cpu(&self) -> Duration {
        cpu::family(self.postmaster)
    }

    /// Resident memory in MiB, now (`VmRSS`) or at most (`VmHWM`), from `/proc/<pid>/status`.
    pub(super) fn memory_mib(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.trim_matches([':', ' ', '\t']).split(' ').next());
        let kib: f64 = kib.and_then(|kib| kib.parse().ok()).expect("a number");
        kib / 1024.0
    }
}

async fn postmaster(admin: &PgPool) -> u32 {
    let file = "select pg_read_file('postmaster.pid')";
    let text: String = sqlx::query_scalar(file)
        .fetch_one(admin)
        .await
        .expect("postmaster.pid");
    let pid = text.lines().next().map(str::trim).map(str::parse);
    pid.and_then(Result::ok).expect("a process id")
}
