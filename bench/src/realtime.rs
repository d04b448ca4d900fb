//! What realtime costs: our service, and servers that do nothing but hand messages on.

mod changes;
mod fan_out;
mod ground;
mod peers;
mod report;
mod soak;
mod socket;
mod sockets;
mod stalled;

use std::path::PathBuf;
use std::time::Duration;

use ground::Ground;
use peers::Peer;

pub(crate) use peers::serve as serve_peer;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each line is measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many sockets hear a message
    #[arg(long, default_value_t = 500)]
    sockets: usize,
    /// How many deliveries a second there are to be
    #[arg(long, default_value_t = 80_000)]
    deliveries: usize,
    /// How many sockets rest, and how many come back at once
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Few sockets, for a second: whether everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Leave the other servers out
    #[arg(long)]
    no_peers: bool,
    /// Only a mixed load for so long; memory and descriptors each minute
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u64>,
    /// The folder of `selfdb-realtime`, where it is not this program's
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

pub(crate) async fn run(mut arguments: Arguments) {
    if arguments.quick {
        arguments.seconds = 1;
        arguments.sockets = arguments.sockets.min(50);
        arguments.deliveries = arguments.deliveries.min(2_000);
        arguments.idle = arguments.idle.min(200);
    }
    let ground = Ground::lay(arguments.programs.as_deref()).await;
    let load = fan_out::Load {
        sockets: arguments.sockets,
        rate: arguments.deliveries.div_ceil(arguments.sockets),
        time: Duration::from_secs(arguments.seconds),
    };
    if let Some(minutes) = arguments.soak {
        soak::run(&ground, minutes).await;
        return;
    }
    report::begin();
    report::line(
        "ours",
        "broadcast",
        &fan_out::measure(&ground.room(), load).await,
    );
    let many = fan_out::Load {
        sockets: load.sockets * 2,
        rate: load.rate.div_ceil(2),
        ..load
    };
    stalled::compare(&ground.room(), many, arguments.quick.then_some(1)).await;
    if !arguments.no_peers {
        for peer in [Peer::Axum, Peer::Ws, Peer::SocketIo] {
            let running = peer.start(ground.folder()).await;
            report::line(
                peer.name(),
                "broadcast",
                &fan_out::measure(&running.room(), load).await,
            );
        }
    }
    for table in changes::TABLES {
        let measured = changes::measure(&ground, table, load).await;
        report::line("ours", table.title, &measured);
    }
    report::text(&sockets::measure(&ground, arguments.idle).await);
}
