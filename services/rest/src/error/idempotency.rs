//! What is wrong with an `Idempotency-Key`: `SDB1xx`.

use http::StatusCode;

/// Why a key did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdempotencyError {
    #[error("The Idempotency-Key cannot be used: {0}")]
    Invalid(&'static str),
    #[error("The Idempotency-Key was used for another request")]
    OtherRequest,
    #[error("A request with this Idempotency-Key is under way")]
    Busy,
    #[error(
        "The answer has more than {0} bytes, which is more than is kept for an Idempotency-Key"
    )]
    AnswerTooLarge(usize),
    #[error("Idempotency-Key is not available on this database")]
    Unavailable,
}

impl IdempotencyError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::OtherRequest | Self::AnswerTooLarge(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::NOT_IMPLEMENTED,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Invalid(_) => "SDB100",
            Self::OtherRequest => "SDB101",
            Self::Busy => "SDB102",
            Self::AnswerTooLarge(_) => "SDB103",
            Self::Unavailable => "SDB104",
        }
    }

    pub(crate) fn hint(self) -> Option<String> {
        let hint = match self {
            Self::Invalid(_) => return None,
            Self::OtherRequest => "Use a new key for each write, a random UUID for example.",
            Self::Busy => "Send it again: the answer of the other request will be there.",
            Self::AnswerTooLarge(_) => {
                "Nothing was written. Ask for less with `select`, or for `Prefer: return=minimal`."
            }
            Self::Unavailable => {
                "It needs the schema of the platform, made by `selfdb init`. Send the request without the header."
            }
        };
        Some(hint.to_owned())
    }
}
