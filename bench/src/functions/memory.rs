//! What a function that does nothing keeps in memory.

use std::fs;

use super::stage::Stage;
use super::{code, report};

/// Has `count` functions run, and reads what each process keeps.
pub(super) async fn measure(stage: &Stage, count: usize) {
    for number in 0..count {
        let name = format!("idle-{number}");
        stage.deploy(&name, code::HELLO).await;
        let request = stage.through_gateway(&name);
        let mut asked = stage.client().get(&request.url);
        for (name, value) in &request.headers {
            asked = asked.header(*name, value);
        }
        let answer = asked.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{name}: {}", answer.status());
    }
    let processes = stage.processes();
    let sum = |name: &str| -> u64 { processes.iter().filter_map(|pid| kib(*pid, name)).sum() };
    report::memory(processes.len(), sum("Pss:"), sum("Rss:"));
}

fn kib(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
