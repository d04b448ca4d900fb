//! The tables.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "the tables are the point"
)]

use std::sync::OnceLock;
use std::time::Duration;

use crate::rest::load::Load;

/// A load, and the CPU it took.
pub(super) struct Warm {
    pub(super) load: Load,
    pub(super) cpu: Duration,
}

/// What the first server of the table answers a second: others are told as shares of it.
static BASE: OnceLock<f64> = OnceLock::new();

pub(super) fn heading(title: &str, columns: &str) {
    println!("\n{title}\n\n{columns}");
    println!("|{}", "---|".repeat(columns.matches('|').count() - 1));
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

/// The time that `percent` of the `sorted` ones do not go beyond.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

pub(super) fn times(what: &str, times: &[Duration]) {
    let mut sorted = times.to_vec();
    sorted.sort();
    let [half, most, all] = [50, 90, 100].map(|percent| ms(percentile(&sorted, percent)));
    println!("| {what} | {} | {half} | {most} | {all} |", sorted.len());
}

fn rate(line: &Warm) -> f64 {
    line.load.requests / line.load.elapsed.as_secs_f64()
}

pub(super) fn warm(name: &str, line: &Warm) {
    let base = BASE.get_or_init(|| rate(line));
    let share = rate(line) / base * 100.0;
    let micros = line.cpu.as_secs_f64() * 1e6 / line.load.requests.max(1.0);
    println!(
        "| {name} | {:.0} | {} | {} | {micros:.0} | {} | {share:.0} % |",
        rate(line),
        ms(line.load.p50),
        ms(line.load.p99),
        line.load.failed,
    );
}

#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
pub(super) fn memory(processes: usize, proportional_kib: u64, resident_kib: u64) {
    let each = |kib: u64| kib as f64 / 1024.0 / processes.max(1) as f64;
    println!(
        "| {processes} | {:.1} | {:.1} |",
        each(proportional_kib),
        each(resident_kib)
    );
}

pub(super) fn in_turn(functions: usize, failed: usize, times: &[Duration]) {
    let mut sorted = times.to_vec();
    sorted.sort();
    println!(
        "| {functions} | {} | {failed} | {} | {} |",
        sorted.len(),
        ms(percentile(&sorted, 50)),
        ms(percentile(&sorted, 99))
    );
}
