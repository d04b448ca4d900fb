//! Objects up and down: a running instance beside nginx, `SeaweedFS` and `dd`.

mod client;
mod memory;
mod peers;
mod report;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use common::{Environment as _, EnvironmentMap};
use pg::{Endpoint, PoolOptions, sqlx};

use crate::cpu;
use client::Client;
use peers::{Nginx, Weed};
use report::{Line, Report};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The env file of a running instance, which should be of a release build.
    #[arg(long, default_value = ".env")]
    env_file: PathBuf,
    /// Seconds of each load.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// A smoke run: short loads, 64 MiB instead of 5 GiB, 20,000 objects instead of a million.
    #[arg(long)]
    quick: bool,
}

pub(crate) async fn run(arguments: &Arguments) {
    let environment = EnvironmentMap::from_file(&arguments.env_file).expect("the env file");
    let setting = |name: &str| environment.var(name).expect(name);
    let base = format!("http://127.0.0.1:{}/storage/v1", setting("API_PORT"));
    let client = Client::new(base.clone(), setting("SERVICE_ROLE_KEY"));
    let bucket = format!("bench-{}", std::process::id());
    client.make_bucket(&bucket).await;
    let seconds = if arguments.quick {
        1
    } else {
        arguments.seconds
    };
    let mut report = Report::default();
    downloads(&client, &bucket, seconds, &mut report).await;
    uploads(
        &client,
        &bucket,
        if arguments.quick { 20 } else { 200 },
        &mut report,
    )
    .await;
    let large = if arguments.quick {
        64 * MIB
    } else {
        5 * KIB * MIB
    };
    let server = memory::serving(setting("API_PORT").parse().expect("a port"));
    large_object(&client, &bucket, large, server, &mut report).await;
    let rows = if arguments.quick { 20_000 } else { 1_000_000 };
    let database = format!(
        "postgres://postgres:{}@127.0.0.1:{}/postgres?sslmode=disable",
        setting("POSTGRES_PASSWORD"),
        setting("POSTGRES_PORT")
    );
    let database = Endpoint::from_url(&database).expect("a URL");
    listing(&client, &database, &bucket, rows, &mut report).await;
    client.empty(&bucket).await;
    report.print();
}

/// GET of small and large public objects, ours and nginx's, by wrk.
async fn downloads(client: &Client, bucket: &str, seconds: u64, report: &mut Report) {
    let nginx = Nginx::start();
    for (name, size, wanted) in [("4 KB", 4 * KIB, 0.30), ("1 MB", MIB, 0.85)] {
        let key = format!("get-{size}");
        client.put(bucket, &key, size).await.expect("an object");
        nginx.put(&key, size);
        let ours = client.public_url(bucket, &key);
        let ours = peers::wrk(&ours, seconds);
        let theirs = peers::wrk(&nginx.url(&key), seconds);
        report.add(Line {
            what: format!("GET {name}, requests/s"),
            ours,
            peer: ("nginx", theirs),
            wanted: ours >= wanted * theirs,
        });
    }
}

/// PUT of 1 MB by four clients, ours, `SeaweedFS`' and `dd`'s; then 200 at once.
async fn uploads(client: &Client, bucket: &str, count: usize, report: &mut Report) {
    let ours = client.put_many(bucket, count, 4).await;
    let dd = peers::dd(count);
    if let Some(weed) = Weed::start().await {
        let theirs = weed.put_many(count, 4).await;
        report.add(Line {
            what: "PUT 1 MB, MB/s".to_owned(),
            ours,
            peer: ("SeaweedFS", theirs),
            wanted: ours >= 5.0 * theirs || ours >= 0.7 * dd,
        });
    }
    report.add(Line {
        what: "PUT 1 MB, MB/s".to_owned(),
        ours,
        peer: ("dd dsync", dd),
        wanted: ours >= 0.7 * dd,
    });
    let begun = Instant::now();
    let before = cpu::own();
    let done = client.put_many(bucket, 200, 200).await;
    report.note(&format!(
        "200 parallel uploads of 1 MB: no error, {done:.0} MB/s, {:.1} s, client CPU {:.1} s",
        begun.elapsed().as_secs_f64(),
        (cpu::own() - before).as_secs_f64(),
    ));
}

/// One large object up and down, and what the server's memory peaks at.
async fn large_object(
    client: &Client,
    bucket: &str,
    size: usize,
    server: Option<u32>,
    report: &mut Report,
) {
    let begun = Instant::now();
    let put = client.put(bucket, "large", size).await;
    put.expect("the large object");
    let up = begun.elapsed();
    let begun = Instant::now();
    let read = client.read(bucket, "large").await;
    assert_eq!(read, size, "all of the large object");
    let resident = server.map_or(0.0, memory::peak_mib);
    let rate = |time: std::time::Duration| report::number(size / MIB) / time.as_secs_f64();
    report.note(&format!(
        "{} MiB: up {:.0} MiB/s, down {:.0} MiB/s",
        size / MIB,
        rate(up),
        rate(begun.elapsed()),
    ));
    report.add(Line {
        what: "peak resident, MiB (at most)".to_owned(),
        ours: resident,
        peer: ("limit", 80.0),
        wanted: resident > 0.0 && resident <= 80.0,
    });
}

/// A page under a prefix of a bucket with many objects.
async fn listing(
    client: &Client,
    database: &Endpoint,
    bucket: &str,
    rows: i32,
    report: &mut Report,
) {
    let pool = pg::pool(database, &PoolOptions::new("bench", 1));
    let insert = "insert into storage.objects (bucket_id, name, metadata)
        select $1, format('listed/%s/%s', lpad((n / 1000)::text, 4, '0'), n), '{\"size\": 1}'
        from generate_series(1, $2::int) n";
    let done = sqlx::query(insert)
        .bind(bucket)
        .bind(rows)
        .execute(&pool)
        .await;
    done.expect("many rows");
    sqlx::query("analyze storage.objects")
        .execute(&pool)
        .await
        .expect("analysed");
    let mut worst = 0.0_f64;
    for prefix in ["listed/0007", "listed", "listed/0012"] {
        // The first asks for what is not in memory yet.
        client.list(bucket, prefix).await;
        let begun = Instant::now();
        client.list(bucket, prefix).await;
        worst = worst.max(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let delete = "delete from storage.objects where bucket_id = $1 and name like 'listed/%'";
    let done = sqlx::query(delete).bind(bucket).execute(&pool).await;
    done.expect("no rows");
    report.add(Line {
        what: format!("page of {rows} objects, ms (at most)"),
        ours: worst,
        peer: ("limit", 15.0),
        wanted: worst <= 15.0,
    });
}
