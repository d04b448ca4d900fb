//! Requests that are timed one by one.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use super::stage::Stage;
use super::{code, report};
use crate::rest::load::Request;

/// How many functions of a turn are asked at once.
const AT_ONCE: usize = 4;

/// Asks once; how long it took, and whether it was answered well.
async fn time(stage: &Stage, request: &Request) -> (Duration, bool) {
    let mut asked = stage.client().get(&request.url);
    for (name, value) in &request.headers {
        asked = asked.header(*name, value);
    }
    let started = Instant::now();
    let answer = asked.send().await;
    let is_well = match answer {
        Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
        Err(_) => false,
    };
    (started.elapsed(), is_well)
}

/// The first request of `count` functions, each after its deployment and with a process waiting.
pub(super) async fn cold(stage: &Stage, kind: &str, text: &str, count: usize) -> Vec<Duration> {
    let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let name = format!("cold-{kind}-{number}");
        stage.deploy(&name, text).await;
        stage.has_a_slot().await;
        let request = stage.through_gateway(&name);
        let (time, is_well) = time(stage, &request).await;
        assert!(is_well, "{name} did not answer");
        times.push(time);
        stage.remove(&name).await;
    }
    times
}

/// Asks `count` functions one after the other, `rounds` times.
pub(super) async fn in_turn(stage: &Stage, count: usize, rounds: usize) {
    let names: Vec<String> = (0..count).map(|number| format!("turn-{number}")).collect();
    for name in &names {
        stage.write(name, code::HELLO);
    }
    for name in &names {
        stage.knows(name).await;
    }
    let turns = (0..rounds).flat_map(|_| names.iter());
    let answers: Vec<(Duration, bool)> = stream::iter(turns)
        .map(|name| async move { time(stage, &stage.through_gateway(name)).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failed = answers.iter().filter(|(_, is_well)| !is_well).count();
    let times: Vec<Duration> = answers.into_iter().map(|(time, _)| time).collect();
    report::in_turn(count, failed, &times);
}
