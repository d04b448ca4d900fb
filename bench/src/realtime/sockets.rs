//! Many sockets: what they keep in memory while they rest, and how fast they are back when the
//! service comes back.

use std::time::Instant;

use futures_util::{StreamExt as _, stream};

use super::fan_out::resident_kib;
use super::ground::Ground;
use super::socket::{Dialect, Socket};

/// How many are opened at the same time.
const AT_ONCE: usize = 64;

pub(super) async fn measure(ground: &Ground, idle: usize) -> String {
    let resting = resident_kib(ground.pid());
    let (sockets, _) = open(ground, idle).await;
    let with_sockets = resident_kib(ground.pid());
    drop(sockets);
    let back = idle / 2;
    let (_sockets, seconds) = open(ground, back).await;
    format!(
        "\n{idle} sockets that have joined a topic and rest: {} MiB resident, {} MiB without them\n\
         {back} sockets opened and joined anew: {seconds:.1} s",
        with_sockets / 1024,
        resting / 1024,
    )
}

async fn open(ground: &Ground, count: usize) -> (Vec<Socket>, f64) {
    let address = ground.address(ground.db.anon_token());
    let begun = Instant::now();
    let sockets = stream::iter(0..count)
        .map(|_| Socket::join(&address, Dialect::Phoenix, ""))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    (sockets, begun.elapsed().as_secs_f64())
}
