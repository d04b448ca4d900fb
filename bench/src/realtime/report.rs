//! The table.

use std::io::Write as _;
use std::time::Duration;

/// What was measured of one server.
pub(super) struct Measured {
    /// How many deliveries there should have been.
    pub(super) expected: usize,
    /// How long each took, in µs, in order.
    pub(super) latencies: Vec<u32>,
    pub(super) elapsed: Duration,
    pub(super) cpu: Duration,
}

impl Measured {
    /// The 99th percentile, in ms.
    pub(super) fn p99(&self) -> f64 {
        self.quantile(990)
    }

    fn quantile(&self, per_mille: usize) -> f64 {
        let at = (self.latencies.len() * per_mille / 1000).min(self.latencies.len().max(1) - 1);
        self.latencies
            .get(at)
            .map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

pub(super) fn begin() {
    text(
        "| server | what | deliveries/s | delivered | p50 ms | p95 ms | p99 ms | CPU µs a delivery |\n\
         |---|---|---:|---:|---:|---:|---:|---:|",
    );
}

pub(super) fn line(server: &str, what: &str, measured: &Measured) {
    let count = measured.latencies.len();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let delivered = number(count);
    text(&format!(
        "| {server} | {what} | {:.0} | {:.2} % | {:.1} | {:.1} | {:.1} | {:.2} |",
        delivered / measured.elapsed.as_secs_f64(),
        delivered * 100.0 / number(measured.expected.max(1)),
        measured.quantile(500),
        measured.quantile(950),
        measured.p99(),
        measured.cpu.as_secs_f64() * 1e6 / delivered.max(1.0),
    ));
}

pub(super) fn text(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").expect("standard output");
}
