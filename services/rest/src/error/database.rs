//! What Postgres refuses, and Postgres being away.

use std::collections::BTreeMap;

use http::StatusCode;
use pg::pipeline::{Outcome, PipelineError};
use serde::Deserialize;

use super::api::ApiError;

/// A statement that failed, or had no connection to run on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// No connection could be made.
    #[error("no connection to Postgres")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke while the statement ran: whether it was committed is not known.
    #[error("the connection to Postgres was lost")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing could be sent: more parameters or bytes than the protocol carries.
    #[error("the request is too large for Postgres")]
    TooLarge(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Every connection is busy.
    #[error("no connection to Postgres became free in time")]
    Busy,
    /// Postgres said no.
    #[error("{} ({})", .0.message, .0.code)]
    Refused(Box<Refusal>),
    /// A function raised the whole answer with SQLSTATE `PGRST`.
    #[error("raised {}", .0.body.code)]
    Raised(Box<Raised>),
}

/// An error of Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The SQLSTATE.
    pub code: String,
    pub message: String,
    pub details: Option<String>,
    pub hint: Option<String>,
    /// Whether the request came with more than the anonymous role.
    pub authenticated: bool,
}

/// An answer that SQL chose: `raise sqlstate 'PGRST' using message = …, detail = …`.
#[derive(Debug, Clone)]
pub(crate) struct Raised {
    body: RaisedBody,
    answer: RaisedAnswer,
}

#[derive(Debug, Clone, Deserialize)]
struct RaisedBody {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct RaisedAnswer {
    status: u16,
    status_text: Option<String>,
    headers: BTreeMap<String, String>,
}

impl Refusal {
    /// This error as the client is told it.
    pub(crate) fn explained(self) -> super::Error {
        if self.code != "PGRST" {
            return DatabaseError::Refused(Box::new(self)).into();
        }
        match self.raised() {
            Ok(raised) => DatabaseError::Raised(Box::new(raised)).into(),
            Err(error) => error.into(),
        }
    }

    fn raised(&self) -> Result<Raised, ApiError> {
        const ANSWER_HINT: &str = "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";
        let body = serde_json::from_str(&self.message).map_err(|_| ApiError::Raise {
            details: format!("Invalid JSON value for MESSAGE: '{}'", self.message),
            hint: "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.",
        })?;
        let Some(details) = &self.details else {
            return Err(ApiError::Raise {
                details: "DETAIL is missing in the RAISE statement".to_owned(),
                hint: ANSWER_HINT,
            });
        };
        let answer = serde_json::from_str(details).map_err(|_| ApiError::Raise {
            details: format!("Invalid JSON value for DETAIL: '{details}'"),
            hint: ANSWER_HINT,
        })?;
        Ok(Raised { body, answer })
    }
}

/// The SQLSTATE and words of Postgres for a statement that ran too long: the deadline on this
/// side means the same.
const CANCELLED: (&str, &str) = ("57014", "canceling statement due to statement timeout");

impl DatabaseError {
    /// What was ended on this side, since it took too long.
    pub(crate) fn too_slow(authenticated: bool) -> super::Error {
        let refusal = Refusal {
            code: CANCELLED.0.to_owned(),
            message: CANCELLED.1.to_owned(),
            details: None,
            hint: None,
            authenticated,
        };
        refusal.explained()
    }

    /// What a batch ran into, of a request that is more than anonymous or not.
    pub(crate) fn of_pipeline(error: PipelineError, authenticated: bool) -> super::Error {
        let refusal = match error {
            PipelineError::Database(error) => Refusal {
                code: error.code,
                message: error.message,
                details: error.detail,
                hint: error.hint,
                authenticated,
            },
            PipelineError::Deadline { .. } => return Self::too_slow(authenticated),
            PipelineError::Busy => return Self::Busy.into(),
            PipelineError::Unavailable {
                outcome: Outcome::Unknown,
                source,
            } => return Self::Lost(Box::new(source)).into(),
            PipelineError::Unavailable {
                outcome: Outcome::NotApplied,
                source,
            } => return Self::Away(Box::new(source)).into(),
            PipelineError::Invalid(error) => return Self::TooLarge(Box::new(error)).into(),
        };
        refusal.explained()
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Away(_) | Self::Lost(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::GATEWAY_TIMEOUT,
            Self::Refused(refusal) => {
                let Refusal {
                    code,
                    message,
                    authenticated,
                    ..
                } = &**refusal;
                let status = pg::sqlstate::http_status_for(code, message, *authenticated);
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Raised(raised) => StatusCode::from_u16(raised.answer.status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Away(_) => "PGRST000",
            Self::Lost(_) => "PGRST001",
            Self::TooLarge(_) => "PGRST102",
            Self::Busy => "PGRST003",
            Self::Refused(refusal) => &refusal.code,
            Self::Raised(raised) => &raised.body.code,
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Away(_) => "Database connection error. Retrying the connection.".to_owned(),
            Self::Lost(_) => "Database client error. Retrying the connection.".to_owned(),
            Self::TooLarge(_) => "The request is too large for the database.".to_owned(),
            Self::Busy => "Timed out acquiring connection from connection pool.".to_owned(),
            Self::Refused(refusal) => refusal.message.clone(),
            Self::Raised(raised) => raised.body.message.clone(),
        }
    }

    pub(crate) fn details(&self) -> Option<String> {
        match self {
            Self::Away(_) | Self::Lost(_) | Self::TooLarge(_) | Self::Busy => None,
            Self::Refused(refusal) => refusal.details.clone(),
            Self::Raised(raised) => raised.body.details.clone(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Away(_) | Self::Lost(_) | Self::TooLarge(_) | Self::Busy => None,
            Self::Refused(refusal) => refusal.hint.clone(),
            Self::Raised(raised) => raised.body.hint.clone(),
        }
    }

    /// What a raised answer calls its status.
    pub(crate) fn status_text(&self) -> Option<&str> {
        match self {
            Self::Raised(raised) => raised.answer.status_text.as_deref(),
            Self::Away(_) | Self::Lost(_) | Self::TooLarge(_) | Self::Busy | Self::Refused(_) => {
                None
            }
        }
    }

    /// The headers a raised answer carries.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let raised = match self {
            Self::Raised(raised) => Some(&raised.answer.headers),
            Self::Away(_) | Self::Lost(_) | Self::TooLarge(_) | Self::Busy | Self::Refused(_) => {
                None
            }
        };
        let headers = raised.into_iter().flatten();
        headers.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
