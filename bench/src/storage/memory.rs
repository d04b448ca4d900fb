//! What a server keeps in memory at most, from `/proc/<pid>/status` (see proc(5)).

use std::fs;
use std::process::Command;

/// The process that listens on `port`, as `ss` tells.
pub(super) fn serving(port: u16) -> Option<u32> {
    let filter = format!("sport = :{port}");
    let output = Command::new("ss").args(["-Hltnp", &filter]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let digits = text.split("pid=").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    digits.get(..end)?.parse().ok()
}

/// The most that `pid` has had resident, in MiB.
pub(super) fn peak_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u32>().ok());
    kib.map_or(0.0, |kib| f64::from(kib) / 1024.0)
}
