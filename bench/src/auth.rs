//! What sign-ins cost, and what they do to everybody else.

mod client;
mod hash;
mod storm;
mod timings;
mod verification;

use std::path::PathBuf;
use std::time::Duration;

use crate::rest::instance::Instance;
use crate::rest::report::print;
use client::Client;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each load is measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many times each, an unknown user and a wrong password are timed
    #[arg(long, default_value_t = 2_000)]
    timings: usize,
    /// After how many sign-ins memory is looked at again
    #[arg(long, default_value_t = 2_000)]
    logins: usize,
    /// The sign-ins and what they leave in memory, and nothing else
    #[arg(long)]
    only_memory: bool,
    /// A little of everything: whether it runs, not how fast
    #[arg(long)]
    quick: bool,
    /// The folder of the program `selfdb`, where it is not this program's
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

/// Limits would measure themselves.
const SETTINGS: &str = "GOTRUE_RATE_LIMIT_TOKEN_REFRESH=0\nGOTRUE_RATE_LIMIT_WRONG_PASSWORDS=0\n";

/// How often memory is looked at between many sign-ins.
const PARTS: usize = 10;

pub(crate) async fn run(arguments: &Arguments) {
    let own = std::env::current_exe().expect("this program's path");
    let folder = arguments.programs.as_deref().or(own.parent());
    let instance = Instance::start_with(folder.expect("a folder"), SETTINGS).await;
    let sql = "create table public.bench_auth (id int primary key); \
               insert into public.bench_auth select generate_series(1, 1000)";
    instance.execute(sql).await;
    let client = Client::new(&instance);
    client.sign_up().await;
    let (seconds, timings, logins) = if arguments.quick {
        (1, 50, 50)
    } else {
        (arguments.seconds, arguments.timings, arguments.logins)
    };
    let load = Duration::from_secs(seconds);

    print("| | measured | goal |\n|---|---:|---:|");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if arguments.only_memory {
        return memory(&instance, &client, (cores, logins)).await;
    }
    let cost = hash::cost(if arguments.quick { 3 } else { 50 });
    row(
        "argon2id, 46 MiB, one pass, alone",
        &format!("{} ms", ms(cost)),
        "",
    );
    storm::run(&client, load, (cores, cost)).await;
    verification::run(&instance, if arguments.quick { 1_000 } else { 50_000 });
    timings::run(&client, timings).await;
    memory(&instance, &client, (cores, logins)).await;
}

/// Resident memory before, during and after many sign-ins; the first ones fill what is filled once.
async fn memory(instance: &Instance, client: &Client, (cores, logins): (usize, usize)) {
    let resident = || format!("{:.1}", crate::idle::resident_mib(instance.server.pid()));
    let part = logins.div_ceil(PARTS);
    client.sign_in_times(part, cores * 2).await;
    let mut samples = vec![resident()];
    for _ in 0..PARTS {
        client.sign_in_times(part, cores * 2).await;
        samples.push(resident());
    }
    let name = format!("resident while {} more sign in", part * PARTS);
    row(&name, &format!("{} MiB", samples.join(" → ")), "flat");
}

fn row(name: &str, measured: &str, goal: &str) {
    print(&format!("| {name} | {measured} | {goal} |"));
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// The value that so much of `sorted` is not above, from 0 to 1.
fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a slice that fits in memory"
    )]
    let index = (last as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}
