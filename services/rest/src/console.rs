//! Statements of an administrator, as they were typed. The one place where text of a client is SQL:
//! on a connection of its own, which is closed after them, as `service_role` and in one
//! transaction.

mod results;

use std::time::Duration;

use pg::sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition};
use pg::sqlx::{self, Connection as _, raw_sql};
use tokio::time::timeout;

pub(crate) use results::StatementResult;

use crate::error::{DatabaseError, Refusal};

/// For each statement; Postgres ends it then.
const STATEMENT_TIMEOUT: &str = "30s";
/// For all of them.
const DEADLINE: Duration = Duration::from_mins(1);

/// What is to be run.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    /// Statements, parted by semicolons.
    pub text: &'a str,
    pub role: &'a str,
    /// `request.jwt.claims`.
    pub claims: &'a str,
    pub writes: Writes,
    /// The most bytes of values that are kept.
    pub max_bytes: usize,
}

/// Whether a script may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    Allowed,
    Refused,
}

/// What a script did.
#[derive(Debug)]
pub(crate) struct Done {
    pub results: Vec<StatementResult>,
    /// Whether nothing was written.
    pub is_read_only: bool,
}

impl Done {
    /// By all statements together.
    pub(crate) fn rows_affected(&self) -> u64 {
        let rows = self.results.iter().map(|result| result.rows_affected);
        rows.sum()
    }
}

/// Why a script did not run to its end. Nothing of it lasts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScriptError {
    #[error("a statement was refused")]
    Refused {
        refusal: Box<Refusal>,
        /// The character of the text at which, from 1.
        position: Option<usize>,
    },
    #[error("the statements took longer than {} s", DEADLINE.as_secs())]
    TooLong,
    #[error("the statements cannot be run here")]
    Unsupported(#[source] sqlx::Error),
    #[error(transparent)]
    Away(#[from] DatabaseError),
}

impl ScriptError {
    /// What its author is told.
    pub(crate) fn public_message(&self) -> String {
        match self {
            Self::Refused { refusal, .. } => refusal.message.clone(),
            Self::Away(_) => "Postgres is away".to_owned(),
            Self::TooLong | Self::Unsupported(_) => self.to_string(),
        }
    }
}

/// Runs `script` on a new connection of `options`.
pub(crate) async fn run(
    options: &PgConnectOptions,
    script: &Script<'_>,
) -> Result<Done, ScriptError> {
    let ran = timeout(DEADLINE, run_on_connection(options, script)).await;
    ran.unwrap_or(Err(ScriptError::TooLong))
}

async fn run_on_connection(
    options: &PgConnectOptions,
    script: &Script<'_>,
) -> Result<Done, ScriptError> {
    let connecting = PgConnection::connect_with(options).await;
    let mut connection = connecting.map_err(|error| DatabaseError::Away(Box::new(error)))?;
    let begin = match script.writes {
        Writes::Allowed => "begin",
        Writes::Refused => "begin read only",
    };
    raw_sql(begin).execute(&mut connection).await?;
    let settings = "select set_config('role', $1, true), \
                           set_config('request.jwt.claims', $2, true), \
                           set_config('statement_timeout', $3, true)";
    let settings = sqlx::query(settings)
        .bind(script.role)
        .bind(script.claims)
        .bind(STATEMENT_TIMEOUT);
    settings.execute(&mut connection).await?;
    let results = results::collect(&mut connection, script).await?;
    let wrote = "select pg_current_xact_id_if_assigned() is not null";
    let wrote: bool = sqlx::query_scalar(wrote).fetch_one(&mut connection).await?;
    raw_sql("commit").execute(&mut connection).await?;
    // It has said all; how the connection ends changes nothing.
    let _ = connection.close().await;
    Ok(Done {
        results,
        is_read_only: !wrote,
    })
}

impl From<sqlx::Error> for ScriptError {
    fn from(error: sqlx::Error) -> Self {
        if pg::is_unavailable(&error) {
            return Self::Away(DatabaseError::Lost(Box::new(error)));
        }
        let refused = error.as_database_error();
        let refused = refused.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let Some(refused) = refused else {
            return Self::Unsupported(error);
        };
        let position = match refused.position() {
            Some(PgErrorPosition::Original(position)) => Some(position),
            Some(PgErrorPosition::Internal { .. }) | None => None,
        };
        Self::Refused {
            refusal: Box::new(Refusal {
                code: refused.code().to_owned(),
                message: refused.message().to_owned(),
                details: refused.detail().map(str::to_owned),
                hint: refused.hint().map(str::to_owned),
                authenticated: true,
            }),
            position,
        }
    }
}
