//! `testkit-postgres start | stop`: the tests' shared Postgres, by hand. Tests start it by
//! themselves; `stop` also deletes it.

use std::process::ExitCode;

use testkit::SharedCluster;

const USAGE: u8 = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("start") => {
            SharedCluster::get().await;
            ExitCode::SUCCESS
        }
        Some("stop") => {
            SharedCluster::stop().await;
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(USAGE),
    }
}
