//! What one request costs in the database client.

mod drive;
mod ground;
mod pgbench;
mod report;
mod workload;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use drive::Client;
use ground::Ground;
use pgbench::Pace;
use report::Report;
use workload::Workload;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each line of the table is measured.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many connections, and how many requests at once.
    #[arg(long, default_value_t = NonZeroUsize::MIN.saturating_add(7))]
    connections: NonZeroUsize,
    /// Only the workloads whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
}

pub(crate) async fn run(arguments: &Arguments) {
    let ground = Arc::new(Ground::lay(arguments.connections).await);
    let time = Duration::from_secs(arguments.seconds);
    let mut report = Report::begin(arguments.connections, arguments.seconds);
    let chosen = |workload: &&Workload| workload.name.contains(&arguments.only);
    for workload in workload::ALL.iter().filter(chosen) {
        report.workload(workload.name);
        let pgbench = async |pace| pgbench::measure(&ground, workload, arguments, pace).await;
        report.line(&pgbench(Pace::Full).await);
        for client in drive::CLIENTS {
            let line = drive::measure(&ground, workload, client, time).await;
            report.line(&line);
            if matches!(client, Client::Run) {
                report.line(&pgbench(Pace::Rate(line.per_second)).await);
            }
        }
    }
}
