//! `selfdb functions logs`.

use std::time::Duration;

use common::error::BoxError;

use super::client::Client;
use super::{say, shown};
use crate::cli::LogsArgs;

/// How often new lines are asked for.
const LOOK: Duration = Duration::from_millis(500);

/// Prints the last lines, and those that come where they are followed.
pub(super) async fn run(client: &Client, args: &LogsArgs) -> Result<(), BoxError> {
    let name = &args.name;
    let mut path = format!("/{name}/logs?limit={}", args.limit);
    let mut last = 0;
    loop {
        let lines = client.get(&path).await?;
        let is_empty = lines.as_array().is_none_or(Vec::is_empty);
        if last == 0 && is_empty {
            // What a deleted function has said stays; one that has said nothing should be there.
            client.get(&format!("/{name}")).await?;
        }
        for line in lines.as_array().into_iter().flatten() {
            last = line["id"].as_i64().unwrap_or(last);
            let text = |field: &str| shown(&line[field]);
            let (at, level, message) = (text("logged_at"), text("level"), text("message"));
            say(&format!("{at} {level:5} {message}"));
        }
        if !args.follow {
            return Ok(());
        }
        path = format!("/{name}/logs?limit=1000&after={last}");
        tokio::time::sleep(LOOK).await;
    }
}
