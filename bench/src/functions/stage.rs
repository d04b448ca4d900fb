//! An instance with a folder of functions.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Client;
use tokio::time::{Instant, sleep};

use crate::cpu;
use crate::rest::instance::Instance;
use crate::rest::load::Request;

const PATIENCE: Duration = Duration::from_mins(2);

pub(super) struct Stage {
    instance: Instance,
    client: Client,
}

impl Stage {
    pub(super) async fn start(programs: &Path) -> Self {
        assert!(
            programs.join("selfdb").exists(),
            "cargo build --release -p selfdb first"
        );
        // Where the processes of functions are told from others by their command lines.
        let settings = "FUNCTIONS_VERIFY_JWT=false\nFUNCTIONS_WATCH_MILLISECONDS=200\n";
        let instance = Instance::start_with(programs, settings).await;
        // Only one is there for the whole of this program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            instance,
            client: Client::new(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.instance.folder()
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The server's process id.
    pub(super) fn server(&self) -> u32 {
        self.instance.server.pid()
    }

    /// Writes the function `name` down and waits until the instance knows of it.
    pub(super) async fn deploy(&self, name: &str, text: &str) {
        self.write(name, text);
        self.knows(name).await;
    }

    /// Takes the function `name` away and waits until no process runs it: what is measured next
    /// finds the machine as this one did.
    pub(super) async fn remove(&self, name: &str) {
        let folder = self.folder().join("functions").join(name);
        fs::remove_dir_all(folder).expect("its folder");
        let url = self.directly(name).url;
        let deadline = Instant::now() + PATIENCE;
        let gone = async || {
            let asked = self.client.get(&url).send().await;
            asked.is_ok_and(|answer| answer.status() == 404)
        };
        while !gone().await {
            assert!(Instant::now() < deadline, "{name} does not go");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The code lies beside the entry, as what a bundler wrote does.
    pub(super) fn write(&self, name: &str, text: &str) {
        let folder = self.folder().join("functions").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("bundle.js"), text).expect("a module");
        let entry = "export { default } from \"./bundle.js\";\n";
        fs::write(folder.join("index.ts"), entry).expect("a function");
    }

    /// Waits until the instance knows of `name`, without asking the function itself.
    pub(super) async fn knows(&self, name: &str) {
        let key = self.instance.setting("SERVICE_ROLE_KEY");
        let api = self.instance.address("API_PORT");
        let url = format!("{api}/api/v1/functions/{name}/versions");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let asked = self
                .client
                .get(&url)
                .bearer_auth(&key)
                .header("apikey", &key);
            if asked
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return;
            }
            assert!(Instant::now() < deadline, "{name} was never known");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn through_gateway(&self, name: &str) -> Request {
        let key = self.instance.setting("ANON_KEY");
        let api = self.instance.address("API_PORT");
        Request::get(format!("{api}/functions/v1/{name}"))
            .header("authorization", format!("Bearer {key}"))
    }

    pub(super) fn directly(&self, name: &str) -> Request {
        let functions = self.instance.address("FUNCTIONS_PORT");
        Request::get(format!("{functions}/{name}"))
    }

    /// The processes that run functions, or wait to.
    pub(super) fn processes(&self) -> Vec<u32> {
        let numbers = fs::read_dir("/proc").expect("/proc");
        let numbers = numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let server = self.server();
        let ours = numbers.filter(|pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let child = status
                .lines()
                .any(|line| line == format!("PPid:\t{server}"));
            child && line.starts_with(b"deno\0")
        });
        ours.collect()
    }

    pub(super) fn used_by_functions(&self) -> Duration {
        self.processes().into_iter().map(cpu::process).sum()
    }

    /// Waits until a process was started ahead and does nothing any more.
    pub(super) async fn has_a_slot(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut before = None;
        loop {
            sleep(Duration::from_millis(300)).await;
            let used = self.used_by_functions();
            if !used.is_zero() && before == Some(used) {
                return;
            }
            assert!(Instant::now() < deadline, "no process is started ahead");
            before = Some(used);
        }
    }

    /// The program that runs functions here.
    pub(super) fn deno(&self) -> PathBuf {
        let pid = self.processes().into_iter().next();
        let pid = pid.expect("a process that waits");
        fs::read_link(format!("/proc/{pid}/exe")).expect("its program")
    }
}
