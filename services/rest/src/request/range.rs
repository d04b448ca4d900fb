//! Which rows are asked for: `limit` and `offset`, and the `Range` header.

use crate::error::{ApiError, RangeError};

/// A window over the rows: those from `offset` on, at most `limit` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowRange {
    pub offset: i64,
    /// `None` for no bound; negative where the request asked for that.
    pub limit: Option<i64>,
}

impl RowRange {
    /// Every row.
    pub(crate) const ALL: Self = Self {
        offset: 0,
        limit: None,
    };

    pub(crate) fn is_all(self) -> bool {
        self == Self::ALL
    }

    /// `limit=…`; what is no number bounds nothing.
    pub(crate) fn of_limit(text: &str) -> Self {
        Self {
            offset: 0,
            limit: text.parse().ok(),
        }
    }

    /// `offset=…`; what is no number skips nothing.
    pub(crate) fn of_offset(text: &str) -> Self {
        Self {
            offset: text.parse().unwrap_or(0).max(0),
            limit: None,
        }
    }

    /// A `limit` and an `offset` given apart.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self {
            offset: self.offset.max(other.offset),
            limit: other.limit.or(self.limit),
        }
    }

    /// The rows in both windows.
    pub(crate) fn intersection(self, other: Self) -> Self {
        let offset = self.offset.max(other.offset);
        let end = match (self.end(), other.end()) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self {
            offset,
            limit: end.map(|end| end.saturating_sub(offset).max(0)),
        }
    }

    /// This window with no more than `most` rows.
    pub(crate) fn at_most(self, most: Option<i64>) -> Self {
        let limit = match (self.limit, most) {
            (Some(limit), Some(most)) => Some(limit.min(most)),
            (limit, most) => limit.or(most),
        };
        Self { limit, ..self }
    }

    fn end(self) -> Option<i64> {
        self.limit.map(|limit| self.offset.saturating_add(limit))
    }
}

/// `Range: 0-9` or `Range: 10-`; anything else is ignored as HTTP asks.
pub(crate) fn of_header(text: Option<&str>) -> Result<RowRange, ApiError> {
    let Some((first, last)) = text.and_then(|text| text.trim().split_once('-')) else {
        return Ok(RowRange::ALL);
    };
    let Ok(first) = first.parse::<u32>().map(i64::from) else {
        return Ok(RowRange::ALL);
    };
    let limit = match last {
        "" => None,
        last => match last.parse::<u32>().map(i64::from) {
            Ok(last) if last < first => {
                return Err(ApiError::Range(RangeError::LowerAboveUpper));
            }
            Ok(last) => Some(last - first + 1),
            Err(_) => return Ok(RowRange::ALL),
        },
    };
    Ok(RowRange {
        offset: first,
        limit,
    })
}

/// The window of the root resource: the query's, within the header's.
pub(crate) fn top_level(header: RowRange, query: RowRange) -> Result<RowRange, ApiError> {
    match query.limit {
        Some(limit) if limit < 0 => Err(ApiError::Range(RangeError::NegativeLimit)),
        Some(0) => Ok(query),
        Some(_) | None => match header.intersection(query) {
            RowRange { limit: Some(0), .. } => Err(ApiError::Range(RangeError::NegativeLimit)),
            both => Ok(both),
        },
    }
}
