//! `selfdb init`: prepares a database by hand, or as the first container of docker-compose.

use std::process::ExitCode;

use common::environment::Overlay;
use common::error::BoxError;
use common::{Environment, Settings};

use crate::cli::EnvArgs;
use crate::config::{self, InitConfig};
use crate::database::Database;

/// Starts Postgres where it is ours and not running, prepares the database, and stops it again.
pub fn run(args: &EnvArgs) -> ExitCode {
    super::with_environment(args.env_file.as_deref(), |environment| {
        super::block_on(init(environment))
    })
}

async fn init(environment: &dyn Environment) -> Result<(), BoxError> {
    let derived = config::derived(environment);
    let environment = Overlay(derived, environment);
    let settings = Settings::new(&environment);
    let config = InitConfig::from_settings(&settings);
    let config = settings.finish(config)?;
    config.telemetry.install();
    let database = Database::open(config.database).await?;
    let outcome = database.prepare().await;
    database.close().await;
    outcome
}
