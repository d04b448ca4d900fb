//! The table, in Markdown.

use std::io::Write as _;
use std::time::Duration;

use super::load::Load;

/// What one server did.
pub(super) struct Line {
    pub(super) server: &'static str,
    pub(super) load: Load,
    pub(super) server_cpu: Duration,
    pub(super) database_cpu: Duration,
}

/// Prints lines as they are measured; ratios are those of the case's first line, ours, to each.
#[derive(Default)]
pub(super) struct Report {
    ours: Option<(f64, f64)>,
}

impl Report {
    pub(super) fn begin() -> Self {
        print(
            "| | requests/s | p50 ms | p99 ms | server µs | Postgres µs | CPU µs | errors | \
             rate, ours to it | CPU, ours to it |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        );
        Self::default()
    }

    pub(super) fn case(&mut self, name: &str, goal: Option<u32>) {
        self.ours = None;
        let goal = goal.map(|goal| format!(" (CPU ≤ {goal} µs)"));
        let goal = goal.unwrap_or_default();
        print(&format!("| **{name}**{goal} | | | | | | | | | |"));
    }

    pub(super) fn line(&mut self, line: &Line) {
        let load = &line.load;
        let rate = load.requests / load.elapsed.as_secs_f64();
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / load.requests;
        let (server, database) = (each(line.server_cpu), each(line.database_cpu));
        let cpu = server + database;
        let (our_rate, our_cpu) = *self.ours.get_or_insert((rate, cpu));
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        print(&format!(
            "| {} | {rate:.0} | {:.2} | {:.2} | {server:.0} | {database:.0} | {cpu:.0} | {} | \
             {:.2} | {:.2} |",
            line.server,
            ms(load.p50),
            ms(load.p99),
            load.failed,
            our_rate / rate,
            our_cpu / cpu,
        ));
    }
}

pub(crate) fn print(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").expect("standard output");
}
