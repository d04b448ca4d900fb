//! The command line of a sandboxed Deno process: what it may do, said twice, to Deno by permission
//! flags and to the kernel by the sandbox.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::DenoRuntime;
use super::cgroup::Group;
use super::folder::SlotFolder;
use super::reach::Reach;
use crate::domain::version::{ConfigFile, Traits};
use crate::sandbox::{self, SandboxSpec};

/// What Deno itself asks of the data segment before any function runs, in bytes. Measured: below
/// it the process does not start.
const BASELINE_BYTES: u64 = 553 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;
const OPEN_FILES: u64 = 1024;

/// The command that starts a process in `folder`: one for any function, or for one with a
/// configuration of its own, or a way to the database at `database`.
pub(super) fn command(
    runtime: &DenoRuntime,
    folder: &SlotFolder,
    traits: &Traits,
    database: Option<SocketAddr>,
    group: Option<&Group>,
) -> Result<Command, serde_json::Error> {
    let limits = traits.limits(runtime.limits);
    let reach = Reach::new(&runtime.config, traits.egress(), database);
    let spec = SandboxSpec {
        program: runtime.config.deno.clone(),
        arguments: arguments(runtime, folder, traits, &reach),
        supervisor: rustix::process::getpid().as_raw_pid(),
        user: runtime.config.user,
        group: group.map(|group| group.path().to_owned()),
        read: vec![
            folder.code(),
            runtime.run.bootstrap(),
            runtime.config.packages.clone(),
        ],
        write: vec![folder.work(), runtime.door.path().to_owned()],
        ipv6: reach.ipv6,
        connect_ports: reach.ports,
        data_bytes: BASELINE_BYTES.saturating_add(limits.memory_bytes),
        open_files: OPEN_FILES,
    };
    let mut command = Command::new(&runtime.config.launcher);
    command
        .arg0("selfdb-functions-sandbox")
        .arg(sandbox::ARGUMENT)
        .arg(spec.encode()?)
        .env_clear()
        .env("DENO_DIR", folder.cache())
        .env("DENO_NO_UPDATE_CHECK", "1")
        .env("HOME", folder.work())
        .env("NO_COLOR", "1")
        .env("TMPDIR", folder.temporary())
        .env("TZ", "UTC")
        .current_dir(folder.work())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C in the terminal is for the supervisor, which ends its processes in order.
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// What Deno is told of a function's `deno.json` or import map, which lie under `code`.
pub(super) fn configuration(traits: &Traits, code: &Path) -> Vec<String> {
    let at = |path: &Path| code.join(path).display().to_string();
    match &traits.config {
        Some(ConfigFile::Deno(path)) => vec!["--config".to_owned(), at(path)],
        Some(ConfigFile::ImportMap(path)) => vec![
            "--no-config".to_owned(),
            "--import-map".to_owned(),
            at(path),
        ],
        None => vec!["--no-config".to_owned()],
    }
}

fn arguments(
    runtime: &DenoRuntime,
    folder: &SlotFolder,
    traits: &Traits,
    reach: &Reach,
) -> Vec<String> {
    let heap_mib = (traits.limits(runtime.limits).memory_bytes / MIB).max(16);
    let text = |path: &Path| path.display().to_string();
    let (code, work, door) = (
        text(&folder.code()),
        text(&folder.work()),
        text(runtime.door.path()),
    );
    let mut arguments: Vec<String> = [
        "run",
        "--quiet",
        "--no-prompt",
        "--no-lock",
        // Packages were fetched before; no process of a function fetches one.
        "--cached-only",
        "--node-modules-dir=none",
        "--allow-env",
        "--deny-run",
        "--deny-ffi",
        "--deny-sys",
        "--allow-import",
    ]
    .map(str::to_owned)
    .into();
    arguments.extend(configuration(traits, &folder.code()));
    let (socket, node_socket) = (text(&folder.socket()), text(&folder.node_socket()));
    arguments.extend(reach.flags(&[&socket, &node_socket, &door]));
    let packages = text(&runtime.config.packages);
    arguments.extend([
        format!("--v8-flags=--max-old-space-size={heap_mib}"),
        format!("--allow-read={code},{work},{door},{packages}"),
        format!("--allow-write={work},{door}"),
        text(&runtime.run.bootstrap().join("boot.ts")),
        socket,
        door,
    ]);
    arguments
}
