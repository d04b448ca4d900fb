use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::api::{Api, get};
use pg::sqlx::{AssertSqlSafe, raw_sql};
use pg::{Endpoint, PoolOptions};

#[tokio::test]
async fn a_new_column_and_table_are_seen_without_a_restart() {
    let api = Api::start().await;
    let before = api.ask(&get("/fresh")).await;
    assert_eq!(before.json()["code"], "PGRST205");

    api.db
        .execute("create table fresh (id int primary key)")
        .await;
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/fresh").bearer(token),
        |response| response.status == 200,
    )
    .await;

    api.db
        .execute("alter table fresh add column parent int references films")
        .await;
    api.until(
        |api| api.service.get("/fresh?select=films(id)").bearer(token),
        |response| response.status == 200,
    )
    .await;
}

#[tokio::test]
async fn before_the_first_load_the_answer_is_to_come_back() {
    let api = Api::with(|settings| settings).await;
    let settings = api.db.settings().with("POSTGRES_PORT", "1");
    let config: rest::Config = testkit::config(&settings);
    let away = testkit::TestService::start(config).await;
    let response = away.get("/films").bearer(api.db.service_token()).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.json()["code"], "PGRST002");
    assert_eq!(response.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_lost_database_is_503_and_comes_back() {
    let api = Api::start().await;
    let name = api.db.name();
    let elsewhere = Endpoint {
        database: "postgres".to_owned(),
        ..api.db.endpoint("postgres")
    };
    let elsewhere = pg::pool(&elsewhere, &PoolOptions::new("test", 1));
    let run = |sql: String| raw_sql(AssertSqlSafe(sql)).execute(&elsewhere);
    run(format!("alter database {name} allow_connections false"))
        .await
        .expect("no new connections");
    run(format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    ))
    .await
    .expect("no old connections");
    let away = api.ask(&get("/films?select=id&id=eq.1")).await;
    assert_eq!(away.status, 503, "{}", away.text());
    assert_eq!(away.header("retry-after"), Some("1"));

    run(format!("alter database {name} allow_connections true"))
        .await
        .expect("connections again");
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/films?select=id&id=eq.1").bearer(token),
        |response| response.status == 200,
    )
    .await;
    elsewhere.close().await;
}

/// Reads `path` over and over from several clients until `done`, and answers how often, with what
/// was no 200.
async fn read_meanwhile<T>(
    api: &Api,
    path: &'static str,
    done: impl Future<Output = T>,
) -> (usize, Vec<(u16, String)>, T) {
    let ended = AtomicBool::new(false);
    let client = async || {
        let (mut count, mut others) = (0, Vec::new());
        while !ended.load(Ordering::Relaxed) {
            let answer = api.service.get(path).bearer(api.db.service_token()).await;
            count += 1;
            if answer.status != 200 {
                others.push((answer.status.as_u16(), answer.text()));
            }
            // An answer of the cache alone waits for nothing.
            tokio::task::yield_now().await;
        }
        (count, others)
    };
    let change = async {
        let done = done.await;
        ended.store(true, Ordering::Relaxed);
        done
    };
    let (one, two, three, done) = tokio::join!(client(), client(), client(), change);
    let clients = [one, two, three];
    let count = clients.iter().map(|(count, _)| count).sum();
    let others = clients.into_iter().flat_map(|(_, others)| others).collect();
    (count, others, done)
}

/// How long a change may take to be seen: on a machine with nothing to spare, ten times as long.
fn patience() -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let waiting = load.split(' ').next().and_then(|load| load.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cores = u16::try_from(cores).unwrap_or(u16::MAX);
    let busy = waiting.is_some_and(|waiting: f64| waiting > 1.5 * f64::from(cores));
    Duration::from_millis(if busy { 2000 } else { 200 })
}

#[tokio::test]
async fn a_column_is_added_under_load_without_an_error() {
    let api = Api::start().await;
    let token = api.db.service_token();
    let change = async {
        let mut delays = Vec::new();
        let pool = api.db.admin_pool();
        for number in 0..10 {
            let sql = format!(
                "alter table films add column extra_{number} int default 1 references directors"
            );
            raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .expect("a column");
            let began = Instant::now();
            // What Postgres has is seen at once; relationships only by the cache.
            let path =
                format!("/films?select=extra_{number},one:directors!extra_{number}(id)&id=eq.1");
            let seen = api
                .until(
                    |api| api.service.get(&path).bearer(token),
                    |seen| seen.status == 200,
                )
                .await;
            delays.push(began.elapsed());
            let wanted = format!("[{{\"extra_{number}\":1,\"one\":{{\"id\":1}}}}]");
            assert_eq!(seen.text(), wanted);
        }
        delays
    };
    let path = "/films?select=*,roles(character)&order=id&limit=2";
    let (count, others, mut delays) = read_meanwhile(&api, path, change).await;
    assert!(count > 10, "{count} reads are no load");
    assert_eq!(others, []);
    delays.sort();
    eprintln!("seen after {delays:?}, with {count} reads meanwhile");
    assert!(delays[delays.len() / 2] < patience(), "{delays:?}");
}

#[tokio::test]
async fn what_is_renamed_or_dropped_under_load_is_missed_clearly() {
    let api = Api::start().await;
    let token = api.db.service_token();
    let change = async {
        api.db
            .execute("alter table films rename column year to made; alter table technical_specs rename to specs")
            .await;
        api.until(
            |api| {
                api.service
                    .get("/films?select=made,specs(runtime)")
                    .bearer(token)
            },
            |seen| seen.status == 200,
        )
        .await;
        api.db.execute("alter table films drop column made").await;
        api.until(
            |api| {
                api.service
                    .get("/films?select=title&made=gt.0")
                    .bearer(token)
            },
            |seen| seen.status == 400,
        )
        .await;
    };
    let path = "/films?select=year,technical_specs(runtime)";
    let (count, others, ()) = read_meanwhile(&api, path, change).await;
    assert!(others.len() <= count);
    for (status, text) in &others {
        // Before the reload Postgres says it, after it the cache.
        let code = ["42703", "42P01", "PGRST200"]
            .into_iter()
            .find(|code| text.contains(code));
        assert!(
            code.is_some() && matches!(status, 400 | 404),
            "{status}: {text}"
        );
    }
    assert!(!others.is_empty());
}
