//! What one process uses, read from files that are opened once.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

/// The meter of one process; one of no process reads nothing.
#[derive(Debug, Default)]
pub(super) struct Meter {
    schedstat: Option<File>,
    statm: Option<File>,
}

impl Meter {
    /// The meter of the process `pid`.
    pub(super) fn of(pid: u32) -> Self {
        let open = |name| File::open(format!("/proc/{pid}/{name}")).ok();
        Self {
            schedstat: open("schedstat"),
            statm: open("statm"),
        }
    }

    /// CPU time of the thread that runs the function's code, to the nanosecond; `None` where the
    /// process is gone or the kernel does not count.
    pub(super) fn cpu(&self) -> Option<Duration> {
        self.schedstat
            .as_ref()
            .and_then(|file| field(file, 0))
            .map(Duration::from_nanos)
    }

    /// For how long that thread has run or waited for a processor: on a busy machine, what it would
    /// have used.
    pub(super) fn wanted(&self) -> Option<Duration> {
        let file = self.schedstat.as_ref()?;
        Some(Duration::from_nanos(
            field(file, 0)?.saturating_add(field(file, 1)?),
        ))
    }

    /// Resident memory of the process.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        let pages = field(self.statm.as_ref()?, 1)?;
        Some(pages.saturating_mul(u64::try_from(rustix::param::page_size()).ok()?))
    }
}

/// One number of a line of them.
fn field(file: &File, index: usize) -> Option<u64> {
    let mut buffer = [0; 128];
    let length = file.read_at(&mut buffer, 0).ok()?;
    let text = std::str::from_utf8(buffer.get(..length)?).ok()?;
    text.split_ascii_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_one_that_is_gone_nothing() {
        let meter = Meter::of(std::process::id());
        assert!(meter.memory_bytes() > Some(100_000));
        let gone = Meter::of(u32::MAX);
        assert_eq!((gone.cpu(), gone.memory_bytes()), (None, None));
    }
}
