//! Why a batch gave no results, in the shapes a caller decides by.

use std::io;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorFields, ErrorResponseBody};

use crate::sqlstate::INSUFFICIENT_PRIVILEGE;

/// Why a batch gave no results.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Postgres is away, restarting or full: answer 503 with `Retry-After: 1`.
    #[error("the database is not available")]
    Unavailable {
        /// What became of the batch.
        outcome: Outcome,
        /// What happened to the connection.
        source: ConnectionError,
    },
    /// Every connection was taken for longer than the acquire time-out. Nothing was sent.
    #[error("no database connection became free in time")]
    Busy,
    /// The batch ran past its deadline and was cancelled.
    #[error("the batch ran past its deadline")]
    Deadline {
        /// Whether the cancellation was confirmed.
        outcome: Outcome,
    },
    /// Postgres refused a statement; the whole batch is rolled back.
    #[error(transparent)]
    Database(Box<DatabaseError>),
    /// The batch cannot be written in the protocol (a NUL in a statement, over 65,535
    /// parameters, over 2 GiB). Nothing was sent.
    #[error("the batch cannot be sent")]
    Invalid(#[source] io::Error),
}

/// What is known of a batch that gave no results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// None of its effects lasts.
    NotApplied,
    /// It may have been committed: the connection ended before Postgres said so.
    Unknown,
}

/// What ended a connection, or kept it from being made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The network or the socket failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The server refused or ended the session and said why.
    #[error("the server ended the session")]
    Ended(#[source] Box<DatabaseError>),
    /// The server sent something this client has no use for.
    #[error("unexpected message: {0}")]
    Protocol(&'static str),
    /// No encrypted connection that the endpoint's `sslmode` accepts.
    #[error("no encryption: {0}")]
    Tls(&'static str),
    /// The server asks for an authentication that cannot be given.
    #[error("authentication: {0}")]
    Authentication(&'static str),
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// An attempt failed moments ago; the next is not due yet.
    #[error("the last attempt to connect failed moments ago")]
    BackingOff,
}

impl PipelineError {
    /// What is known of the batch's effects.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Unavailable { outcome, .. } | Self::Deadline { outcome } => *outcome,
            Self::Busy | Self::Database(_) | Self::Invalid(_) => Outcome::NotApplied,
        }
    }
}

impl ConnectionError {
    /// Whether nothing says that what ran in the connection ended it: it just ended, or somebody
    /// ended the session or the server (SQLSTATE class 57P).
    pub(super) fn is_from_outside(&self) -> bool {
        match self {
            Self::Io(_) => true,
            Self::Ended(error) => error.code.starts_with("57P"),
            Self::Protocol(_)
            | Self::Tls(_)
            | Self::Authentication(_)
            | Self::TimedOut
            | Self::BackingOff => false,
        }
    }
}

/// An `ErrorResponse`
/// (<https://www.postgresql.org/docs/current/protocol-error-fields.html>).
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{severity} {code}: {message}")]
pub struct DatabaseError {
    /// `ERROR`, `FATAL` or `PANIC`, never translated.
    pub severity: String,
    /// The SQLSTATE.
    pub code: String,
    /// The primary message.
    pub message: String,
    /// More about the problem.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// Where in [`DatabaseError::internal_query`], in characters from 1.
    pub internal_position: Option<u32>,
    /// The statement that failed inside a function.
    pub internal_query: Option<String>,
    /// The call stack inside Postgres.
    pub context: Option<String>,
    /// The schema concerned.
    pub schema: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// The data type concerned.
    pub data_type: Option<String>,
    /// The constraint concerned.
    pub constraint: Option<String>,
    /// The function of Postgres' source that reported it.
    pub routine: Option<String>,
    /// Which statement of the batch failed, from 0; `None` for the context, the begin and the
    /// commit.
    pub statement: Option<usize>,
}

impl DatabaseError {
    pub(super) fn decode(body: &ErrorResponseBody) -> io::Result<Box<Self>> {
        let mut error = Box::<Self>::default();
        let mut fields: ErrorFields<'_> = body.fields();
        while let Some(field) = fields.next()? {
            let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'V' => error.severity = text,
                b'C' => error.code = text,
                b'M' => error.message = text,
                b'D' => error.detail = Some(text),
                b'H' => error.hint = Some(text),
                b'P' => error.position = text.parse().ok(),
                b'p' => error.internal_position = text.parse().ok(),
                b'q' => error.internal_query = Some(text),
                b'W' => error.context = Some(text),
                b's' => error.schema = Some(text),
                b't' => error.table = Some(text),
                b'c' => error.column = Some(text),
                b'd' => error.data_type = Some(text),
                b'n' => error.constraint = Some(text),
                b'R' => error.routine = Some(text),
                _ => {}
            }
        }
        Ok(error)
    }

    /// What Postgres answers where `role` may not be taken on.
    pub(super) fn role_refused(role: &str) -> Box<Self> {
        Box::new(Self {
            severity: "ERROR".to_owned(),
            code: INSUFFICIENT_PRIVILEGE.to_owned(),
            message: format!("permission denied to set role \"{role}\""),
            ..Self::default()
        })
    }

    /// Whether the session is over.
    pub(super) fn is_fatal(&self) -> bool {
        self.severity == "FATAL" || self.severity == "PANIC"
    }

    /// Whether a statement prepared earlier can no longer run: its result type changed with a
    /// table's, or something dropped it. The routine tells it from the same SQLSTATE raised by a
    /// function.
    pub fn is_stale_statement(&self) -> bool {
        let routine = self.routine.as_deref().unwrap_or_default();
        match self.code.as_str() {
            "0A000" => routine == "RevalidateCachedQuery",
            "26000" => routine == "FetchPreparedStatement",
            _ => false,
        }
    }
}
