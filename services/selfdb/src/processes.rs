//! Every service as a process of its own, supervised: one that ends is started again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use common::error::BoxError;
use common::{EnvironmentMap, Lifecycle, Task};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a process may take to stop before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(25);

/// One service's program and the secrets it may know.
struct Program {
    name: &'static str,
    secrets: &'static [&'static str],
}

const PROGRAMS: [Program; 6] = [
    Program {
        name: "auth",
        secrets: &["AUTH_DB_PASSWORD"],
    },
    Program {
        name: "rest",
        secrets: &[
            "AUTHENTICATOR_DB_PASSWORD",
            "SERVICE_AUTHENTICATOR_DB_PASSWORD",
        ],
    },
    Program {
        name: "realtime",
        secrets: &[
            "REALTIME_DB_PASSWORD",
            "AUTHENTICATOR_DB_PASSWORD",
            "SERVICE_AUTHENTICATOR_DB_PASSWORD",
        ],
    },
    Program {
        name: "storage",
        secrets: &[
            "STORAGE_S3_ACCESS_KEY_ID",
            "STORAGE_S3_SECRET_ACCESS_KEY",
            "S3_PROTOCOL_ACCESS_KEY_ID",
            "S3_PROTOCOL_ACCESS_KEY_SECRET",
            "STORAGE_DB_PASSWORD",
            "AUTHENTICATOR_DB_PASSWORD",
            "SERVICE_AUTHENTICATOR_DB_PASSWORD",
        ],
    },
    Program {
        name: "functions",
        secrets: &[
            "FUNCTIONS_DB_PASSWORD",
            "FUNCTIONS_SECRETS_KEY",
            "FUNCTIONS_ACCESS_TOKEN",
        ],
    },
    Program {
        name: "gateway",
        secrets: &[],
    },
];

/// What no service needs unless its program names it.
const WITHHELD: [&str; 17] = [
    "STORAGE_S3_ACCESS_KEY_ID",
    "STORAGE_S3_SECRET_ACCESS_KEY",
    "S3_PROTOCOL_ACCESS_KEY_ID",
    "S3_PROTOCOL_ACCESS_KEY_SECRET",
    "POSTGRES_PASSWORD",
    "DATABASE_URL",
    "DEFAULT_ADMIN_PASSWORD",
    "MINIO_ROOT_USER",
    "MINIO_ROOT_PASSWORD",
    "AUTHENTICATOR_DB_PASSWORD",
    "SERVICE_AUTHENTICATOR_DB_PASSWORD",
    "AUTH_DB_PASSWORD",
    "REALTIME_DB_PASSWORD",
    "STORAGE_DB_PASSWORD",
    "FUNCTIONS_DB_PASSWORD",
    "FUNCTIONS_SECRETS_KEY",
    "FUNCTIONS_ACCESS_TOKEN",
];

/// Where each service listens, for the gateway.
const UPSTREAMS: [(&str, &str, &str); 5] = [
    ("AUTH_URL", "AUTH_PORT", "9999"),
    ("REST_URL", "REST_PORT", "3001"),
    ("REALTIME_URL", "REALTIME_PORT", "4000"),
    ("STORAGE_URL", "STORAGE_PORT", "5000"),
    ("FUNCTIONS_URL", "FUNCTIONS_PORT", "8090"),
];

/// Supervises a process per service, each running the program `selfdb-<name>` beside this one's.
pub fn start(values: &EnvironmentMap, lifecycle: &Lifecycle) -> Result<(), BoxError> {
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("this program has no folder")?;
    for program in &PROGRAMS {
        lifecycle.supervise(program.name, task(program, folder, values));
    }
    Ok(())
}

fn task(program: &'static Program, folder: &Path, values: &EnvironmentMap) -> Task {
    let path = folder.join(format!("selfdb-{}", program.name));
    let environment = Arc::new(environment(program, values));
    Task::new(program.name, move |shutdown| {
        run(path.clone(), Arc::clone(&environment), shutdown)
    })
}

fn environment(program: &Program, values: &EnvironmentMap) -> BTreeMap<String, String> {
    let known = |name: &str| !WITHHELD.contains(&name) || program.secrets.contains(&name);
    let mut environment: BTreeMap<_, _> = values
        .iter()
        .filter(|(name, _)| known(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, port, default) in UPSTREAMS {
        let port = environment.get(port).filter(|port| !port.is_empty());
        let url = format!("http://127.0.0.1:{}", port.map_or(default, String::as_str));
        environment.insert(name.to_owned(), url);
    }
    environment.insert("SELFDB_SUPERVISED".to_owned(), "true".to_owned());
    environment
}

async fn run(
    path: PathBuf,
    environment: Arc<BTreeMap<String, String>>,
    shutdown: CancellationToken,
) -> Result<(), BoxError> {
    let mut command = Command::new(&path);
    for name in WITHHELD {
        command.env_remove(name);
    }
    command
        .envs(&*environment)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|e| format!("{}: {e}", path.display()))?;
    tokio::select! {
        status = child.wait() => Err(format!("{} ended: {}", path.display(), status?).into()),
        () = shutdown.cancelled() => stop(&mut child).await,
    }
}

async fn stop(child: &mut Child) -> Result<(), BoxError> {
    let pid = child
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        kill_process(pid, Signal::TERM)?;
    }
    if tokio::time::timeout(STOP_GRACE, child.wait())
        .await
        .is_err()
    {
        child.kill().await?;
    }
    Ok(())
}
