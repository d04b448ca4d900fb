use common::{Environment as _, ProcessEnvironment};

use super::ground::Ground;
use super::holders::{Holders, Outcome};

const HOLDERS: usize = 6;
/// Rotations that are answered between one kill and the next.
const BETWEEN: usize = 30;

/// How often each is killed: `AUTH_KILLS`, a few times unless set.
fn kills() -> usize {
    let given = ProcessEnvironment.var("AUTH_KILLS");
    given.map_or(3, |text| text.parse().expect("a number of kills"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Service,
    Postgres,
}

/// Kills it again and again while sessions are refreshed.
async fn kill(ground: &mut Ground, victim: Victim, times: usize) -> Outcome {
    ground.until_it_serves().await;
    let holders = Holders::sign_up(ground, HOLDERS).await;
    for _ in 0..times {
        holders.rotate(BETWEEN).await;
        match victim {
            Victim::Service => ground.kill_service(),
            Victim::Postgres => ground.kill_postgres().await,
        }
        ground.until_it_serves().await;
    }
    holders.rotate(BETWEEN).await;
    holders.stop().await
}

async fn assert_kept(victim: Victim) {
    let mut ground = Ground::lay().await;
    let outcome = kill(&mut ground, victim, kills()).await;
    println!(
        "{victim:?} killed {} times: {} rotations of {HOLDERS} sessions, locked out: {:?}",
        kills(),
        outcome.rotations,
        outcome.locked_out,
    );
    assert_eq!(outcome.locked_out, [""; 0]);
    let live = "select count(*) from auth.refresh_tokens where not revoked group by session_id";
    assert_eq!(
        ground.numbers(live).await,
        [1; HOLDERS],
        "one live family each"
    );
    let sessions = ground.numbers("select count(*) from auth.sessions").await;
    assert_eq!(sessions, [i64::try_from(HOLDERS).expect("few")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_killed_mid_rotation_locks_nobody_out() {
    assert_kept(Victim::Service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_killed_mid_rotation_locks_nobody_out() {
    assert_kept(Victim::Postgres).await;
}

/// The control: where rotations are answered before they are on disk, a crash takes the tokens that
/// clients were given, and it is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_for_the_disk_a_crash_locks_out() {
    let mut ground = Ground::lay().await;
    for sql in [
        "alter system set synchronous_commit = off",
        "alter system set wal_writer_delay = '10s'",
        "select pg_reload_conf()",
    ] {
        ground.execute(sql).await;
    }
    let outcome = kill(&mut ground, Victim::Postgres, 1).await;
    assert!(!outcome.locked_out.is_empty());
}
