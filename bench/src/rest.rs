//! What requests cost: our service, `pgbench` with the same transaction, and other servers.

mod capture;
mod case;
pub(crate) mod child;
mod client;
mod fastify;
pub(crate) mod instance;
pub(crate) mod load;
mod ours;
mod pgbench;
mod pocketbase;
pub(crate) mod report;
mod stream;
mod tokens;

use std::path::{Path, PathBuf};
use std::time::Duration;

use case::Case;
use child::Program;
use fastify::Fastify;
use instance::Instance;
use load::{Load, Request};
use pocketbase::Pocketbase;
use report::{Line, Report};
use tokens::Tokens;

use crate::cpu;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each line of the table is measured
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many connections ask at once
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// How many connections pgbench has: as many as our service has to Postgres
    #[arg(long, default_value_t = 8)]
    pgbench_connections: u32,
    /// Only the cases whose name has this in it
    #[arg(long, default_value = "")]
    cases: String,
    /// Leave the other servers out
    #[arg(long)]
    no_peers: bool,
    /// A second a line: whether everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Only stream so many GB of CSV, and tell how much memory that took
    #[arg(long, value_name = "GB")]
    csv_gb: Option<f64>,
    /// The folder of the programs `selfdb` and `selfdb-rest`, where it is not this program's
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) {
    let programs = programs(arguments);
    let instance = Instance::start(&programs).await;
    instance.execute(include_str!("rest/ground.sql")).await;
    if let Some(gigabytes) = arguments.csv_gb {
        stream::run(&instance, gigabytes).await;
        return;
    }
    let bench = Bench::prepare(arguments, &programs, instance).await;
    let mut report = Report::begin();
    let chosen = |case: &&Case| case.name.contains(&arguments.cases);
    for case in case::ALL.iter().filter(chosen) {
        report.case(case.name, case.goal);
        bench.measure(*case, &mut report).await;
    }
}

fn programs(arguments: &Arguments) -> PathBuf {
    let own = std::env::current_exe().expect("this program's path");
    let folder = arguments.programs.as_deref().or(own.parent());
    let folder = folder.expect("a folder").to_owned();
    for program in ["selfdb", "selfdb-rest"] {
        let there = folder.join(program).exists();
        assert!(
            there,
            "cargo build --release -p selfdb -p rest first: no {program}"
        );
    }
    folder
}

/// Everything that is measured, running.
struct Bench<'a> {
    arguments: &'a Arguments,
    tokens: Tokens,
    alone: Program,
    peers: Option<(Fastify, Pocketbase)>,
    instance: Instance,
}

impl<'a> Bench<'a> {
    async fn prepare(arguments: &'a Arguments, programs: &Path, instance: Instance) -> Self {
        let alone = ours::start_alone(programs, &instance).await;
        let peers = if arguments.no_peers {
            None
        } else {
            let pocketbase = Pocketbase::start(instance.folder()).await;
            Some((Fastify::start(&instance).await, pocketbase))
        };
        Self {
            arguments,
            tokens: Tokens::of(&instance),
            alone,
            peers,
            instance,
        }
    }

    fn seconds(&self) -> u64 {
        if self.arguments.quick {
            1
        } else {
            self.arguments.seconds
        }
    }

    async fn measure(&self, case: Case, report: &mut Report) {
        let (instance, tokens) = (&self.instance, &self.tokens);
        let gateway = ours::through_gateway(instance, tokens, case);
        let server = instance.server.pid();
        report.line(&self.line("SelfDB", server, &gateway).await);
        let direct = ours::directly(instance, tokens, case);
        let alone = self.alone.pid();
        report.line(&self.line("selfdb-rest alone", alone, &direct).await);
        report.line(&self.pgbench(&direct).await);
        let Some((fastify, pocketbase)) = &self.peers else {
            return;
        };
        let request = fastify.request(tokens, case);
        report.line(&self.line("fastify + pg", fastify.pid(), &request).await);
        let request = pocketbase.request(case);
        report.line(&self.line("pocketbase", pocketbase.pid(), &request).await);
    }

    async fn line(&self, name: &'static str, pid: u32, request: &Request) -> Line {
        client::ask(request).await;
        let connections = self.arguments.connections;
        let folder = self.instance.folder();
        // Connections and prepared statements are there before the measurement begins.
        load::run(folder, request, connections, 1).await;
        let used = || cpu::process(pid);
        let load = load::run(folder, request, connections, self.seconds());
        self.meter(name, used, load).await
    }

    async fn pgbench(&self, request: &Request) -> Line {
        let instance = &self.instance;
        let statements = capture::statements(instance, request).await;
        let connections = self.arguments.pgbench_connections;
        let running = pgbench::run(instance, &statements, connections, self.seconds());
        self.meter("pgbench", cpu::children, running).await
    }

    /// Reads what CPU a server and Postgres have `used` before and after a load.
    async fn meter(
        &self,
        server: &'static str,
        used: impl Fn() -> Duration,
        load: impl Future<Output = Load>,
    ) -> Line {
        let postmaster = self.instance.postmaster();
        let before = (used(), cpu::family(postmaster));
        let load = load.await;
        let after = (used(), cpu::family(postmaster));
        Line {
            server,
            load,
            server_cpu: after.0.saturating_sub(before.0),
            database_cpu: after.1.saturating_sub(before.1),
        }
    }
}
