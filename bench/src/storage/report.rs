//! The table, in Markdown.

use std::time::Duration;

use crate::rest::load::Load;
pub(super) use crate::rest::report::print;

/// What our server is to reach beside each of its peers.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// This part of the peer's rate.
    RateOfPeer(f64),
    /// The peer's rate, so many times.
    TimesPeer(f64),
    /// No upload fails.
    NoError,
}

/// What one server did.
pub(super) struct Line {
    pub(super) server: &'static str,
    pub(super) load: Load,
    pub(super) server_cpu: Duration,
    pub(super) database_cpu: Duration,
}

/// Prints lines as they are measured; rates are compared with the case's first line, ours.
pub(super) struct Report {
    ours: Option<f64>,
}

impl Report {
    pub(super) fn begin() -> Self {
        print(
            "| | requests/s | p50 ms | p99 ms | server µs | Postgres µs | CPU µs | errors | \
             rate, ours to it |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        );
        Self { ours: None }
    }

    pub(super) fn case(&mut self, name: &str, goal: Goal) {
        self.ours = None;
        let goal = match goal {
            Goal::RateOfPeer(part) => format!("at least {part:.2} of the last line's rate"),
            Goal::TimesPeer(times) => format!("at least {times:.0} times the last line's rate"),
            Goal::NoError => "no error".to_owned(),
        };
        print(&format!("| **{name}** ({goal}) | | | | | | | | |"));
    }

    pub(super) fn line(&mut self, line: &Line) {
        let load = &line.load;
        let rate = load.requests / load.elapsed.as_secs_f64();
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / load.requests;
        let (server, database) = (each(line.server_cpu), each(line.database_cpu));
        let ours = *self.ours.get_or_insert(rate);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        print(&format!(
            "| {} | {rate:.0} | {:.2} | {:.2} | {server:.0} | {database:.0} | {:.0} | {} | {:.2} |",
            line.server,
            ms(load.p50),
            ms(load.p99),
            server + database,
            load.failed,
            ours / rate,
        ));
    }
}

/// A count as a number to divide.
pub(super) fn number(count: usize) -> f64 {
    // Both halves fit; counts of bytes are larger than `u32`.
    let (high, low) = (count >> 32, count & 0xffff_ffff);
    let half = |half: usize| u32::try_from(half).map_or(f64::MAX, f64::from);
    half(high) * 4_294_967_296.0 + half(low)
}
