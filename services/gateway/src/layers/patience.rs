//! How long a service is waited for.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::upload::Upload;

/// The service took too long.
#[derive(Debug)]
pub(crate) struct Elapsed;

/// Waits for `answer` for as long as `patience` after the last byte of the request's body: an
/// upload may take hours, as long as it moves.
pub(crate) async fn wait<T>(
    patience: Duration,
    upload: Option<&Upload>,
    answer: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut answer = pin!(answer);
    let mut deadline = Instant::now() + patience;
    loop {
        if let Ok(answer) = timeout_at(deadline, answer.as_mut()).await {
            return Ok(answer);
        }
        match upload.map(|upload| upload.last_progress() + patience) {
            Some(later) if later > deadline => deadline = later,
            Some(_) | None => return Err(Elapsed),
        }
    }
}
