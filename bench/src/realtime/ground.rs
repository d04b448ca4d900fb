//! The service as a process of its own, on a database of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use testkit::TestDatabase;
use testkit::fault::free_port;

use super::fan_out::Room;
use super::socket::Dialect;
use crate::rest::child::Program;

pub(super) struct Ground {
    pub(super) db: TestDatabase,
    service: Program,
    port: u16,
    // Last, so that it outlives what writes there.
    home: TempDir,
}

impl Ground {
    pub(super) async fn lay(programs: Option<&Path>) -> Self {
        let db = TestDatabase::new(&[]).await;
        db.execute(include_str!("ground.sql")).await;
        let home = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let settings = db
            .settings()
            .with("REALTIME_PORT", port.to_string())
            .with("REALTIME_MAX_CLIENTS", "100000")
            .with("REALTIME_MAX_EVENTS", "1000000")
            .with("REALTIME_KEY_MAX_EVENTS", "1000000")
            .with("DATA_DIR", home.path().to_string_lossy());
        let mut command = Command::new(program(programs));
        command.envs(settings.iter());
        let mut service = Program::start(command, &home.path().join("log"));
        service
            .answers(&format!("http://127.0.0.1:{port}/ready"))
            .await;
        Self {
            db,
            service,
            port,
            home,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn pid(&self) -> u32 {
        self.service.pid()
    }

    pub(super) fn address(&self, token: &str) -> String {
        format!(
            "ws://127.0.0.1:{}/websocket?apikey={token}&vsn=2.0.0",
            self.port
        )
    }

    /// A topic that everybody joins.
    pub(super) fn room(&self) -> Room {
        Room {
            address: self.address(self.db.anon_token()),
            dialect: Dialect::Phoenix,
            pid: self.pid(),
        }
    }
}

fn program(folder: Option<&Path>) -> PathBuf {
    let own = std::env::current_exe().expect("this program's path");
    let folder = folder.or(own.parent()).expect("a folder");
    let program = folder.join("selfdb-realtime");
    assert!(
        program.exists(),
        "build it first: cargo build --release -p realtime"
    );
    program
}
