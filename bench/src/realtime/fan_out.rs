//! One socket speaks, all others hear.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::report::Measured;
use super::socket::{Dialect, Socket};
use crate::cpu;

/// How long the last message may take.
const REST: Duration = Duration::from_secs(5);

/// Where messages are handed on.
pub(super) struct Room {
    pub(super) address: String,
    pub(super) dialect: Dialect,
    pub(super) pid: u32,
}

/// How much.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) sockets: usize,
    /// Messages a second.
    pub(super) rate: usize,
    pub(super) time: Duration,
}

impl Load {
    pub(super) fn messages(self) -> usize {
        self.rate * usize::try_from(self.time.as_secs()).unwrap_or(1)
    }
}

pub(super) async fn measure(room: &Room, load: Load) -> Measured {
    let mut sockets = Vec::with_capacity(load.sockets);
    for _ in 0..load.sockets {
        sockets.push(Socket::join(&room.address, room.dialect, "").await);
    }
    let mut speaker = Socket::join(&room.address, room.dialect, "").await;
    let messages = load.messages();
    let begun = Instant::now();
    let before = cpu::family(room.pid);
    let listening = listen(sockets, messages, begun, load.time + REST);
    let pause = Duration::from_secs(1) / u32::try_from(load.rate).unwrap_or(1);
    let mut ticks = tokio::time::interval(pause);
    for _ in 0..messages {
        ticks.tick().await;
        speaker.say(begun.elapsed()).await;
    }
    let elapsed = begun.elapsed();
    let latencies = gather(listening).await;
    Measured {
        expected: messages * load.sockets,
        latencies,
        elapsed,
        cpu: cpu::family(room.pid).saturating_sub(before),
    }
}

/// Lets each socket hear `messages`; what has not come after `patience` will not.
pub(super) fn listen(
    sockets: Vec<Socket>,
    messages: usize,
    begun: Instant,
    patience: Duration,
) -> Vec<JoinHandle<Vec<u32>>> {
    let listen = |mut socket: Socket| async move {
        let mut latencies = Vec::with_capacity(messages);
        let hearing = async {
            for _ in 0..messages {
                latencies.push(socket.hear(begun).await);
            }
        };
        let _ = tokio::time::timeout(patience, hearing).await;
        latencies
    };
    sockets
        .into_iter()
        .map(|socket| tokio::spawn(listen(socket)))
        .collect()
}

pub(super) async fn gather(listening: Vec<JoinHandle<Vec<u32>>>) -> Vec<u32> {
    let mut latencies = Vec::new();
    for socket in listening {
        latencies.extend(socket.await.expect("no panic"));
    }
    latencies.sort_unstable();
    latencies
}

pub(super) fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}
