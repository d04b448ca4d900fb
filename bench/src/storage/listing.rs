//! Pages of a bucket with many objects.

use std::time::Instant;

use pg::sqlx;

use super::report::print;
use super::server::Server;

/// How many rows are inserted at once.
const AT_ONCE: i32 = 50_000;

/// Inserts so many rows, without bytes, and times pages under prefixes.
pub(super) async fn run(server: &Server, objects: i32) {
    let insert = "insert into storage.objects (bucket_id, name, metadata)
        select 'bench', format('listed/%s/%s', lpad((n / 1000)::text, 4, '0'), n), '{\"size\": 1}'
        from generate_series($1::int, $2::int) n";
    // A statement each, so that none meets the limit of the login.
    let mut done = 0;
    while done < objects {
        let last = objects.min(done + AT_ONCE);
        let inserted = sqlx::query(insert).bind(done + 1).bind(last);
        inserted.execute(&server.admin).await.expect("the rows");
        done = last;
    }
    let analysed = sqlx::raw_sql("analyze storage.objects");
    analysed.execute(&server.admin).await.expect("statistics");
    for prefix in ["", "listed", "listed/0007"] {
        let mut times = Vec::new();
        let mut entries = 0;
        for _ in 0..21 {
            let begun = Instant::now();
            entries = server.client.list(prefix).await;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        // What is asked for first is not in memory yet.
        let first = times.remove(0);
        times.sort_by(f64::total_cmp);
        let (middle, worst) = (times.get(times.len() / 2), times.last());
        print(&format!(
            "{}: a page of {entries} under \"{prefix}\" of {objects} objects: {first:.1} ms at \
             first, then {:.1} ms, at most {:.1} ms (goal: at most 15)",
            server.name,
            middle.copied().unwrap_or_default(),
            worst.copied().unwrap_or_default(),
        ));
    }
}
