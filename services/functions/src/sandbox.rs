//! How a process that runs users' code is shut in before it runs a line of it.
//!
//! The workspace forbids `unsafe`, so nothing can be done between fork and exec. Instead the
//! platform starts its own binary again with the hidden argument [`ARGUMENT`]; that process shuts
//! itself in and then becomes the program, under the same process id.

mod identity;
mod landlock;
mod seccomp;
mod spec;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, Signal};

pub use identity::UserIdentity;
pub use landlock::is_enforced as landlock_is_enforced;
pub use spec::SandboxSpec;

/// The hidden first argument that turns the platform's binary into the sandbox's launcher.
pub const ARGUMENT: &str = "functions-sandbox";

/// Why the sandbox refused to start its program.
#[derive(Debug, thiserror::Error)]
enum SandboxError {
    #[error("the sandbox's specification cannot be read")]
    Spec(#[source] serde_json::Error),
    #[error("the supervisor is gone")]
    Orphan,
    #[error("the program cannot be opened")]
    Program(#[source] std::io::Error),
    #[error("the control group cannot be entered")]
    Group(#[source] std::io::Error),
    #[error("the file system and the network cannot be restricted")]
    Landlock(#[source] ::landlock::RulesetError),
    #[error("system calls cannot be restricted")]
    Seccomp(#[source] seccompiler::Error),
    #[error("{0} failed")]
    System(&'static str, #[source] rustix::io::Errno),
    #[error("the program cannot be run")]
    Exec(#[source] std::io::Error),
}

/// Does the launcher's work where this process was started for it; `None` for any other start.
///
/// Every `main` that builds the functions service calls this first. When the program starts, this
/// does not return.
pub fn maybe_run() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let spec = arguments.next().unwrap_or_default();
    let error = match run(&spec) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    let line = common::error::chain(&error);
    let _ = writeln!(std::io::stderr(), "sandbox: {line}");
    Some(ExitCode::FAILURE)
}

fn run(spec: &OsString) -> Result<std::convert::Infallible, SandboxError> {
    let spec = SandboxSpec::decode(spec).map_err(SandboxError::Spec)?;
    // Opened before the user changes: the program may lie where that user cannot look.
    let program = File::open(&spec.program).map_err(SandboxError::Program)?;
    if let Some(group) = &spec.group {
        // 0 is whoever writes it.
        std::fs::write(group.join("cgroup.procs"), "0").map_err(SandboxError::Group)?;
    }
    landlock::restrict(&spec).map_err(SandboxError::Landlock)?;
    limit(&spec)?;
    if let Some(user) = spec.user {
        user.assume()
            .map_err(|errno| SandboxError::System("changing the user", errno))?;
    }
    die_with(spec.supervisor)?;
    seccomp::restrict(&spec).map_err(SandboxError::Seccomp)?;
    let path = format!("/proc/self/fd/{}", program.as_raw_fd());
    let error = Command::new(path).arg0("deno").args(&spec.arguments).exec();
    Err(SandboxError::Exec(error))
}

fn limit(spec: &SandboxSpec) -> Result<(), SandboxError> {
    let limits = [
        (Resource::Data, spec.data_bytes),
        (Resource::Nofile, spec.open_files),
        (Resource::Core, 0),
    ];
    for (resource, value) in limits {
        let both = Rlimit {
            current: Some(value),
            maximum: Some(value),
        };
        rustix::process::setrlimit(resource, both)
            .map_err(|errno| SandboxError::System("setting a resource limit", errno))?;
    }
    Ok(())
}

/// Asks the kernel to kill this process when the supervisor ends, however it ends. Comes after the
/// change of user, which clears the request.
fn die_with(supervisor: i32) -> Result<(), SandboxError> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|errno| SandboxError::System("asking for the parent's death signal", errno))?;
    let parent = rustix::process::getppid().map(rustix::process::Pid::as_raw_pid);
    if parent == Some(supervisor) {
        Ok(())
    } else {
        Err(SandboxError::Orphan)
    }
}
