//! What one socket that reads nothing costs the others: the same load without and with it, in
//! turns, so that whatever else the machine does meets both alike.

use std::time::Instant;

use super::fan_out::{Load, Room, measure};
use super::report::{self, Measured};
use super::socket::{Dialect, Socket};

/// How often both cases are measured.
const TURNS: usize = 5;
/// What is said to the one that reads nothing before it counts: more than the buffers of two
/// connections' ends hold, and less than what it is cut for.
const FILLING: usize = 16_000;

/// Measures and prints both; `turns` of each, [`TURNS`] where `None`.
pub(super) async fn compare(room: &Room, load: Load, turns: Option<usize>) {
    let turns = turns.unwrap_or(TURNS);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for turn in 0..turns {
        // A B, B A, A B …
        if turn % 2 == 0 {
            alone.push(measure(room, load).await);
            beside.push(measure_beside_stalled(room, load).await);
        } else {
            beside.push(measure_beside_stalled(room, load).await);
            alone.push(measure(room, load).await);
        }
    }
    let (alone, beside) = (middle(alone), middle(beside));
    let what = format!("broadcast to {}", load.sockets);
    report::line("ours", &what, &alone);
    let what = format!(
        "{what}, one more stalled (p99 × {:.2}, the middle of {turns} turns each)",
        beside.p99() / alone.p99()
    );
    report::line("ours", &what, &beside);
}

/// The one with the middle 99th percentile.
fn middle(mut all: Vec<Measured>) -> Measured {
    all.sort_by(|one, other| one.p99().total_cmp(&other.p99()));
    let place = all.len() / 2;
    all.swap_remove(place)
}

async fn measure_beside_stalled(room: &Room, load: Load) -> Measured {
    let stalled = stall(room).await;
    let measured = measure(room, load).await;
    drop(stalled);
    measured
}

/// A socket whose connection takes nothing more.
async fn stall(room: &Room) -> Socket {
    let stalled = Socket::join_to_stall(&room.address, room.dialect).await;
    let mut listener = Socket::join(&room.address, room.dialect, "").await;
    let mut speaker = Socket::join(&room.address, Dialect::Phoenix, "").await;
    let begun = Instant::now();
    let saying = async {
        for _ in 0..FILLING {
            speaker.say(begun.elapsed()).await;
        }
    };
    let hearing = async {
        for _ in 0..FILLING {
            listener.hear(begun).await;
        }
    };
    tokio::join!(saying, hearing);
    stalled
}
