//! Benchmarks, one subcommand each; see `README.md`.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on stops, with the reason"
)]

mod auth;
mod cpu;
mod functions;
mod idle;
mod pipeline;
mod realtime;
mod rest;
mod schema_cache;
mod storage;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures this code next to its peers")]
struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Sign-ins, what they do to others, tokens, timings, memory.
    Auth(auth::Arguments),
    /// Functions: their first request, the next ones, memory, many of them.
    Functions(functions::Arguments),
    /// The memory of a running instance that does nothing.
    Idle(idle::Arguments),
    /// One request through the pipelined client, sqlx and pgbench.
    Pipeline(pipeline::Arguments),
    /// Sockets of the realtime service, and of servers that do nothing but hand messages on.
    Realtime(realtime::Arguments),
    /// One of those servers, which `realtime` starts.
    #[command(hide = true)]
    RealtimePeer {
        /// Where it listens.
        port: u16,
    },
    /// Requests of the REST service, of pgbench and of other servers.
    Rest(rest::Arguments),
    /// The schema cache of the REST service with very many tables.
    SchemaCache(schema_cache::Arguments),
    /// Objects up and down, beside nginx, `SeaweedFS` and dd.
    Storage(storage::Arguments),
}

#[tokio::main]
async fn main() {
    match Arguments::parse().benchmark {
        Benchmark::Auth(arguments) => auth::run(&arguments).await,
        Benchmark::Functions(arguments) => functions::run(&arguments).await,
        Benchmark::Idle(arguments) => idle::run(&arguments).await,
        Benchmark::Pipeline(arguments) => pipeline::run(&arguments).await,
        Benchmark::Realtime(arguments) => realtime::run(arguments).await,
        Benchmark::RealtimePeer { port } => realtime::serve_peer(port).await,
        Benchmark::Rest(arguments) => rest::run(&arguments).await,
        Benchmark::SchemaCache(arguments) => schema_cache::run(&arguments).await,
        Benchmark::Storage(arguments) => storage::run(&arguments).await,
    }
}
