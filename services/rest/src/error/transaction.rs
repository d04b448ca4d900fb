//! What is wrong with a transaction of several operations: `SDB3xx`.

use http::StatusCode;

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransactionError {
    #[error("The body is no list of operations: {0}")]
    Body(String),
    #[error("{count} operations are more than {most}")]
    TooMany { count: usize, most: usize },
    #[error("The operation cannot be done: {0}")]
    Operation(&'static str),
    #[error("No result of an earlier operation has the value '{0}'")]
    Reference(String),
    #[error("The results have more than {0} bytes")]
    ResultsTooLarge(usize),
    #[error("The transaction took longer than {0} s")]
    TooLong(u64),
}

impl TransactionError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Body(_) | Self::TooMany { .. } | Self::Operation(_) | Self::Reference(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::ResultsTooLarge(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLong(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Body(_) => "SDB300",
            Self::TooMany { .. } => "SDB301",
            Self::Operation(_) => "SDB302",
            Self::Reference(_) => "SDB303",
            Self::ResultsTooLarge(_) => "SDB304",
            Self::TooLong(_) => "SDB305",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Body(_) => {
                "Use [{\"method\": \"POST\", \"path\": \"/todos\", \"body\": {…}}, …]."
            }
            Self::Reference(_) => "Ask the earlier operation for `Prefer: return=representation`.",
            Self::TooMany { .. }
            | Self::Operation(_)
            | Self::ResultsTooLarge(_)
            | Self::TooLong(_) => return None,
        };
        Some(hint.to_owned())
    }
}
