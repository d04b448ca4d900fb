//! A control group (cgroup v2) for each process, where the platform may make some: what a resource
//! limit does not count is counted there, such as the page cache, pipes and sockets of a process.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::run_directory::{PREFIX, lock};
use crate::config::ControlGroups;
use crate::domain::Limits;

/// What is handed to the groups of processes, where there is such a thing.
const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];
/// What Deno itself takes of memory, its program's pages included, in bytes; generous, since the
/// resource limits come first.
const BASELINE_BYTES: u64 = 320 * 1024 * 1024;
/// Threads of one process: Deno's own, and one for each of many operations on files.
const MOST_TASKS: u32 = 640;

/// The group that holds those of all processes; removed when this and the last of them is dropped.
#[derive(Debug)]
pub(super) struct Groups(Arc<Parent>);

#[derive(Debug)]
struct Parent {
    path: PathBuf,
    _lock: OwnedFd,
}

/// The group of one process; removed, with whatever is left in it, when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
    _parent: Arc<Parent>,
}

impl Groups {
    /// Makes the group `name` as `wanted`; `None` where there is none to be had.
    pub(super) fn open(wanted: &ControlGroups, name: &str) -> io::Result<Option<Self>> {
        let (tree, is_asked_for) = match wanted {
            ControlGroups::Off => return Ok(None),
            ControlGroups::Below(tree) => (tree.clone(), true),
            ControlGroups::Auto => match own_group() {
                Some(tree) => (tree, false),
                None => return Ok(None),
            },
        };
        match Self::below(&tree, name, is_asked_for) {
            Err(error) if !is_asked_for => {
                tracing::debug!(tree = %tree.display(), %error, "functions have no control groups");
                Ok(None)
            }
            made => made,
        }
    }

    fn below(tree: &Path, name: &str, is_asked_for: bool) -> io::Result<Option<Self>> {
        let _turn = locked(tree)?;
        let handed = hand_down(tree)?;
        if handed.is_empty() {
            if !is_asked_for {
                return Ok(None);
            }
            tracing::warn!(tree = %tree.display(), "FUNCTIONS_CGROUP bounds nothing: neither memory nor pids nor cpu is handed to it");
        }
        sweep(tree)?;
        let path = tree.join(name);
        fs::create_dir(&path)?;
        let lock = lock(&path)?;
        hand_down(&path)?;
        tracing::info!(group = %path.display(), ?handed, "each function's process has a control group");
        let parent = Parent { path, _lock: lock };
        Ok(Some(Self(Arc::new(parent))))
    }

    /// Makes a group for a process with `limits`.
    pub(super) fn make(&self, number: u64, limits: &Limits) -> io::Result<Group> {
        let path = self.0.path.join(number.to_string());
        fs::create_dir(&path)?;
        let group = Group {
            path,
            _parent: Arc::clone(&self.0),
        };
        let memory = limits.memory_bytes.saturating_add(BASELINE_BYTES);
        group.set("memory.max", &memory.to_string())?;
        group.set("memory.swap.max", "0")?;
        group.set("memory.oom.group", "1")?;
        group.set("pids.max", &MOST_TASKS.to_string())?;
        Ok(group)
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

impl Group {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the kernel has ended a process in here for its memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        let events = fs::read_to_string(self.path.join("memory.events")).unwrap_or_default();
        let count = events
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill "));
        count.is_some_and(|count| count != "0")
    }

    /// A file that is not there belongs to a controller that is not handed down.
    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        match fs::metadata(self.path.join(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            _ => fs::write(self.path.join(file), value),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Waits until no other service makes or removes groups in `tree`.
fn locked(tree: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(tree, flags, Mode::empty())?;
    rustix::fs::flock(&folder, FlockOperation::LockExclusive)?;
    Ok(folder)
}

/// Has groups below `group` bound what they can; tells what that is.
fn hand_down(group: &Path) -> io::Result<Vec<&'static str>> {
    let known = fs::read_to_string(group.join("cgroup.controllers"))?;
    let known: Vec<&str> = known.split_ascii_whitespace().collect();
    let handed = CONTROLLERS.iter().filter(|one| known.contains(*one));
    let handed: Vec<&str> = handed.copied().collect();
    if !handed.is_empty() {
        let added: Vec<String> = handed.iter().map(|one| format!("+{one}")).collect();
        fs::write(group.join("cgroup.subtree_control"), added.join(" "))?;
    }
    Ok(handed)
}

/// Removes what services have left in `tree` that were killed.
fn sweep(tree: &Path) -> io::Result<()> {
    for entry in tree.read_dir()?.flatten() {
        let name = entry.file_name();
        let is_ours = name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
        let path = entry.path();
        if is_ours && path.is_dir() && lock(&path).is_ok() {
            tracing::info!(group = %path.display(), "removing what an earlier start has left");
            remove(&path);
        }
    }
    Ok(())
}

/// Ends whatever runs in `group` and removes it, with the groups in it.
fn remove(group: &Path) {
    let _ = fs::write(group.join("cgroup.kill"), "1");
    let inside = group.read_dir().into_iter().flatten().flatten();
    for entry in inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let _ = fs::remove_dir(entry.path());
    }
    // What was killed is gone a moment later.
    let mut tries = 20;
    while let Err(error) = fs::remove_dir(group) {
        tries -= 1;
        if tries == 0 || error.kind() == io::ErrorKind::NotFound {
            tracing::debug!(group = %group.display(), %error, "a control group stays behind");
            return;
        }
        sleep(Duration::from_millis(5));
    }
}

/// The group this process is in.
fn own_group() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    group_of(&mounts, &own)
}

/// Of `proc_pid_mountinfo(5)` and `cgroups(7)`.
fn group_of(mounts: &str, own: &str) -> Option<PathBuf> {
    let (root, folder) = mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let place = (fields.next()?, fields.next()?);
        kind.starts_with("cgroup2 ").then_some(place)
    })?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let below = Path::new(path).strip_prefix(root).ok()?;
    Some(Path::new(folder).join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_in_the_tree() {
        let mounts = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw\n\
                      31 30 0:28 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n";
        let found = group_of(mounts, "4:memory:/x\n0::/system.slice/a.service\n");
        let expected = "/sys/fs/cgroup/unified/system.slice/a.service";
        assert_eq!(found.as_deref(), Some(Path::new(expected)));
        let bound = "31 30 0:28 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup ro\n";
        let found = group_of(bound, "0::/docker/1/b\n");
        assert_eq!(found.as_deref(), Some(Path::new("/sys/fs/cgroup/b")));
        assert_eq!(group_of(bound, "0::/elsewhere\n"), None);
        assert_eq!(group_of("", "0::/\n"), None);
        assert_eq!(group_of(mounts, "4:memory:/x\n"), None);
    }
}
