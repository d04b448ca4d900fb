//! Requests refused while Postgres is away: thousands a second of the same line would bury the log,
//! so they are counted, and told at most once a second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::BoxError;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{DatabaseError, Error};

/// The least time between two lines.
const PAUSE: Duration = Duration::from_secs(1);

static REFUSALS: Refusals = Refusals::new();

/// Tells what was refused, until `shutdown`.
pub(crate) async fn tell(shutdown: CancellationToken) -> Result<(), BoxError> {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = REFUSALS.noted.notified() => {}
        }
        if let Some(Refused { count, cause }) = REFUSALS.take() {
            tracing::warn!(count, error = %cause, "requests were refused: Postgres is away");
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Counts `error`, if Postgres being away is all that is wrong.
pub(super) fn noted(error: &Error) -> bool {
    let is_outage = match error.cause() {
        Error::NoSchemaCache | Error::Database(DatabaseError::Away(_) | DatabaseError::Lost(_)) => {
            true
        }
        // Postgres that starts, stops or has no connection left says so itself.
        Error::Database(refused @ DatabaseError::Refused(_)) => {
            refused.status() == http::StatusCode::SERVICE_UNAVAILABLE
        }
        Error::Database(
            DatabaseError::TooLarge(_) | DatabaseError::Busy | DatabaseError::Raised(_),
        )
        | Error::Api(_)
        | Error::Cache(_)
        | Error::Token(_)
        | Error::Idempotency(_)
        | Error::Keyset(_)
        | Error::Transaction(_)
        | Error::Operation { .. }
        | Error::BodyTooLarge(_)
        | Error::BodyLost
        | Error::NoRow(_)
        | Error::AdminOnly { .. }
        | Error::Shape(_)
        | Error::Spool(_) => false,
    };
    if is_outage {
        REFUSALS.add(|| common::error::chain(error));
    }
    is_outage
}

/// What was refused since it was last told.
struct Refusals {
    untold: Mutex<Option<Refused>>,
    noted: Notify,
}

#[derive(Debug, PartialEq, Eq)]
struct Refused {
    count: u64,
    /// Of the first of them.
    cause: String,
}

impl Refusals {
    const fn new() -> Self {
        Self {
            untold: Mutex::new(None),
            noted: Notify::const_new(),
        }
    }

    fn add(&self, cause: impl FnOnce() -> String) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refused) = &mut *untold {
            refused.count = refused.count.saturating_add(1);
        } else {
            let cause = cause();
            *untold = Some(Refused { count: 1, cause });
            self.noted.notify_one();
        }
    }

    fn take(&self) -> Option<Refused> {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refusals_are_counted_with_the_first_cause() {
        let refusals = Refusals::new();
        for cause in ["first", "second", "third"] {
            refusals.add(|| cause.to_owned());
        }
        refusals.noted.notified().await;
        let told = Refused {
            count: 3,
            cause: "first".to_owned(),
        };
        assert_eq!(refusals.take(), Some(told));
        assert_eq!(refusals.take(), None);
    }

    #[test]
    fn only_an_outage_is_counted() {
        let away = DatabaseError::Away("connection refused".into());
        assert!(noted(&Error::Database(away)));
        assert!(noted(&Error::NoSchemaCache));
        assert!(!noted(&Error::Database(DatabaseError::Busy)));
        assert!(!noted(&Error::Shape("no row")));
    }
}
