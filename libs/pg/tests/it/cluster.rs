//! A Postgres of our own: made, killed, back, stopped.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use pg::local::{Account, Binaries, LocalError, LocalPostgres};
use pg::sqlx::{AssertSqlSafe, PgPool, query, query_scalar};
use pg::{Endpoint, PoolOptions, is_unavailable, pool};
use testkit::fault::{self, PrivateCluster};
use tokio_util::sync::CancellationToken;

const BACK_WITHIN: Duration = Duration::from_secs(10);

fn patient_pool(endpoint: &Endpoint) -> PgPool {
    let mut options = PoolOptions::new("test", 4);
    options.acquire_timeout = Duration::from_secs(1);
    pool(endpoint, &options)
}

/// Asks until it is answered; what is refused meanwhile must say that the server is away.
async fn answered(pool: &PgPool) -> Duration {
    let began = Instant::now();
    while let Err(error) = query("select 1").execute(pool).await {
        assert!(is_unavailable(&error), "{error:?}");
        assert!(began.elapsed() < BACK_WITHIN, "not back: {error}");
    }
    began.elapsed()
}

async fn setting(pool: &PgPool, name: &str) -> String {
    query_scalar("select current_setting($1)")
        .bind(name)
        .fetch_one(pool)
        .await
        .expect("a setting")
}

#[tokio::test]
async fn a_new_cluster_is_configured_as_designed_and_its_data_outlives_a_restart() {
    let mut cluster = PrivateCluster::start().await;
    let pool = patient_pool(&cluster.endpoint());
    for (name, value) in [
        ("listen_addresses", "127.0.0.1"),
        ("wal_level", "logical"),
        ("max_slot_wal_keep_size", "1GB"),
        ("password_encryption", "scram-sha-256"),
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("fsync", "on"),
    ] {
        assert_eq!(setting(&pool, name).await, value, "{name}");
    }
    query("create table kept as select 42 as answer")
        .execute(&pool)
        .await
        .expect("written");

    let mut wrong = cluster.endpoint();
    wrong.password = Some("some-other-password".into());
    let refused = query("select 1")
        .execute(&patient_pool(&wrong))
        .await
        .expect_err("refused");
    assert_eq!(pg::sqlstate::of(&refused).as_deref(), Some("28P01"));

    let again = LocalPostgres::prepare(cluster.config()).await;
    assert!(
        matches!(again, Err(LocalError::InUse { .. })),
        "one instance at a time"
    );

    cluster.stop().await;
    cluster.restart().await;
    answered(&pool).await;
    let answer: i32 = query_scalar("select answer from kept")
        .fetch_one(&pool)
        .await
        .expect("kept");
    assert_eq!(answer, 42);

    cluster.stop().await;
    let file = cluster.config().data_dir.join("postgres/PG_VERSION");
    std::fs::write(file, "9\n").expect("written");
    let error = LocalPostgres::prepare(cluster.config())
        .await
        .expect_err("another version's");
    assert!(
        error.to_string().contains("belongs to Postgres 9"),
        "{error}"
    );
}

#[tokio::test]
async fn killed_under_load_it_is_back_within_ten_seconds_with_every_acknowledged_commit() {
    let mut cluster = PrivateCluster::start().await;
    assert_eq!(lost_by_kills(&mut cluster).await, Vec::<i64>::new());
}

#[tokio::test]
async fn the_loss_would_be_seen_if_commits_were_acknowledged_early() {
    let mut cluster = PrivateCluster::start().await;
    let pool = patient_pool(&cluster.endpoint());
    for early in ["synchronous_commit = off", "wal_writer_delay = '10s'"] {
        let sql = AssertSqlSafe(format!("alter system set {early}"));
        query(sql).execute(&pool).await.expect("altered");
    }
    cluster.stop().await;
    cluster.restart().await;
    assert_ne!(lost_by_kills(&mut cluster).await, Vec::<i64>::new());
}

/// Writes without pause through two kills of the supervised server; answers what had been
/// acknowledged and is not there.
async fn lost_by_kills(cluster: &mut PrivateCluster) -> Vec<i64> {
    let pool = patient_pool(&cluster.endpoint());
    answered(&pool).await;
    query("create table log (id bigint primary key)")
        .execute(&pool)
        .await
        .expect("a table");
    // The table is there in any case: only rows are at stake.
    query("checkpoint")
        .execute(&pool)
        .await
        .expect("written out");
    let running = cluster.take_running();
    let mut postmaster = running.pid().expect("running");
    let shutdown = CancellationToken::new();
    let supervisor = tokio::spawn(running.supervise(shutdown.clone()));

    let next = Arc::new(AtomicI64::new(0));
    let stop = CancellationToken::new();
    let start = |_| tokio::spawn(write(pool.clone(), Arc::clone(&next), stop.clone()));
    let writers: Vec<_> = (0..3).map(start).collect();
    for _ in 0..2 {
        let written = next.load(Ordering::SeqCst);
        while next.load(Ordering::SeqCst) < written + 50 {
            tokio::task::yield_now().await;
        }
        fault::kill(postmaster);
        postmaster = new_postmaster(cluster, postmaster).await;
        answered(&pool).await;
    }
    stop.cancel();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("a writer"));
    }
    let kept: Vec<i64> = query_scalar("select id from log")
        .fetch_all(&pool)
        .await
        .expect("rows");
    let kept: HashSet<_> = kept.into_iter().collect();

    shutdown.cancel();
    supervisor.await.expect("supervised to its end");
    let error = query("select 1").execute(&pool).await.expect_err("stopped");
    assert!(is_unavailable(&error));
    acknowledged.retain(|id| !kept.contains(id));
    acknowledged
}

async fn write(pool: PgPool, next: Arc<AtomicI64>, stop: CancellationToken) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    while !stop.is_cancelled() {
        let id = next.fetch_add(1, Ordering::SeqCst);
        let written = query("insert into log values ($1)")
            .bind(id)
            .execute(&pool)
            .await;
        if written.is_ok() {
            acknowledged.push(id);
        }
    }
    acknowledged
}

async fn new_postmaster(cluster: &PrivateCluster, old: u32) -> u32 {
    let file = cluster.config().data_dir.join("postgres/postmaster.pid");
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let pid = text
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok());
        match pid.filter(|pid| *pid != old) {
            Some(pid) => return pid,
            None => assert!(began.elapsed() < BACK_WITHIN, "not started again"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_of_statements_leaves_nobody_in_the_way_of_the_next_start() {
    let mut cluster = PrivateCluster::start().await;
    let pool = patient_pool(&cluster.endpoint());
    let sleeper = tokio::spawn({
        let pool = pool.clone();
        async move { query("select pg_sleep(60)").execute(&pool).await }
    });
    let sleeping = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'";
    while query_scalar::<_, i64>(sleeping)
        .fetch_one(&pool)
        .await
        .expect("asked")
        == 0
    {}
    cluster.kill();
    cluster.restart().await;
    answered(&pool).await;
    assert!(sleeper.await.expect("joined").is_err());
}

#[tokio::test]
async fn a_server_that_outlived_its_instance_is_replaced() {
    let mut cluster = PrivateCluster::start().await;
    cluster.stop().await;
    let mut orphan = start_by_hand(&cluster);
    let pid = orphan.id().expect("running").to_string();
    let pool = patient_pool(&cluster.endpoint());
    answered(&pool).await;

    cluster.restart().await;
    answered(&pool).await;
    let current: String = query_scalar("select pg_read_file('postmaster.pid')")
        .fetch_one(&pool)
        .await
        .expect("the pid file");
    assert_ne!(current.lines().next(), Some(pid.as_str()));
    assert!(orphan.try_wait().expect("asked").is_some(), "it has ended");
}

/// What an instance that was killed leaves: a server that nobody watches and no lock.
fn start_by_hand(cluster: &PrivateCluster) -> tokio::process::Child {
    let config = cluster.config();
    let data = config.data_dir.join("postgres");
    let bin_dir = config.bin_dir.as_deref();
    let binaries = Binaries::find(bin_dir, &config.search_path, None).expect("binaries");
    let mut command = tokio::process::Command::new(binaries.program("postgres"));
    command
        .arg("-D")
        .arg(&data)
        .current_dir(&data)
        .stderr(std::process::Stdio::null());
    command
        .arg(format!("--port={}", config.port))
        .arg("--unix_socket_directories=");
    Account::for_server()
        .expect("an account")
        .apply(&mut command);
    command.spawn().expect("started")
}
