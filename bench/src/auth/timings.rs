//! Whether the time of an answer tells an unknown user from a wrong password.

use std::time::Duration;

use super::client::{Client, UNKNOWN, WRONG};
use super::{ms, quantile, row};

pub(super) async fn run(client: &Client, times: usize) {
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    // In turn, so that what else happens on the machine happens to both.
    for _ in 0..times {
        unknown.push(client.fail_to_sign_in(UNKNOWN).await);
        wrong.push(client.fail_to_sign_in(WRONG).await);
    }
    unknown.sort();
    wrong.sort();
    let z = rank_sum(&unknown, &wrong);
    let name = format!("unknown user, wrong password, median of {times}");
    let (unknown, wrong) = (quantile(&unknown, 0.5), quantile(&wrong, 0.5));
    let measured = format!("{}, {} ms (z = {z:.2})", ms(unknown), ms(wrong));
    row(&name, &measured, "|z| < 3");
}

/// The Mann-Whitney statistic of two sorted samples, as a normal deviate: within ±3 where one
/// sample is not shifted against the other.
fn rank_sum(one: &[Duration], other: &[Duration]) -> f64 {
    let wins: usize = one
        .iter()
        .map(|time| other.partition_point(|than| than < time))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let (wins, n, m) = (wins as f64, one.len() as f64, other.len() as f64);
    let expected = n * m / 2.0;
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    (wins - expected) / deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_seen_and_its_absence_too() {
        let times = |offset: u64| -> Vec<Duration> {
            (0..2_000)
                .map(|n| Duration::from_micros(40_000 + n * 5 + offset))
                .collect()
        };
        assert!(rank_sum(&times(0), &times(1)).abs() < 1.0);
        assert!(rank_sum(&times(0), &times(1_000)) < -3.0);
    }
}
