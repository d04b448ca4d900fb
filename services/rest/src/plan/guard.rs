//! What has to hold of a result before it may last.

use super::Work;
use super::mutate::Mutation;
use super::negotiate::{Format, Negotiated};
use crate::error::ApiError;
use crate::request::ApiRequest;
use crate::request::preferences::Representation;

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
        let shown = match work {
            Work::Read { .. } => true,
            Work::Call { routine, .. } => {
                match most {
                    Some(_) if !routine.returns.set => return Err(ApiError::MaxAffectedCall),
                    Some(most) => return Ok(Self::AtMost(most)),
                    None => {}
                }
                routine.returns.set
            }
            Work::Mutate {
                mutation,
                representation,
                ..
            } => {
                match (mutation, most) {
                    (Mutation::Insert(insert), _) if !insert.key_conditions.is_empty() => {
                        return Ok(Self::UpsertKey);
                    }
                    (Mutation::Update(_) | Mutation::Delete(_), Some(most)) => {
                        return Ok(Self::AtMost(most));
                    }
                    (Mutation::Insert(_) | Mutation::Update(_) | Mutation::Delete(_), _) => {}
                }
                *representation == Representation::Full
            }
        };
        if shown && matches!(negotiated.format, Format::Object(_)) {
            Ok(Self::Singular)
        } else {
            Ok(Self::Nothing)
        }
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
