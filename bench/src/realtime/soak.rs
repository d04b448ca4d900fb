//! A mixed load for long: sockets come and go, messages, changes and presence. Memory and
//! descriptors are to stay where they are.

use std::time::Duration;

use super::changes;
use super::fan_out::{self, Load, resident_kib};
use super::ground::Ground;
use super::report;
use super::socket::{Dialect, Socket};

/// What a minute's parts take, and how much.
const MESSAGES: Load = Load {
    sockets: 300,
    rate: 30,
    time: Duration::from_secs(15),
};
const CHANGES: Load = Load {
    sockets: 100,
    rate: 10,
    time: Duration::from_secs(10),
};
const PRESENT: usize = 50;
/// Until everything has been in use, memory grows.
const WARM_MINUTES: usize = 5;

/// What the service holds when all its sockets are gone.
struct Held {
    descriptors: usize,
    kib: u64,
}

pub(super) async fn run(ground: &Ground, minutes: u64) {
    report::text(
        "| minute | messages | changes | descriptors | resident MiB |\n|---:|---:|---:|---:|---:|",
    );
    let mut held = Vec::new();
    let mut missing = 0;
    let mut minute = tokio::time::interval(Duration::from_mins(1));
    for number in 1..=minutes {
        minute.tick().await;
        let messages = fan_out::measure(&ground.room(), MESSAGES).await;
        let mut told = 0;
        for table in &changes::TABLES[..2] {
            let changes = changes::measure(ground, *table, CHANGES).await;
            told += changes.latencies.len();
            missing += changes.expected - changes.latencies.len();
        }
        be_present(ground).await;
        // What was closed is let go of.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let now = Held {
            descriptors: descriptors(ground.pid()),
            kib: resident_kib(ground.pid()),
        };
        let heard = messages.latencies.len();
        missing += messages.expected - heard;
        report::text(&format!(
            "| {number} | {heard} | {told} | {} | {:.1} |",
            now.descriptors,
            mib(now.kib)
        ));
        held.push(now);
    }
    report::text(&verdict(&held, missing));
}

/// Some are present, and vanish one after the other.
async fn be_present(ground: &Ground) {
    let address = ground.address(ground.db.anon_token());
    let mut present = Vec::with_capacity(PRESENT);
    for number in 0..PRESENT {
        let mut socket = Socket::open(&address, Dialect::Phoenix).await;
        let join =
            r#"["1","1","realtime:present","phx_join",{"config":{"presence":{"enabled":true}}}]"#;
        socket.text(join).await;
        let track = format!(
            r#"["1","2","realtime:present","presence",{{"type":"presence","event":"track","payload":{{"number":{number}}}}}]"#
        );
        socket.text(&track).await;
        socket.next().await;
        present.push(socket);
    }
}

fn verdict(held: &[Held], missing: usize) -> String {
    let (Some(first), Some(last)) = (held.get(WARM_MINUTES), held.last()) else {
        return format!("\ntoo short to tell; {missing} not delivered");
    };
    let flat = last.descriptors <= first.descriptors + 5 && last.kib <= first.kib + first.kib / 10;
    format!(
        "\n{}: descriptors {} → {}, resident {:.1} → {:.1} MiB; {missing} not delivered",
        if flat { "flat" } else { "not flat" },
        first.descriptors,
        last.descriptors,
        mib(first.kib),
        mib(last.kib)
    )
}

fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

fn descriptors(pid: u32) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"));
    entries.map_or(0, Iterator::count)
}
