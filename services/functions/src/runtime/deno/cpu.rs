//! The CPU time of a process, all its threads together, as the kernel counts it.

use std::time::Duration;

/// How much CPU time the process `pid` has used; `None` where it is gone.
pub(super) fn used_by(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = ticks(&stat)?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(
        ticks.saturating_mul(1000) / per_second,
    ))
}

/// `utime` and `stime`, the 14th and 15th fields of `proc_pid_stat(5)`. The second one, the
/// program's name, may hold spaces and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_program_name() {
        let stat = "12 (a) b (c) R 1 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("12 (deno) R 1"), None);
    }

    #[test]
    fn this_process_has_used_some() {
        assert!(used_by(std::process::id()).is_some());
        assert_eq!(used_by(u32::MAX), None);
    }
}
