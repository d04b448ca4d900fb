//! The platform's own objects in a database: roles, schemas, identity functions, privileges, the
//! catalogue, event triggers. Run by a superuser at every start; running it again changes nothing
//! but what had drifted.

use common::{Secret, Settings};
use postgres_protocol::password::scram_sha_256;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection};

use crate::migrations::{MigrationError, Migrations};
use crate::roles::{FUNCTION_CLIENT, FUNCTIONS_ADMIN, LOGINS};
use crate::{Endpoint, PoolOptions, migrations, pool};

/// The platform's catalogue, schema `selfdb`.
pub const MIGRATIONS: Migrations =
    migrations!("selfdb": "0001_catalogue", "0002_idempotent_answers", "0003_sql_console");

/// A script, and what to call it when it fails.
type Script = (&'static str, &'static str);

const FOUNDATION: [Script; 4] = [
    ("roles", include_str!("../sql/bootstrap/roles.sql")),
    ("schemas", include_str!("../sql/bootstrap/schemas.sql")),
    ("hardening", include_str!("../sql/bootstrap/hardening.sql")),
    ("identity", include_str!("../sql/bootstrap/identity.sql")),
];

const CATALOGUE: [Script; 8] = [
    ("events", include_str!("../sql/bootstrap/events.sql")),
    (
        "withholding",
        include_str!("../sql/bootstrap/withholding.sql"),
    ),
    (
        "public tables",
        include_str!("../sql/bootstrap/public_tables.sql"),
    ),
    (
        "table administration",
        include_str!("../sql/bootstrap/table_administration.sql"),
    ),
    (
        "idempotency",
        include_str!("../sql/bootstrap/idempotency.sql"),
    ),
    (
        "SQL console",
        include_str!("../sql/bootstrap/sql_console.sql"),
    ),
    (
        "change capture",
        include_str!("../sql/bootstrap/change_capture.sql"),
    ),
    (
        "event triggers",
        include_str!("../sql/bootstrap/event_triggers.sql"),
    ),
];

const INITIALIZE: &str = include_str!("../sql/bootstrap/initialize.sql");

/// Roles belong to the whole cluster and an advisory lock only to one database: this keeps
/// bootstraps of two databases from updating one role at once. That much exists already is no news.
const BEGIN: &str = "
    set local client_min_messages = warning;
    lock table pg_catalog.pg_authid in share row exclusive mode";

/// The passwords of the roles that log in.
#[derive(Debug, Clone)]
pub struct RolePasswords(Vec<(&'static str, Secret)>);

impl RolePasswords {
    /// The passwords services will log in with: see [`Endpoint::from_settings`] for the names.
    pub fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let endpoints = LOGINS.map(|login| {
            Endpoint::from_settings(settings, login.prefix, login.role).map(|at| (login, at))
        });
        let mut passwords = Vec::with_capacity(LOGINS.len() + 1);
        for endpoint in endpoints {
            let (login, endpoint) = endpoint?;
            if login.role == FUNCTIONS_ADMIN {
                let client = endpoint.derived(FUNCTION_CLIENT);
                passwords.extend(client.password.map(|password| (FUNCTION_CLIENT, password)));
            }
            passwords.extend(endpoint.password.map(|password| (login.role, password)));
        }
        Some(Self(passwords))
    }
}

/// What a bootstrap found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrapped {
    /// A database that was never a platform's: `SYSTEM_INITIALIZED` was emitted.
    FirstTime,
    /// A platform's database, brought up to date.
    Again,
}

/// Why a database could not be made a platform's.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// Event triggers and roles need more than the given role has.
    #[error("{user} is no superuser: give DATABASE_URL a role that is")]
    NotSuperuser {
        /// The role.
        user: String,
    },
    /// A script failed; nothing of it was kept.
    #[error("bootstrapping the database failed at: {step}")]
    Step {
        /// The script.
        step: &'static str,
        /// What Postgres said.
        source: sqlx::Error,
    },
    /// The catalogue's own migrations failed.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

fn at(step: &'static str) -> impl Fn(sqlx::Error) -> BootstrapError {
    move |source| BootstrapError::Step { step, source }
}

/// A digest of everything [`run`] does: a database made with another one is not this program's.
pub fn fingerprint() -> Vec<u8> {
    let mut digest = Sha256::new();
    for (_, script) in FOUNDATION.iter().chain(&CATALOGUE) {
        digest.update(script);
    }
    for migration in MIGRATIONS.list {
        digest.update(migration.sql);
    }
    digest.update(INITIALIZE);
    digest.finalize().to_vec()
}

/// Makes `admin`'s database the platform's, or brings it up to date, and gives the login roles
/// their passwords.
pub async fn run(
    admin: &Endpoint,
    passwords: &RolePasswords,
) -> Result<Bootstrapped, BootstrapError> {
    let pool = pool(admin, &PoolOptions::new("selfdb-bootstrap", 1));
    let mut connection = pool.acquire().await.map_err(at("connecting"))?;
    require_superuser(&mut connection, admin).await?;
    lay_foundation(&mut connection, passwords).await?;
    drop(connection);
    MIGRATIONS.run(&pool).await?;
    let mut connection = pool.acquire().await.map_err(at("connecting"))?;
    let outcome = furnish(&mut connection).await?;
    drop(connection);
    pool.close().await;
    Ok(outcome)
}

async fn require_superuser(
    connection: &mut PgConnection,
    admin: &Endpoint,
) -> Result<(), BootstrapError> {
    let superuser: bool =
        sqlx::query_scalar("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
            .fetch_one(connection)
            .await
            .map_err(at("connecting"))?;
    if superuser {
        return Ok(());
    }
    Err(BootstrapError::NotSuperuser {
        user: admin.user.clone(),
    })
}

async fn lay_foundation(
    connection: &mut PgConnection,
    passwords: &RolePasswords,
) -> Result<(), BootstrapError> {
    let mut transaction = connection.begin().await.map_err(at("connecting"))?;
    sqlx::raw_sql(BEGIN)
        .execute(&mut *transaction)
        .await
        .map_err(at("roles"))?;
    run_scripts(&mut transaction, &FOUNDATION).await?;
    for (role, password) in &passwords.0 {
        set_password(&mut transaction, role, password)
            .await
            .map_err(at("passwords"))?;
    }
    transaction.commit().await.map_err(at("roles"))
}

/// Only the SCRAM verifier leaves this process, so no log of the server's holds a password.
async fn set_password(
    connection: &mut PgConnection,
    role: &str,
    password: &Secret,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select set_config('selfdb.role', $1, true), set_config('selfdb.verifier', $2, true)",
    )
    .bind(role)
    .bind(scram_sha_256(password.expose().as_bytes()))
    .execute(&mut *connection)
    .await?;
    sqlx::raw_sql(include_str!("../sql/bootstrap/password.sql"))
        .execute(connection)
        .await?;
    Ok(())
}

async fn furnish(connection: &mut PgConnection) -> Result<Bootstrapped, BootstrapError> {
    let mut transaction = connection.begin().await.map_err(at("connecting"))?;
    sqlx::raw_sql(BEGIN)
        .execute(&mut *transaction)
        .await
        .map_err(at("catalogue"))?;
    run_scripts(&mut transaction, &CATALOGUE).await?;
    let event = sqlx::query(INITIALIZE)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(at("first event"))?;
    transaction.commit().await.map_err(at("catalogue"))?;
    Ok(if event.is_some() {
        Bootstrapped::FirstTime
    } else {
        Bootstrapped::Again
    })
}

async fn run_scripts(
    connection: &mut PgConnection,
    scripts: &[Script],
) -> Result<(), BootstrapError> {
    for (step, script) in scripts {
        sqlx::raw_sql(*script)
            .execute(&mut *connection)
            .await
            .map_err(at(step))?;
    }
    Ok(())
}
