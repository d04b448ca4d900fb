//! One module per command; what they share is how they read configuration and report failure.

pub mod env;
pub mod functions;
pub mod init;
pub mod keys;
pub mod serve;
pub mod status;
pub mod storage;

use std::path::Path;
use std::process::ExitCode;

use common::bootstrap;
use common::environment::{EnvironmentMap, Overlay};
use common::error::{BoxError, chain};
use common::{ConfigErrors, Environment, ProcessEnvironment};

/// The environment a command runs with: the env file's values, then this process's own.
fn environment(
    env_file: Option<&Path>,
) -> Result<Overlay<EnvironmentMap, ProcessEnvironment>, BoxError> {
    let file = env_file
        .map(EnvironmentMap::from_file)
        .transpose()?
        .unwrap_or_default();
    Ok(Overlay(file, ProcessEnvironment))
}

/// A failed command's exit code, after saying why on standard error.
#[expect(
    clippy::print_stderr,
    reason = "a command talks to the person who ran it"
)]
fn fail(error: &BoxError) -> ExitCode {
    if let Some(errors) = error.downcast_ref::<ConfigErrors>() {
        return bootstrap::refuse(errors);
    }
    eprintln!("selfdb: {}", chain(&**error));
    ExitCode::FAILURE
}

/// Runs `work` on a runtime of its own and turns its outcome into an exit code.
fn block_on(work: impl Future<Output = Result<(), BoxError>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = runtime.map_err(BoxError::from).and_then(|runtime| {
        let outcome = runtime.block_on(work);
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Reads an env file and hands the environment to `work`.
fn with_environment(
    env_file: Option<&Path>,
    work: impl FnOnce(&dyn Environment) -> ExitCode,
) -> ExitCode {
    match environment(env_file) {
        Ok(environment) => work(&environment),
        Err(error) => {
            let code = fail(&error);
            if env_file.is_some() {
                ExitCode::from(bootstrap::EXIT_CONFIG)
            } else {
                code
            }
        }
    }
}
