//! `selfdb-rest` on a database with many tables.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pg::sqlx::{AssertSqlSafe, PgPool, query_scalar, raw_sql};
use tempfile::TempDir;
use testkit::TestDatabase;
use testkit::fault::free_port;

use super::Cost;
use crate::cpu;
use crate::rest::child::Program;

/// A transaction can lock only so many.
const TABLES_AT_ONCE: u32 = 200;
/// What the service's log says once the cache is there.
const LOADED: &str = "schema cache loaded";
const REFRESHED: &str = "schema cache refreshed";
const PATIENCE: Duration = Duration::from_mins(1);
/// For what goes on after the log was written.
const REST: Duration = Duration::from_millis(100);

pub(super) struct Ground {
    pub(super) db: TestDatabase,
    pool: PgPool,
    postmaster: u32,
    program: PathBuf,
    port: u16,
    service: Option<Program>,
    // Last, so that it outlives what writes there.
    home: TempDir,
}

impl Ground {
    /// Makes `tables`, each of which refers to the one before it.
    pub(super) async fn lay(tables: u32, programs: Option<&Path>) -> Self {
        let db = TestDatabase::new(&[]).await;
        let mut from = 0;
        while from < tables {
            let to = (from + TABLES_AT_ONCE).min(tables);
            db.execute(&make(from, to)).await;
            from = to;
        }
        db.execute("analyze").await;
        let pool = db.admin_pool();
        let folder: String = query_scalar("show data_directory")
            .fetch_one(&pool)
            .await
            .expect("its folder");
        let file = std::fs::read_to_string(Path::new(&folder).join("postmaster.pid"));
        let file = file.expect("postmaster.pid");
        let postmaster = file.lines().next().and_then(|line| line.parse().ok());
        Self {
            db,
            pool,
            postmaster: postmaster.expect("a process id"),
            program: program(programs),
            port: free_port(),
            service: None,
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Starts the service, and waits until it is ready.
    pub(super) async fn start(&mut self) -> Cost {
        let settings = self.db.settings().with("REST_PORT", self.port.to_string());
        let mut command = Command::new(&self.program);
        command.envs(settings.iter());
        let postgres = cpu::family(self.postmaster);
        let began = Instant::now();
        let mut service = Program::start(command, &self.log());
        service.answers(&self.url("/ready")).await;
        let cost = Cost {
            wall: began.elapsed(),
            service: cpu::process(service.pid()),
            postgres: cpu::family(self.postmaster).saturating_sub(postgres),
        };
        self.service = Some(service);
        cost
    }

    /// Has everything loaded again.
    pub(super) async fn reload(&self) -> Cost {
        self.cost_of("notify pgrst, 'reload schema'".to_owned(), LOADED)
            .await
    }

    /// Adds a column to a table in the middle.
    pub(super) async fn add_column(&self, number: u32) -> Cost {
        let sql = format!("alter table t1 add column new_{number} int references t0");
        self.cost_of(sql, REFRESHED).await
    }

    pub(super) async fn add_function(&self, number: u32) -> Cost {
        let sql = format!(
            "create function f{number}(a int, b text) returns setof t1 language sql as 'select * from t1'"
        );
        self.cost_of(sql, REFRESHED).await
    }

    /// What it takes from the statement's commit until the log has one more line with `mark`.
    async fn cost_of(&self, sql: String, mark: &str) -> Cost {
        let pid = self.service.as_ref().map_or(0, Program::pid);
        let seen = self.count(mark);
        let ran = raw_sql(AssertSqlSafe(sql)).execute(&self.pool).await;
        ran.expect("the statement");
        let before = (cpu::process(pid), cpu::family(self.postmaster));
        let began = Instant::now();
        while self.count(mark) == seen {
            assert!(began.elapsed() < PATIENCE, "never {mark}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let wall = began.elapsed();
        tokio::time::sleep(REST).await;
        Cost {
            wall,
            service: cpu::process(pid).saturating_sub(before.0),
            postgres: cpu::family(self.postmaster).saturating_sub(before.1),
        }
    }

    fn count(&self, mark: &str) -> usize {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.matches(mark).count()
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }
}

fn make(from: u32, to: u32) -> String {
    format!(
        "do $$
         begin
             for n in {from}..{to} - 1 loop
                 execute format(
                     'create table t%s (id int primary key, parent int references t%s, a text not null,
                          b numeric(10, 2) default 1, c timestamptz default now(), d jsonb, e boolean, f uuid)',
                     n, greatest(n - 1, 0));
             end loop;
         end
         $$"
    )
}

fn program(folder: Option<&Path>) -> PathBuf {
    let own = std::env::current_exe().expect("this program's path");
    let folder = folder.or(own.parent()).expect("a folder");
    let program = folder.join("selfdb-rest");
    assert!(
        program.exists(),
        "build it first: cargo build --release -p rest"
    );
    program
}
