//! Answers whose time tells nothing.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than what is done before the answer takes.
const PACE: Duration = Duration::from_millis(100);

/// Answers no sooner than after [`PACE`], whatever was found and done, so that nobody learns from
/// the time whether there is an account.
pub(super) async fn at_one_pace<T>(work: impl Future<Output = T>) -> T {
    let end = Instant::now() + PACE;
    let done = work.await;
    tokio::time::sleep_until(end).await;
    done
}
