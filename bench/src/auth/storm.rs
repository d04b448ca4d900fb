//! As many sign-ins as there can be, and what those who read rows notice of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::Client;
use super::{ms, quantile, row};

/// How often a row is read meanwhile: far from what the machine can do.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn run(client: &Client, load: Duration, (cores, cost): (usize, Duration)) {
    let idle = p99(client, load).await;

    let stop = Arc::<AtomicBool>::default();
    let done = Arc::<AtomicUsize>::default();
    let mut tasks = JoinSet::new();
    for _ in 0..cores * 4 {
        let (client, stop, done) = (client.clone(), Arc::clone(&stop), Arc::clone(&done));
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                client.sign_in().await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let begun = Instant::now();
    let before = done.load(Ordering::Relaxed);
    tokio::time::sleep(load).await;
    let signed_in = done.load(Ordering::Relaxed) - before;
    let elapsed = begun.elapsed();
    let stormy = p99(client, load).await;
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let (rate, possible) = (
        signed_in as f64 / elapsed.as_secs_f64(),
        cores as f64 / cost.as_secs_f64(),
    );
    let share = rate / possible * 100.0;
    let name = format!("sign-ins a second, {cores} cores");
    let measured = format!("{rate:.1} of {possible:.1} ({share:.0} %)");
    row(&name, &measured, "≥ 95 % of cores ÷ hash");
    let ratio = stormy.as_secs_f64() / idle.as_secs_f64();
    let measured = format!("{} → {} ms (× {ratio:.2})", ms(idle), ms(stormy));
    row("REST p99, idle → while all sign in", &measured, "≤ × 1.5");
}

async fn p99(client: &Client, load: Duration) -> Duration {
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut id = 0;
    while begun.elapsed() < load {
        times.push(client.read(id).await);
        id += 1;
        tokio::time::sleep(PAUSE).await;
    }
    times.sort();
    quantile(&times, 0.99)
}
