//! The table.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What was measured of one client.
pub(super) struct Line {
    pub(super) client: &'static str,
    pub(super) requests: f64,
    pub(super) per_second: f64,
    pub(super) client_cpu: Duration,
    pub(super) postgres_cpu: Duration,
}

/// Prints lines as they are measured.
pub(super) struct Report {
    /// CPU and rate of the workload's first line, which the others are compared with.
    first: Option<(f64, f64)>,
}

impl Report {
    pub(super) fn begin(connections: NonZeroUsize, seconds: u64) -> Self {
        print(&format!(
            "{connections} connections, {seconds} s a line; CPU in µs per request\n\n\
             {:<20} {:>10} {:>8} {:>10} {:>8} {:>12} {:>12}",
            "", "requests/s", "client", "Postgres", "sum", "CPU/pgbench", "rate/pgbench"
        ));
        Self { first: None }
    }

    pub(super) fn workload(&mut self, name: &str) {
        self.first = None;
        print(&format!("\n{name}"));
    }

    pub(super) fn line(&mut self, line: &Line) {
        let per_request = |cpu: Duration| cpu.as_secs_f64() * 1e6 / line.requests;
        let (client, postgres) = (per_request(line.client_cpu), per_request(line.postgres_cpu));
        let (sum, rate) = (client + postgres, line.per_second);
        let (first_sum, first_rate) = *self.first.get_or_insert((sum, rate));
        print(&format!(
            "  {:<18} {rate:>10.0} {client:>8.1} {postgres:>10.1} {sum:>8.1} {:>12.2} {:>12.2}",
            line.client,
            sum / first_sum,
            rate / first_rate
        ));
    }
}

fn print(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").expect("standard output");
}
