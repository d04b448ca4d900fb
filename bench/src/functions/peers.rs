//! Other runtimes, with the same handler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::{Environment as _, ProcessEnvironment};
use testkit::fault::free_port;
use tokio::time::Instant;

use super::code;
use super::stage::Stage;
use crate::rest::child::Program;
use crate::rest::load::Request;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/workerd");

pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The program, and what it is told beside the port.
    command: fn(&Path, u16) -> Command,
    program: PathBuf,
    running: Program,
    url: String,
}

impl Peer {
    /// `deno serve`, of the very program that runs functions.
    pub(super) async fn deno(stage: &Stage, deno: &Path) -> Self {
        fs::write(stage.folder().join("hello.ts"), code::HELLO).expect("a module");
        let script = stage.folder().join("deno");
        // The module lies beside the link: what a command is told is the same each time.
        std::os::unix::fs::symlink(deno, &script).expect("a link");
        let command = |program: &Path, port: u16| {
            let mut command = Command::new(program);
            let module = program.with_file_name("hello.ts");
            command.args(["serve", "--no-config", "--host", "127.0.0.1"]);
            command.arg(format!("--port={port}")).arg(module);
            command.env("DENO_NO_UPDATE_CHECK", "1");
            command
        };
        Self::start("deno serve", command, script, stage).await
    }

    /// workerd, from npm.
    pub(super) async fn workerd(stage: &Stage) -> Self {
        let command = |program: &Path, port: u16| {
            let mut command = Command::new(program);
            command.args(["serve", "config.capnp"]);
            command.arg(format!("--socket-addr=http=127.0.0.1:{port}"));
            command.current_dir(SOURCE);
            command
        };
        let machine = if std::env::consts::ARCH == "aarch64" {
            "arm64"
        } else {
            "64"
        };
        // Not the script of the same name, which would start it as another process.
        let package = format!("node_modules/@cloudflare/workerd-linux-{machine}");
        let program = install().join(package).join("bin/workerd");
        Self::start("workerd", command, program, stage).await
    }

    async fn start(
        name: &'static str,
        command: fn(&Path, u16) -> Command,
        program: PathBuf,
        stage: &Stage,
    ) -> Self {
        let port = free_port();
        let log = stage.folder().join("peer.log");
        let mut running = Program::start(command(&program, port), &log);
        let url = format!("http://127.0.0.1:{port}/");
        running.answers(&url).await;
        Self {
            name,
            command,
            program,
            running,
            url,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.running.pid()
    }

    pub(super) fn request(&self) -> Request {
        Request::get(self.url.clone())
    }

    /// How long it takes from nothing to an answer.
    pub(super) async fn starts(&self, stage: &Stage, count: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let port = free_port();
            let url = format!("http://127.0.0.1:{port}/");
            let started = Instant::now();
            let command = (self.command)(&self.program, port);
            let program = Program::start(command, &stage.folder().join("start.log"));
            while stage.client().get(&url).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            times.push(started.elapsed());
            drop(program);
        }
        times
    }
}

/// The program from npm, in a folder that is kept.
fn install() -> PathBuf {
    let home = ProcessEnvironment.var("HOME").expect("HOME");
    let folder = Path::new(&home).join(".cache/selfdb/bench/workerd");
    fs::create_dir_all(&folder).expect("a folder");
    let lock = fs::read(Path::new(SOURCE).join("package-lock.json")).expect("a lock file");
    let is_there = fs::read(folder.join("package-lock.json")).is_ok_and(|there| there == lock)
        && folder.join("node_modules").exists();
    for file in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(SOURCE).join(file), folder.join(file)).expect(file);
    }
    if !is_there {
        let mut npm = Command::new("npm");
        // The lock names this machine's kind of program alone, which `npm ci` takes for a mistake.
        let npm = npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
        let done = npm.current_dir(&folder).status();
        let done = done.expect("npm runs: install Node.js");
        assert!(done.success(), "npm install failed");
    }
    folder
}
