//! The figures that `PostgREST` documents, in Prometheus' text format.

use std::fmt::Write as _;

use crate::access::Authority;
use crate::live::Live;

/// All of them.
pub(super) fn text(live: &Live) -> String {
    let app = live.app();
    let loads = live.loads();
    let pool = app.user.pool_use();
    let jwt = match &app.authority {
        Authority::Operator(verifier) => verifier.cache_use(),
        Authority::Platform(_) | Authority::None => jwt::postgrest::CacheUse::default(),
    };
    let mut text = String::new();
    let mut tell = |name: &str, kind: &str, help: &str, values: &[(&str, f64)]| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value:?}");
        }
    };
    tell(
        "pgrst_schema_cache_query_time_seconds",
        "gauge",
        "The query time in seconds of the last schema cache load",
        &[("", loads.last_seconds)],
    );
    let counts = [
        ("{status=\"SUCCESS\"}", figure(loads.done)),
        ("{status=\"FAIL\"}", figure(loads.failed)),
    ];
    let help = "The total number of times the schema cache was loaded";
    tell("pgrst_schema_cache_loads_total", "counter", help, &counts);
    let help = "The total number of pool connection timeouts";
    let timeouts = [("", figure(pool.timeouts))];
    tell("pgrst_db_pool_timeouts_total", "counter", help, &timeouts);
    for (name, help, value) in [
        (
            "available",
            "Available connections in the pool",
            pool.available,
        ),
        (
            "waiting",
            "Requests waiting to acquire a pool connection",
            pool.waiting,
        ),
        ("max", "Max pool connections", pool.max),
    ] {
        let name = format!("pgrst_db_pool_{name}");
        tell(&name, "gauge", help, &[("", figure(value as u64))]);
    }
    for (name, help, value) in [
        (
            "requests",
            "The total number of JWT cache lookups",
            jwt.requests,
        ),
        ("hits", "The total number of JWT cache hits", jwt.hits),
        (
            "evictions",
            "The total number of JWT cache evictions",
            jwt.evictions,
        ),
    ] {
        let name = format!("pgrst_jwt_cache_{name}_total");
        tell(&name, "counter", help, &[("", figure(value))]);
    }
    text.push_str(&common::metrics::render());
    text
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people to look at")]
fn figure(count: u64) -> f64 {
    count as f64
}
