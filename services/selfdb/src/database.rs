//! The database of the platform: opened (started, where it is ours), prepared, and closed last.

use common::error::BoxError;
use pg::bootstrap::{self, BootstrapError, Bootstrapped};
use pg::local::{LocalError, LocalPostgres};
use pg::{PoolOptions, sqlstate};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::DatabaseConfig;

/// SQLSTATE `invalid_password`.
const INVALID_PASSWORD: &str = "28P01";

/// A database that accepts connections.
#[derive(Debug)]
pub struct Database {
    config: DatabaseConfig,
    server: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Database {
    /// Starts the local Postgres, which is then started again whenever it ends, or takes the
    /// operator's as it is.
    pub async fn open(config: DatabaseConfig) -> Result<Self, BoxError> {
        let prepared = match &config.local {
            Some(local) => Some(LocalPostgres::prepare(local).await?),
            None => None,
        };
        Self::start(config, prepared).await
    }

    /// As [`Database::open`]; where an instance runs the local Postgres already, takes that.
    pub async fn open_or_join(config: DatabaseConfig) -> Result<Self, BoxError> {
        let prepared = match &config.local {
            Some(local) => match LocalPostgres::prepare(local).await {
                Err(LocalError::InUse { .. }) => None,
                prepared => Some(prepared?),
            },
            None => None,
        };
        Self::start(config, prepared).await
    }

    async fn start(
        config: DatabaseConfig,
        prepared: Option<LocalPostgres>,
    ) -> Result<Self, BoxError> {
        let Some(prepared) = prepared else {
            return Ok(Self {
                config,
                server: None,
            });
        };
        let running = prepared.start().await?;
        let shutdown = CancellationToken::new();
        let supervision = tokio::spawn(running.supervise(shutdown.clone()));
        Ok(Self {
            config,
            server: Some((shutdown, supervision)),
        })
    }

    /// Brings roles, schemas and every service's tables up to date, and makes the first admin
    /// where there is none.
    pub async fn prepare(&self) -> Result<(), BoxError> {
        let config = &self.config;
        let outcome = bootstrap::run(&config.admin, &config.passwords).await;
        let outcome = outcome.map_err(|error| self.explain(error))?;
        for (owner, migrations) in &config.schemas {
            let pool = pg::pool(owner, &PoolOptions::new("selfdb-migrate", 1));
            migrations.run(&pool).await?;
            pool.close().await;
        }
        let admin = &config.first_admin;
        auth::ensure_admin(&config.auth, &admin.email, &admin.password).await?;
        let first_time = outcome == Bootstrapped::FirstTime;
        tracing::info!(first_time, "the database is prepared");
        Ok(())
    }

    /// Stops the local Postgres after all that connects to it was stopped.
    pub async fn close(self) {
        if let Some((shutdown, supervision)) = self.server {
            shutdown.cancel();
            if let Err(error) = supervision.await {
                tracing::error!(%error, "Postgres was not stopped in order");
            }
        }
    }

    /// Says what to do about the one error that an operator meets: an env file of other data.
    fn explain(&self, error: BootstrapError) -> BoxError {
        let refused = matches!(&error, BootstrapError::Step { source, .. }
            if sqlstate::of(source).is_some_and(|code| code == INVALID_PASSWORD));
        match &self.config.local {
            Some(local) if refused => format!(
                "POSTGRES_PASSWORD is not the one that the data in {} was made with: bring back \
                 the env file it belongs to, or choose another DATA_DIR",
                local.data_dir.display()
            )
            .into(),
            Some(_) | None => error.into(),
        }
    }
}
