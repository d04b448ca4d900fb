//! Building the service.

use std::sync::Arc;

use common::{
    BoxError, Check, Clock, Randomness, Service, ServiceConfig, Settings, SystemClock,
    SystemRandomness, Task,
};
use pg::sqlx::{self, PgPool};
use pg::{Migrations, PoolOptions};

use crate::actions::sweep;
use crate::app::App;
use crate::config::Config;
use crate::routes;

/// The service's name in logs, metrics and Postgres' list of connections.
const NAME: &str = "auth";

/// Schema `auth`.
pub const MIGRATIONS: Migrations = pg::migrations!(
    "auth": "0001_users", "0002_sessions", "0003_audit_log", "0004_access", "0005_messages", "0006_factors", "0007_external",
    "0008_session_events", "0009_passkeys"
);

impl ServiceConfig for Config {
    const NAME: &'static str = NAME;
    const PORT: u16 = 9999;

    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        Self::read(settings)
    }

    async fn build(self) -> Result<Service, BoxError> {
        let randomness = Arc::new(SystemRandomness);
        build_with(&self, Arc::new(SystemClock), randomness).await
    }
}

/// Builds the service with a clock and a randomness of the caller's choice.
pub async fn build_with(
    config: &Config,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
) -> Result<Service, BoxError> {
    if !config.rules.email.autoconfirm.is_on() && config.mail.smtp.is_none() {
        tracing::warn!(
            "new accounts wait for their e-mail address to be confirmed by an administrator: \
             no mail is sent without GOTRUE_SMTP_HOST"
        );
    }
    let pool = connect(config).await?;
    let app = Arc::new(App::new(config, pool.clone(), clock, randomness)?);
    let sweeper = Arc::clone(&app);
    let sweep = Task::new("sweep", move |shutdown| {
        let app = Arc::clone(&sweeper);
        async move { sweep::run(&app, shutdown).await }
    });
    let letters = app.letters.clone();
    let letters = Task::new("letters", move |shutdown| {
        let letters = letters.clone();
        async move {
            shutdown.cancelled().await;
            letters.close();
            letters.wait().await;
            Ok(())
        }
    });
    Ok(Service {
        name: NAME,
        router: routes::router(app),
        tasks: vec![sweep, letters],
        checks: vec![Check::new("postgres", move || ping(pool.clone()))],
    })
}

/// A pool of connections to a schema that is up to date.
pub(crate) async fn connect(config: &Config) -> Result<PgPool, BoxError> {
    let options = PoolOptions::new("selfdb-auth", config.max_connections);
    let pool = pg::pool(&config.endpoint, &options);
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

async fn ping(pool: PgPool) -> Result<(), String> {
    match sqlx::query("select 1").execute(&pool).await {
        Ok(_) => Ok(()),
        Err(_) => Err("unreachable".to_owned()),
    }
}
