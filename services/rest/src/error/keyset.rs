//! What is wrong with `after=`: `SDB2xx`, all 400.

/// Why a page cannot begin after a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeysetError {
    #[error("The cursor of `after` cannot be read")]
    Unreadable,
    #[error("The cursor of `after` is of another table or order")]
    Other,
    #[error("Only tables with a primary key can be paged with `after`")]
    NoKey,
    #[error("`after` cannot be combined with {0}")]
    Combined(&'static str),
    #[error("The values of the order are too long for a cursor")]
    TooLong,
    #[error("`after` is for reads of tables and views")]
    NoRead,
}

impl KeysetError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "SDB200",
            Self::Other => "SDB201",
            Self::NoKey => "SDB202",
            Self::Combined(_) => "SDB203",
            Self::TooLong => "SDB204",
            Self::NoRead => "SDB205",
        }
    }

    pub(crate) fn hint(self) -> Option<String> {
        let hint = match self {
            Self::Unreadable | Self::Other => {
                "Begin with an empty `after=` and go on with the answer's X-Next-Cursor."
            }
            Self::TooLong => "Order by shorter columns.",
            Self::NoKey | Self::Combined(_) | Self::NoRead => return None,
        };
        Some(hint.to_owned())
    }
}
