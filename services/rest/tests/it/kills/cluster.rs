use std::time::{Duration, Instant};

use common::{Environment as _, ProcessEnvironment};
use testkit::history::{Verdict, Violation};

use super::ground::Ground;
use super::writers::{Manners, Writers};

const WRITERS: usize = 8;
/// Acknowledged writes between one kill and the next.
const BETWEEN: usize = 40;

/// How often each is killed: `REST_KILLS`, a few times unless set.
fn kills() -> usize {
    let given = ProcessEnvironment.var("REST_KILLS");
    given.map_or(3, |text| text.parse().expect("a number of kills"))
}

async fn until_it_serves(ground: &Ground) -> Duration {
    let down = Instant::now();
    while !ground.serves().await {
        assert!(down.elapsed() < Duration::from_secs(30), "never again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    down.elapsed()
}

async fn verdict(ground: &Ground, writers: Writers) -> Verdict {
    let history = writers.stop().await;
    history.check(ground.ledger().await)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Service,
    Postgres,
}

/// Kills it again and again under load; the longest time until it served again, and the verdict.
async fn kill(victim: Victim) -> (Duration, Verdict) {
    let mut ground = Ground::lay().await;
    until_it_serves(&ground).await;
    let writers = Writers::start(&ground, WRITERS, Manners::Keyed);
    let mut longest = Duration::ZERO;
    for _ in 0..kills() {
        writers.achieve(BETWEEN).await;
        match victim {
            Victim::Service => ground.kill_service(),
            Victim::Postgres => ground.kill_postgres().await,
        }
        longest = longest.max(until_it_serves(&ground).await);
    }
    writers.achieve(BETWEEN).await;
    (longest, verdict(&ground, writers).await)
}

fn assert_kept(victim: Victim, (longest, verdict): &(Duration, Verdict)) {
    println!(
        "{victim:?} killed {} times: {verdict}; serving again after at most {longest:?}",
        kills()
    );
    assert_eq!(verdict.violations, []);
    assert!(verdict.acknowledged > kills() * BETWEEN);
    // Five seconds are promised, on a machine that has not several other tests to run.
    assert!(*longest < Duration::from_secs(15), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_killed_under_load_loses_and_doubles_nothing() {
    assert_kept(Victim::Service, &kill(Victim::Service).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_killed_under_load_loses_and_doubles_nothing() {
    assert_kept(Victim::Postgres, &kill(Victim::Postgres).await);
}

/// The control: commits that are acknowledged before they are on disk are lost, and it is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_for_the_disk_a_crash_loses_what_was_acknowledged() {
    let mut ground = Ground::lay().await;
    for sql in [
        "alter system set synchronous_commit = off",
        "alter system set wal_writer_delay = '10s'",
        "select pg_reload_conf()",
    ] {
        ground.execute(sql).await;
    }
    until_it_serves(&ground).await;
    let writers = Writers::start(&ground, WRITERS, Manners::Keyed);
    writers.achieve(BETWEEN).await;
    ground.kill_postgres().await;
    until_it_serves(&ground).await;
    let verdict = verdict(&ground, writers).await;
    let is_lost = |violation: &Violation| matches!(violation, Violation::Lost(_));
    assert!(verdict.violations.iter().any(is_lost), "{verdict}");
}

/// The control: what is sent again without a key is applied again, and it is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_keys_what_is_sent_again_is_applied_again() {
    let ground = Ground::lay().await;
    until_it_serves(&ground).await;
    let writers = Writers::start(&ground, WRITERS, Manners::Careless);
    writers.achieve(200).await;
    let verdict = verdict(&ground, writers).await;
    let is_doubled = |violation: &Violation| matches!(violation, Violation::Doubled { .. });
    assert!(verdict.violations.iter().any(is_doubled), "{verdict}");
}
