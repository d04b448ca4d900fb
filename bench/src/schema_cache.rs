//! The schema cache of a large schema: loaded, refreshed after a change, and what requests feel of
//! either.

mod ground;
mod reads;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ground::Ground;
use reads::Reads;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many tables there are
    #[arg(long, default_value_t = 10_000)]
    tables: u32,
    /// How often each thing is done
    #[arg(long, default_value_t = 10)]
    times: u32,
    /// The folder of the program `selfdb-rest`, where it is not this program's
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

/// What something took.
#[derive(Default)]
struct Cost {
    wall: Duration,
    service: Duration,
    postgres: Duration,
}

pub(crate) async fn run(arguments: &Arguments) {
    let began = Instant::now();
    let mut ground = Ground::lay(arguments.tables, arguments.programs.as_deref()).await;
    print(&format!(
        "{} tables, made in {:.0} s\n\n\
         | | wall ms | service CPU ms | Postgres CPU ms |\n|---|---:|---:|---:|",
        arguments.tables,
        began.elapsed().as_secs_f64()
    ));
    let start = ground.start().await;
    line("start, with the first load", &start, 1);
    let mut loads = Cost::default();
    for _ in 0..arguments.times {
        loads.add(&ground.reload().await);
    }
    line("load of everything", &loads, arguments.times);
    let mut refreshes = Cost::default();
    for number in 0..arguments.times {
        refreshes.add(&ground.add_column(number).await);
    }
    line("refresh after a column", &refreshes, arguments.times);
    let mut functions = Cost::default();
    for number in 0..arguments.times {
        functions.add(&ground.add_function(number).await);
    }
    line("refresh after a function", &functions, arguments.times);

    print("\n| reads | p50 ms | p99 ms | slowest ms |\n|---|---:|---:|---:|");
    let quiet = Reads::of(&ground, async {
        tokio::time::sleep(loads.wall).await;
    });
    quiet.await.print("meanwhile nothing");
    let loading = Reads::of(&ground, async {
        for _ in 0..arguments.times {
            ground.reload().await;
        }
    });
    loading.await.print("meanwhile loads of everything");
    let changing = Reads::of(&ground, async {
        for number in 0..arguments.times {
            ground.add_column(arguments.times + number).await;
        }
    });
    changing.await.print("meanwhile columns are added");
}

impl Cost {
    fn add(&mut self, other: &Self) {
        self.wall += other.wall;
        self.service += other.service;
        self.postgres += other.postgres;
    }
}

/// The mean of `times`.
fn line(name: &str, cost: &Cost, times: u32) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(times);
    print(&format!(
        "| {name} | {:.0} | {:.0} | {:.0} |",
        ms(cost.wall),
        ms(cost.service),
        ms(cost.postgres)
    ));
}

fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}").expect("standard output");
}
