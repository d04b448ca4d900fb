//! A small server of the kind one writes by hand: fastify and pg, from npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Environment as _, ProcessEnvironment};
use pg::roles;
use testkit::fault::free_port;

use super::case::{Caller, Case, Kind, NEW_ROW};
use super::child::Program;
use super::instance::Instance;
use super::load::Request;
use super::ours;
use super::tokens::Tokens;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fastify");

pub(super) struct Fastify {
    program: Program,
    base: String,
}

impl Fastify {
    pub(super) async fn start(instance: &Instance) -> Self {
        let folder = install();
        let port = free_port();
        let owner = instance.admin().url();
        let login = instance.endpoint(roles::AUTHENTICATOR, "AUTHENTICATOR_DB_PASSWORD");
        let mut command = Command::new("node");
        command
            .arg(folder.join("server.mjs"))
            .env("NODE_ENV", "production")
            .env("PORT", port.to_string())
            .env("OWNER_URL", owner.expose())
            .env("USER_URL", login.url().expose())
            .env("JWT_SECRET", instance.setting("JWT_SECRET"));
        let mut program = Program::start(command, &instance.folder().join("fastify.log"));
        let base = format!("http://127.0.0.1:{port}");
        program.answers(&format!("{base}/items/1")).await;
        Self { program, base }
    }

    pub(super) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(super) fn request(&self, tokens: &Tokens, case: Case) -> Request {
        let url = |path: &str| format!("{}{path}", self.base);
        let request = match (case.kind, case.caller) {
            (Kind::OneRow, Caller::Anon) => Request::get(url("/items/%d")),
            (Kind::OneRow, Caller::SignedIn | Caller::ManyTokens) => {
                Request::get(url("/own_items/%d"))
            }
            (Kind::Hundred, _) => Request::get(url("/items?limit=100")),
            (Kind::Insert, _) => Request::post(url("/written"), NEW_ROW),
        };
        ours::authorized(request, tokens, case.caller)
    }
}

/// The script and its packages, in a folder that is kept.
fn install() -> PathBuf {
    let home = ProcessEnvironment.var("HOME").expect("HOME");
    let folder = Path::new(&home).join(".cache/selfdb/bench/fastify");
    fs::create_dir_all(&folder).expect("a folder");
    let lock = fs::read(Path::new(SOURCE).join("package-lock.json")).expect("a lock file");
    let is_there = fs::read(folder.join("package-lock.json")).is_ok_and(|there| there == lock)
        && folder.join("node_modules").exists();
    for file in ["package.json", "package-lock.json", "server.mjs"] {
        fs::copy(Path::new(SOURCE).join(file), folder.join(file)).expect(file);
    }
    if !is_there {
        let mut npm = Command::new("npm");
        let npm = npm.args(["ci", "--silent", "--no-audit", "--no-fund"]);
        let done = npm.current_dir(&folder).status();
        assert!(
            done.expect("npm runs: install Node.js").success(),
            "npm ci failed"
        );
    }
    folder
}
