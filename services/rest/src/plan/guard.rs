//! What has to hold of a result before it may last.

use super::Work;
use super::mutate::Mutation;
use super::negotiate::{Format, Negotiated};
use crate::error::ApiError;
use crate::request::ApiRequest;

/// A condition on the number of rows; a write whose result breaks it is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Nothing,
    /// Exactly one row.
    Singular,
    /// The one row that the URL names.
    UpsertKey,
    /// At most so many rows.
    AtMost(i64),
}

impl Guard {
    /// What `request` wants of the result of `work`.
    pub(super) fn of(
        request: &ApiRequest,
        work: &Work,
        negotiated: &Negotiated,
    ) -> Result<Self, ApiError> {
        if negotiated.explain.is_some() {
            return Ok(Self::Nothing);
        }
        let most = request.preferences.strict_max_affected();
        // One object is asked of a write also where nothing of it is shown.
        let singular = matches!(negotiated.format, Format::Object(_));
        match work {
            Work::Call { routine, .. } if !routine.returns.set => {
                return match most {
                    Some(_) => Err(ApiError::MaxAffectedCall),
                    None => Ok(Self::Nothing),
                };
            }
            Work::Mutate {
                mutation: Mutation::Insert(insert),
                ..
            } if !insert.key_conditions.is_empty() => return Ok(Self::UpsertKey),
            Work::Read { .. } | Work::Call { .. } | Work::Mutate { .. } => {}
        }
        if singular {
            return Ok(Self::Singular);
        }
        Ok(match (most, work) {
            (None, _)
            | (
                _,
                Work::Read { .. }
                | Work::Mutate {
                    mutation: Mutation::Insert(_),
                    ..
                },
            ) => Self::Nothing,
            (
                Some(most),
                Work::Call { .. }
                | Work::Mutate {
                    mutation: Mutation::Update(_) | Mutation::Delete(_),
                    ..
                },
            ) => Self::AtMost(most),
        })
    }

    /// Whether `rows` rows may stay.
    pub(crate) fn check(self, rows: i64) -> Result<(), ApiError> {
        match self {
            Self::Singular if rows != 1 => Err(ApiError::NotSingular { rows }),
            Self::UpsertKey if rows != 1 => Err(ApiError::UpsertKey),
            Self::AtMost(most) if rows > most => Err(ApiError::MaxAffected { rows }),
            Self::Nothing | Self::Singular | Self::UpsertKey | Self::AtMost(_) => Ok(()),
        }
    }
}
