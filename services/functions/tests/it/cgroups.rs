//! Control groups of processes, on machines that have a cgroup2 tree the tests may write to.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::stage::{Stage, until};

/// A group of its own, removed at the end.
struct Tree(PathBuf);

impl Tree {
    /// Says so where there is none to be had.
    fn new(name: &str) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mut mounted = mounts.lines().filter(|line| line.contains(" - cgroup2 "));
        let root = mounted.next().and_then(|line| line.split(' ').nth(4));
        let tree = root.map(|root| Self(PathBuf::from(root).join(name)));
        let made = tree.filter(|tree| fs::create_dir(&tree.0).is_ok());
        if made.is_none() {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no cgroup2 tree to write to");
        }
        made
    }

    fn inside(&self) -> Vec<PathBuf> {
        let entries = self.0.read_dir().expect("a group").flatten();
        let groups = entries.filter(|entry| entry.path().is_dir());
        groups.map(|entry| entry.path()).collect()
    }

    fn has(&self, controller: &str) -> bool {
        let known = fs::read_to_string(self.0.join("cgroup.controllers")).expect("a list");
        known.split_ascii_whitespace().any(|one| one == controller)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn each_process_has_a_group_that_goes_with_it() {
    let Some(tree) = Tree::new("selfdb-test-groups") else {
        return;
    };
    // What a killed service has left.
    fs::create_dir_all(tree.0.join("selfdb-fn-left/7")).expect("groups");
    let functions = Stage::new()
        .set("FUNCTIONS_CGROUP", &tree.0.display().to_string())
        .set("FUNCTIONS_MEMORY_MB", "64")
        .set("FUNCTIONS_IDLE_SECONDS", "1")
        .function("pid", "return Deno.pid;")
        .start()
        .await;
    let pid = functions.json("/pid").await;
    let service = tree.inside();
    assert_eq!(service.len(), 1, "{service:?}");
    assert!(!service[0].ends_with("selfdb-fn-left"));
    let group = fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("its groups");
    let group = group.lines().find_map(|line| line.strip_prefix("0::"));
    let (_, group) = group
        .and_then(|group| group.rsplit_once('/'))
        .expect("a group");
    let group = service[0].join(group);
    assert!(group.is_dir(), "{group:?}");
    for (controller, file, expected) in [
        ("memory", "memory.max", ((64 + 320) << 20).to_string()),
        ("memory", "memory.swap.max", "0".to_owned()),
        ("pids", "pids.max", "640".to_owned()),
    ] {
        if tree.has(controller) {
            let set = fs::read_to_string(group.join(file)).expect("a limit");
            assert_eq!(set.trim(), expected, "{file}");
        } else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no {controller} controller");
        }
    }
    until(|| async { (!functions.stage.runs(&pid)).then_some(()) }).await;
    until(|| async { (!group.exists()).then_some(()) }).await;
    drop(functions);
    until(|| async { tree.inside().is_empty().then_some(()) }).await;
}
