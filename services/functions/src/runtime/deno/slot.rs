//! A process that waits to become a function.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use common::BoxError;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;

use super::connections::{Connections, SendError};
use super::database::{self, DatabaseWay};
use super::folder::{SlotFolder, copy_code};
use super::process::{Ended, Process, Supervised};
use super::worker::DenoWorker;
use super::{DenoRuntime, PATIENCE, complaint, environment, launch, logs};
use crate::domain::trigger;
use crate::domain::version::{Sign, Traits};
use crate::domain::{Limits, Version};
use crate::runtime::{Described, StartError};

/// How long a process may take until it waits.
const READY_TIMEOUT: Duration = Duration::from_secs(20);
/// What a module says of itself, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 256 * 1024;

/// A process that waits.
#[derive(Debug)]
pub(super) struct Slot {
    process: Process,
    folder: Arc<SlotFolder>,
    connections: Arc<Connections>,
    /// The code lies in the folder already.
    laid_down: bool,
    limits: Limits,
    database: Option<DatabaseWay>,
}

/// Why a slot did not become a function.
#[derive(Debug)]
pub(super) enum AssignError {
    /// The process was gone before it was told.
    SlotLost,
    Start(StartError),
}

/// What the bootstrap is told (`Assignment` in `runtime/boot.ts`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment<'a> {
    name: &'a str,
    entry: String,
    environment: std::collections::BTreeMap<String, String>,
    api_url: &'a str,
    node_socket: Option<String>,
}

/// What the bootstrap answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Loaded {
    description: Option<String>,
    triggers: Option<Value>,
    /// A server of Node's answers requests.
    own_server: bool,
}

impl DenoRuntime {
    /// Starts a process, for `version` alone where that wants one of its own; waits for room where
    /// as many run as may.
    pub(super) async fn spawn_slot(&self, version: &Arc<Version>) -> Result<Slot, StartError> {
        let room = self.room().await?;
        let own = self.wants_its_own(version).then_some(version);
        self.spawn_slot_in(room, own)
            .await
            .map_err(StartError::Unavailable)
    }

    /// Starts a process for any function; `None` where as many run as may and all of them are busy.
    pub(super) async fn spawn_waiting_slot(&self) -> Option<Result<Slot, BoxError>> {
        let free = Arc::clone(&self.room).try_acquire_owned().ok();
        let room = match free {
            Some(room) => room,
            // The next function to start finds a process, and the longest idle one is the least
            // likely to be that function.
            None if self.crowd.make_way() => {
                let acquired = Arc::clone(&self.room).acquire_owned();
                timeout(PATIENCE, acquired).await.ok()?.ok()?
            }
            None => return None,
        };
        Some(self.spawn_slot_in(room, None).await)
    }

    async fn spawn_slot_in(
        &self,
        room: OwnedSemaphorePermit,
        version: Option<&Arc<Version>>,
    ) -> Result<Slot, BoxError> {
        if self.closing.is_cancelled() {
            return Err("the runtime is closing".into());
        }
        let number = self.next_slot.fetch_add(1, Ordering::Relaxed);
        let path = self.run.path().join(format!("slots/{number}"));
        let folder = Arc::new(SlotFolder::create(path, self.config.user)?);
        let tree = version.and_then(|version| version.packages.get());
        folder.link_packages(tree.map(|tree| &**tree), self.config.user)?;
        let mut traits = Traits::default();
        if let Some(version) = version {
            lay_down(version, &folder).await?;
            traits.clone_from(&version.traits);
        }
        let limits = traits.limits(self.limits);
        let database = match self.database(&traits) {
            Some(endpoint) => Some(database::find(endpoint).await?),
            None => None,
        };
        let open = database.as_ref().map(|way| way.address);
        let groups = self.groups.as_ref();
        let group = groups.map(|groups| groups.make(number, &limits));
        let group = group.transpose()?;
        let command = launch::command(self, &folder, &traits, open, group.as_ref())?;
        let mut child = self.spawner.spawn(command).await?;
        let pipes = (child.stdout.take(), child.stderr.take());
        let supervised = Supervised {
            child,
            folder: Arc::clone(&folder),
            group,
            room,
            limits,
        };
        let (process, supervisor) = Process::new(supervised, self.closing.child_token());
        let sink = self.sink(&process, limits);
        self.tasks.spawn(async move {
            if let Some(complaint) = supervisor.await.complaint() {
                sink.note(complaint);
            }
        });
        self.wait_until_ready(&process, pipes, limits).await?;
        Ok(Slot {
            connections: Arc::new(Connections::new(folder.socket(), self.tasks.clone())),
            process,
            folder,
            laid_down: version.is_some(),
            limits,
            database,
        })
    }

    fn sink(&self, process: &Process, limits: Limits) -> logs::Sink {
        logs::Sink {
            label: process.label.clone(),
            journal: self.journal.clone(),
            clock: Arc::clone(&self.clock),
            rate: limits.log_lines_per_second,
        }
    }

    async fn wait_until_ready(
        &self,
        process: &Process,
        (output, errors): Pipes,
        limits: Limits,
    ) -> Result<(), BoxError> {
        let (Some(output), Some(errors)) = (output, errors) else {
            return Err("the process has no pipes".into());
        };
        let (ready, is_ready) = oneshot::channel();
        let sink = || self.sink(process, limits);
        self.tasks.spawn(logs::copy_output(output, sink(), ready));
        self.tasks.spawn(logs::copy_errors(errors, sink()));
        match timeout(READY_TIMEOUT, is_ready).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err("the process ended while it started; the log says more".into()),
            Err(_) => {
                process.kill();
                Err("the process did not start in time".into())
            }
        }
    }
}

type Pipes = (
    Option<tokio::process::ChildStdout>,
    Option<tokio::process::ChildStderr>,
);

impl Slot {
    /// Whether the process is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.process.has_ended()
    }

    /// Makes the process the function `version`.
    pub(super) async fn assign(
        self,
        runtime: &DenoRuntime,
        version: &Arc<Version>,
    ) -> Result<DenoWorker, AssignError> {
        let start_error = |error: BoxError| AssignError::Start(StartError::Unavailable(error));
        // Busy from here on, however long it has waited: an idle function would be ended.
        let Some(_busy) = self.process.gate.enter(None) else {
            return Err(AssignError::SlotLost);
        };
        self.process.label.set(version);
        if !self.laid_down {
            let laid_down = lay_down(version, &self.folder).await;
            laid_down.map_err(start_error)?;
        }
        let request = self.request(runtime, version).map_err(start_error)?;
        let (described, own_server) = self.load(request, runtime).await?;
        let connections = if own_server {
            let socket = self.folder.node_socket();
            Arc::new(Connections::new(socket, runtime.tasks.clone()))
        } else {
            self.connections
        };
        Ok(DenoWorker {
            version: Arc::clone(version),
            described,
            process: self.process,
            connections,
            limits: self.limits,
            public_url: runtime.granted.public_url.clone(),
            tasks: runtime.tasks.clone(),
            closing: runtime.closing.clone(),
        })
    }

    /// Has the process load the module; answers what that says of itself, and whether a server of
    /// its own answers requests.
    async fn load(
        &self,
        request: Request<Body>,
        runtime: &DenoRuntime,
    ) -> Result<(Described, bool), AssignError> {
        let boot_timeout = self.limits.boot_timeout;
        let (status, body) = match timeout(boot_timeout, self.connections.send(request)).await {
            Ok(Ok(response)) => {
                let status = response.status();
                let body = to_bytes(Body::new(response.into_body()), MAX_DESCRIPTION_BYTES).await;
                (status, body.unwrap_or_default())
            }
            Ok(Err(SendError::NotSent(_))) => return Err(AssignError::SlotLost),
            Ok(Err(SendError::Body(_) | SendError::Lost(_))) => {
                return Err(broken(self.last_words().await.to_owned()));
            }
            Err(_) => {
                self.process.kill();
                let limit = boot_timeout.as_secs_f32();
                return Err(broken(format!("it had not loaded after {limit} seconds")));
            }
        };
        if status != StatusCode::OK {
            let said = String::from_utf8_lossy(&body);
            let bootstrap = runtime.run.bootstrap();
            return Err(broken(complaint::tidy(
                &said,
                &self.folder.code(),
                &bootstrap,
            )));
        }
        let described = serde_json::from_slice::<Loaded>(&body)
            .map_err(|error| broken(format!("what it exports cannot be read: {error}")))?;
        let triggers = trigger::read(described.triggers.as_ref())
            .map_err(|error| broken(error.to_string()))?;
        let own_server = described.own_server;
        let described = Described {
            description: described.description,
            triggers,
        };
        Ok((described, own_server))
    }

    fn request(&self, runtime: &DenoRuntime, version: &Version) -> Result<Request<Body>, BoxError> {
        let entry = self.folder.code().join(&version.entry);
        let node_socket = self.folder.node_socket().display().to_string();
        let assignment = Assignment {
            name: version.function.as_str(),
            entry: format!("file://{}", entry.display()),
            environment: environment::of(&runtime.granted, version, self.database.as_ref()),
            api_url: &runtime.granted.public_url.text,
            node_socket: version.traits.show(Sign::Server).then_some(node_socket),
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri("http://selfdb.internal/");
        Ok(request.body(Body::from(serde_json::to_vec(&assignment)?))?)
    }

    async fn last_words(&self) -> &'static str {
        match self.process.ended(Duration::from_secs(1)).await {
            Some(Ended::CpuLimit) => "it went beyond its CPU time while it loaded",
            Some(Ended::MemoryLimit) => "it went beyond its memory while it loaded",
            Some(Ended::Crashed | Ended::Stopped) | None => "its process ended while it loaded",
        }
    }
}

/// Copies the code of `version` to where the process in `folder` reads it.
async fn lay_down(version: &Arc<Version>, folder: &SlotFolder) -> Result<(), BoxError> {
    let (from, to) = (Arc::clone(version), folder.code());
    tokio::task::spawn_blocking(move || copy_code(&from.code.0, &to)).await??;
    Ok(())
}

fn broken(complaint: String) -> AssignError {
    AssignError::Start(StartError::Broken(complaint))
}
