//! CPU time of processes, from `/proc/<pid>/stat` (see proc(5)).

use std::fs;
use std::time::Duration;

/// Ticks per second in `/proc`; fixed by Linux' interface to programs.
const TICKS_PER_SECOND: u64 = 100;

/// What `/proc/<pid>/stat` says of one process.
struct Stat {
    parent: u32,
    own: u64,
    reaped: u64,
}

fn stat(pid: &str) -> Option<Stat> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in brackets, may itself hold spaces and brackets.
    let (_, fields) = line.rsplit_once(") ")?;
    let fields: Vec<u64> = fields
        .split(' ')
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let &[
        _state,
        parent,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        user,
        system,
        reaped_user,
        reaped_system,
        ..,
    ] = &fields[..]
    else {
        return None;
    };
    Some(Stat {
        parent: u32::try_from(parent).ok()?,
        own: user + system,
        reaped: reaped_user + reaped_system,
    })
}

fn duration(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// What this process has used.
pub(crate) fn own() -> Duration {
    duration(stat("self").map_or(0, |stat| stat.own))
}

/// What the process `pid` has used, without its children.
pub(crate) fn process(pid: u32) -> Duration {
    duration(stat(&pid.to_string()).map_or(0, |stat| stat.own))
}

/// What this process' children that have ended had used.
pub(crate) fn children() -> Duration {
    duration(stat("self").map_or(0, |stat| stat.reaped))
}

/// What the process `pid` and its children have used, the ended ones with them.
pub(crate) fn family(pid: u32) -> Duration {
    let head = || stat(&pid.to_string()).map_or(0, |stat| stat.own + stat.reaped);
    loop {
        let before = head();
        let processes = fs::read_dir("/proc").expect("/proc");
        let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let children = names.filter_map(|name| stat(&name));
        let living = children.filter(|child| child.parent == pid);
        let living: u64 = living.map(|child| child.own).sum();
        // A child that ended meanwhile would be in neither number.
        if head() == before {
            return duration(before + living);
        }
    }
}
