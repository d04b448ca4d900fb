//! Objects up and down: our service, nginx, `SeaweedFS` and `dd`.

mod client;
mod listing;
mod nginx;
mod report;
mod server;
mod uploads;
mod weed;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tempfile::TempDir;

use crate::cpu;
use crate::rest::load::{Load, Request};
use nginx::Nginx;
use report::{Goal, Line, Report};
use server::Server;

pub(crate) const KIB: usize = 1024;
pub(crate) const MIB: usize = 1024 * KIB;

/// How many objects small downloads are spread over: as many as `wrk.lua` has keys.
const KEYS: usize = 1000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How long each line of the table is measured
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many connections ask at once
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// A second a line: whether everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Only downloads
    #[arg(long)]
    downloads: bool,
    /// Also so many MB up and down as one object, and the memory that takes
    #[arg(long, value_name = "MB")]
    large: Option<usize>,
    /// Also a page of a bucket of so many objects
    #[arg(long, value_name = "OBJECTS")]
    listed: Option<i32>,
    /// The folder of the programs `selfdb` and `selfdb-storage`, where it is not this program's
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) {
    let own = std::env::current_exe().expect("this program's path");
    let programs = arguments.programs.as_deref().or(own.parent());
    let programs = programs.expect("a folder");
    // There is one to choose from; it may have been chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut servers = vec![Server::alone(programs).await];
    servers.extend(Server::whole(programs).await);
    let bench = Bench {
        arguments,
        // The whole of SelfDB first, where it was built.
        servers: servers.into_iter().rev().collect(),
        home: server::folder(),
    };
    let mut report = Report::begin();
    bench.downloads(&mut report).await;
    if !arguments.downloads {
        bench.uploads(&mut report).await;
    }
    for server in &bench.servers {
        if let Some(size) = arguments.large {
            uploads::large(server, size * 1_000_000).await;
        }
        if let Some(objects) = arguments.listed {
            listing::run(server, objects).await;
        }
    }
}

/// Everything that is measured, running.
struct Bench<'a> {
    arguments: &'a Arguments,
    servers: Vec<Server>,
    home: TempDir,
}

impl Bench<'_> {
    fn seconds(&self) -> u64 {
        if self.arguments.quick {
            1
        } else {
            self.arguments.seconds
        }
    }

    fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Public objects, and the same bytes as nginx' files.
    async fn downloads(&self, report: &mut Report) {
        let nginx = Nginx::start(self.folder()).await;
        let cases = [
            ("GET 4 KB, 1,000 objects", 4 * KIB, "small/%d", KEYS, 0.30),
            ("GET 1 MB, one object", MIB, "large/1", 1, 0.85),
        ];
        for (name, size, path, keys, goal) in cases {
            let keys = (1..=keys).map(|key| path.replace("%d", &key.to_string()));
            for key in keys {
                nginx.put(&key, size);
                for server in &self.servers {
                    let put = server.client.put(&key, size).await;
                    put.expect("an object");
                }
            }
            report.case(name, Goal::RateOfPeer(goal));
            for server in &self.servers {
                let url = server.client.public_url(path);
                let used = || (cpu::process(server.pid), server.database_cpu());
                report.line(&self.get(server.name, url, used).await);
            }
            let used = || (cpu::family(nginx.pid()), Duration::ZERO);
            let line = self.get("nginx", nginx.url(path), used).await;
            report.line(&line);
        }
    }

    async fn get(
        &self,
        server: &'static str,
        url: String,
        used: impl Fn() -> (Duration, Duration),
    ) -> Line {
        let connections = self.arguments.connections;
        let request = Request::get(url);
        // Connections are there, and checks of what was read are done, before it begins.
        crate::rest::load::run(self.folder(), &request, connections, 1).await;
        let load = crate::rest::load::run(self.folder(), &request, connections, self.seconds());
        meter(server, used, load).await
    }

    /// 1 MB each: ours, `SeaweedFS`' and `dd`'s.
    async fn uploads(&self, report: &mut Report) {
        let count = if self.arguments.quick { 20 } else { 400 };
        report.case("PUT 1 MB, 8 at once", Goal::TimesPeer(5.0));
        for server in &self.servers {
            let used = || (cpu::process(server.pid), server.database_cpu());
            let load = uploads::many(count, 8, |number| server.client.put_one(number));
            report.line(&meter(server.name, used, load).await);
        }
        if let Some(weed) = weed::Weed::start().await {
            let used = || (cpu::process(weed.pid()), Duration::ZERO);
            let load = uploads::many(count, 8, |number| weed.put_one(number));
            report.line(&meter("SeaweedFS", used, load).await);
        }
        report.case("PUT 1 MB, one after the other", Goal::RateOfPeer(0.7));
        for server in &self.servers {
            let used = || (cpu::process(server.pid), server.database_cpu());
            let load = uploads::many(count, 1, |number| server.client.put_one(number));
            report.line(&meter(server.name, used, load).await);
        }
        let dd = uploads::dd(self.folder(), count);
        report.line(&meter("dd oflag=dsync", || (cpu::children(), Duration::ZERO), dd).await);
        report.case("PUT 1 MB, 200 at once", Goal::NoError);
        for server in &self.servers {
            let used = || (cpu::process(server.pid), server.database_cpu());
            let load = uploads::many(200, 200, |number| server.client.put_one(number));
            report.line(&meter(server.name, used, load).await);
        }
    }
}

/// Reads what CPU a server and Postgres have `used` before and after a load.
async fn meter(
    server: &'static str,
    used: impl Fn() -> (Duration, Duration),
    load: impl Future<Output = Load>,
) -> Line {
    let before = used();
    let load = load.await;
    let after = used();
    Line {
        server,
        load,
        server_cpu: after.0.saturating_sub(before.0),
        database_cpu: after.1.saturating_sub(before.1),
    }
}
