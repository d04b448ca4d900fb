//! Deno's own tools (linter, type checker, the graph of modules) over a function's code, shut in
//! like the functions themselves: they read what strangers wrote.

use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::BoxError;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::DenoRuntime;
use super::folder::{SlotFolder, copy_code};
use super::launch;
use crate::domain::Version;
use crate::domain::code::Code;
use crate::domain::version::Traits;
use crate::packages::{TooLarge, Tree};
use crate::sandbox::{self, SandboxSpec};
use crate::source;

/// What a tool may use: the type checker is a big program.
const DATA_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const OPEN_FILES: u64 = 1024;
const TIME: Duration = Duration::from_secs(30);
/// What a tool says beyond this is not read, in bytes.
const MAX_OUTPUT_BYTES: u64 = 4 * 1024 * 1024;

/// Code laid out for tools, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    runtime: &'a DenoRuntime,
    folder: SlotFolder,
    entry: PathBuf,
    traits: Traits,
}

/// What a tool said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// What became of fetching packages.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// They are there; `None` where the code imports none.
    Tree(Option<Arc<Tree>>),
    /// Why one cannot be had, in Deno's words.
    Refused(String),
}

impl DenoRuntime {
    /// Lays `code` out for tools.
    pub(crate) async fn bench(&self, code: &Code) -> Result<Bench<'_>, BoxError> {
        let folder = self.tool_folder()?;
        let (staging, target) = (folder.staging(), folder.code());
        let files = code.files.clone();
        tokio::task::spawn_blocking(move || -> Result<(), BoxError> {
            for (relative, content) in &files {
                source::write(&staging.join(relative), content)?;
            }
            copy_code(&staging, &target)?;
            Ok(())
        })
        .await??;
        Ok(Bench {
            runtime: self,
            folder,
            entry: code.entry.clone(),
            traits: code.traits(),
        })
    }

    /// Lays the code of `version` out for tools.
    pub(super) async fn bench_of(&self, version: &Arc<Version>) -> Result<Bench<'_>, BoxError> {
        let folder = self.tool_folder()?;
        let (from, target) = (Arc::clone(version), folder.code());
        tokio::task::spawn_blocking(move || copy_code(&from.code.0, &target)).await??;
        Ok(Bench {
            runtime: self,
            folder,
            entry: version.entry.clone(),
            traits: version.traits.clone(),
        })
    }

    fn tool_folder(&self) -> std::io::Result<SlotFolder> {
        let number = self.next_slot.fetch_add(1, Ordering::Relaxed);
        let path = self.run.path().join(format!("slots/{number}"));
        SlotFolder::create(path, self.config.user)
    }
}

impl Bench<'_> {
    /// Where the code lies, as tools name it.
    pub(crate) fn root_text(&self) -> String {
        self.folder.code().display().to_string()
    }

    /// The module that is imported, as an argument.
    pub(crate) fn entry(&self) -> String {
        self.folder.code().join(&self.entry).display().to_string()
    }

    /// `command` with what it needs to know of the function's own configuration.
    pub(crate) fn arguments(&self, command: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
        arguments.extend(launch::configuration(&self.traits, &self.folder.code()));
        arguments
    }

    /// Fetches the packages that the code imports. A `deno.lock` of its own says which.
    pub(crate) async fn fetch_packages(&self) -> Result<Fetched, BoxError> {
        const HTTPS: u16 = 443;
        let lock = self.folder.work().join("packages.lock");
        let own = self
            .folder
            .code()
            .join(&self.entry)
            .with_file_name("deno.lock");
        if own.is_file() {
            std::fs::copy(&own, &lock)?;
            if let Some(user) = self.runtime.config.user {
                chown(&lock, Some(user.uid), Some(user.gid))?;
            }
        }
        let mut arguments = self.arguments(&["cache", "--frozen=false", "--allow-import"]);
        arguments.push(format!("--lock={}", lock.display()));
        arguments.push(self.entry());
        let said = self.run(&arguments, &[HTTPS]).await?;
        if !said.success {
            return Ok(Fetched::Refused(said.errors));
        }
        let kept = self.runtime.packages.keep(self.folder.cache(), lock).await;
        match kept {
            Err(error) if error.is::<TooLarge>() => Ok(Fetched::Refused(error.to_string())),
            kept => kept.map(Fetched::Tree),
        }
    }

    /// Has the tools find `packages`, instead of fetching any.
    pub(crate) fn use_packages(&self, packages: &Tree) -> std::io::Result<()> {
        let user = self.runtime.config.user;
        self.folder.link_packages(Some(packages), user)
    }

    /// Runs `deno` with `arguments` in the code's folder; `ports` are what it may connect to.
    pub(crate) async fn run(&self, arguments: &[String], ports: &[u16]) -> Result<Said, BoxError> {
        let _turn = Arc::clone(&self.runtime.tools).acquire_owned().await?;
        let command = self.command(arguments, ports)?;
        let mut child = self.runtime.spawner.spawn(command).await?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("the tool has no pipes".into());
        };
        let finished = async { tokio::join!(read(output), read(errors), child.wait()) };
        let Ok((output, errors, status)) = timeout(TIME, finished).await else {
            return Err("the tool took too long".into());
        };
        Ok(Said {
            success: status?.success(),
            output,
            errors,
        })
    }

    fn command(&self, arguments: &[String], ports: &[u16]) -> Result<Command, BoxError> {
        let config = &self.runtime.config;
        let spec = SandboxSpec {
            program: config.deno.clone(),
            arguments: arguments.to_vec(),
            supervisor: rustix::process::getpid().as_raw_pid(),
            user: config.user,
            group: None,
            read: vec![self.folder.code(), config.packages.clone()],
            write: vec![self.folder.work()],
            connect_ports: ports.to_vec(),
            ipv6: true,
            data_bytes: DATA_BYTES,
            open_files: OPEN_FILES,
        };
        let mut command = Command::new(&config.launcher);
        command
            .arg0("selfdb-functions-sandbox")
            .arg(sandbox::ARGUMENT)
            .arg(spec.encode()?)
            .env_clear()
            .env("DENO_DIR", self.folder.cache())
            .env("DENO_NO_UPDATE_CHECK", "1")
            // Also where a company's own authority stands before the registries.
            .env("DENO_TLS_CA_STORE", "mozilla,system")
            .env("HOME", self.folder.work())
            .env("NO_COLOR", "1")
            .env("TMPDIR", self.folder.temporary())
            .current_dir(self.folder.code())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }
}

async fn read(pipe: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    let _ = pipe.take(MAX_OUTPUT_BYTES).read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}
