//! What functions cost: the first request, the next ones, memory, and many of them in turn; beside
//! `deno serve` and workerd with the same handler.

mod calls;
mod code;
mod memory;
mod peers;
mod report;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use crate::cpu;
use crate::rest::load;
use peers::Peer;
use stage::Stage;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each line of the table of warm requests is measured
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many connections ask at once
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// How many functions are asked for the first time, of each kind
    #[arg(long, default_value_t = 30)]
    cold: usize,
    /// How many functions are asked in turn
    #[arg(long, default_value_t = 200)]
    many: usize,
    /// Few of everything: whether it runs, not how fast
    #[arg(long)]
    quick: bool,
    /// The folder of the program `selfdb`, where it is not this program's
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

impl Arguments {
    /// With the numbers of a quick run, where it is one.
    fn settled(&self) -> (u64, usize, usize) {
        if self.quick {
            (1, 3, 12)
        } else {
            (self.seconds, self.cold, self.many)
        }
    }
}

pub(crate) async fn run(arguments: &Arguments) {
    let (seconds, cold, many) = arguments.settled();
    let own = std::env::current_exe().expect("this program's path");
    let programs = arguments.programs.as_deref().or(own.parent());
    let stage = Stage::start(programs.expect("a folder")).await;
    let deno = stage.deno();
    let peers = [Peer::deno(&stage, &deno).await, Peer::workerd(&stage).await];

    report::heading(
        "the first request",
        "| what | n | p50 ms | p90 ms | most ms |",
    );
    for (kind, text) in [
        ("hello", code::HELLO.to_owned()),
        ("300 KB", code::bundle()),
    ] {
        let times = calls::cold(&stage, kind, &text, cold).await;
        report::times(&format!("SelfDB, {kind}"), &times);
    }
    for peer in &peers {
        let times = peer.starts(&stage, cold.min(10)).await;
        report::times(&format!("{}, process and answer", peer.name), &times);
    }

    report::heading(
        "requests of one function",
        "| server | requests/s | p50 ms | p99 ms | CPU µs/request | failed | to deno |",
    );
    warm(&stage, &peers, arguments.connections, seconds).await;

    report::heading("memory", "| processes | PSS MiB each | resident MiB each |");
    memory::measure(&stage, many.min(40)).await;

    report::heading(
        "many functions in turn",
        "| functions | requests | failed | p50 ms | p99 ms |",
    );
    calls::in_turn(&stage, many, if arguments.quick { 1 } else { 3 }).await;
}

/// Requests that a function which runs already answers.
async fn warm(stage: &Stage, peers: &[Peer], connections: u32, seconds: u64) {
    stage.deploy("warm", code::HELLO).await;
    for peer in peers {
        let used = || cpu::process(peer.pid());
        let line = measured(stage, &peer.request(), (connections, seconds), used).await;
        report::warm(peer.name, &line);
    }
    let whole = || cpu::process(stage.server()) + stage.used_by_functions();
    for (name, request) in [
        ("SelfDB, through the gateway", stage.through_gateway("warm")),
        ("SelfDB, its functions' port", stage.directly("warm")),
    ] {
        let line = measured(stage, &request, (connections, seconds), whole).await;
        report::warm(name, &line);
    }
}

/// A load, and the CPU that was `used` in it.
async fn measured(
    stage: &Stage,
    request: &load::Request,
    (connections, seconds): (u32, u64),
    used: impl Fn() -> Duration,
) -> report::Warm {
    // The first ones pay for what is made once.
    load::run(stage.folder(), request, connections, 1).await;
    let before = used();
    let load = load::run(stage.folder(), request, connections, seconds).await;
    report::Warm {
        cpu: used().saturating_sub(before),
        load,
    }
}
