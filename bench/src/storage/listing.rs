//! Pages of a bucket with many objects.

use std::time::Instant;

use pg::sqlx;

use super::report::print;
use super::server::Server;

/// Inserts so many rows, without bytes, and times pages under prefixes.
pub(super) async fn run(server: &Server, objects: i32) {
    let insert = "insert into storage.objects (bucket_id, name, metadata)
        select 'bench', format('listed/%s/%s', lpad((n / 1000)::text, 4, '0'), n), '{\"size\": 1}'
        from generate_series(1, $1::int) n";
    let inserted = sqlx::query(insert).bind(objects);
    inserted.execute(&server.admin).await.expect("the rows");
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
