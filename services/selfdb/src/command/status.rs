//! `selfdb status`: asks the gateway whether everything answers.

use std::process::ExitCode;
use std::time::Duration;

use common::Settings;
use common::error::BoxError;
use tokio::time::{Instant, sleep, timeout};

use crate::cli::StatusArgs;
use crate::{config, probe};

const PAUSE: Duration = Duration::from_millis(100);
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Prints the gateway's `/ready` and answers whether it is; waits for it as long as asked to.
pub fn run(args: &StatusArgs) -> ExitCode {
    super::with_environment(args.env.env_file.as_deref(), |environment| {
        let url = args
            .url
            .clone()
            .unwrap_or_else(|| config::ready_url(&Settings::new(environment)));
        super::block_on(status(&url, Duration::from_secs(args.wait)))
    })
}

#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "the answer of the command"
)]
async fn status(url: &str, patience: Duration) -> Result<(), BoxError> {
    let deadline = Instant::now() + patience;
    loop {
        let answer = timeout(ANSWER_TIME, probe::get(url)).await;
        let error: BoxError = match answer {
            Ok(Ok((status, body))) if status.is_success() => {
                println!("{body}");
                return Ok(());
            }
            Ok(Ok((status, body))) => format!("{url} answers {status}: {body}").into(),
            Ok(Err(error)) => format!("{url} does not answer: {error}").into(),
            Err(_) => format!("{url} does not answer within {ANSWER_TIME:?}").into(),
        };
        if Instant::now() >= deadline {
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}
