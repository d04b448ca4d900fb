//! `pgbench` with the very transaction the pipeline sends.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Environment as _, ProcessEnvironment};
use pg::local::Binaries;
use pg::roles;

use super::Arguments;
use super::ground::{Ground, ROWS, batch, context};
use super::report::Line;
use super::workload::Workload;
use crate::cpu;

/// How often requests are sent.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// As fast as they are answered.
    Full,
    /// So many a second.
    Rate(f64),
}

pub(super) async fn measure(
    ground: &Ground,
    workload: &Workload,
    arguments: &Arguments,
    pace: Pace,
) -> Line {
    let script = script(&ground.context_sql(workload).await, workload);
    let file = std::env::temp_dir().join(format!("bench-{}.sql", std::process::id()));
    std::fs::write(&file, script).expect("the script");
    let mut command = command(ground, workload, arguments, &file);
    if let Pace::Rate(rate) = pace {
        command.arg(format!("--rate={rate}"));
    }
    let postmaster = ground.postmaster();
    let before = (cpu::children(), cpu::family(postmaster));
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("pgbench runs");
    let after = (cpu::children(), cpu::family(postmaster));
    let _ = std::fs::remove_file(&file);
    let (text, mistakes) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "pgbench: {mistakes}");
    let number = |label: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(label));
        let digits = line.and_then(|rest| rest.split([' ', '/']).next());
        let number = digits.and_then(|digits| digits.parse::<f64>().ok());
        number.expect(label)
    };
    Line {
        client: match pace {
            Pace::Full => "pgbench",
            Pace::Rate(_) => "pgbench, same rate",
        },
        requests: number("number of transactions actually processed: "),
        per_second: number("tps = "),
        client_cpu: after.0.saturating_sub(before.0),
        postgres_cpu: after.1.saturating_sub(before.1),
    }
}

fn command(ground: &Ground, workload: &Workload, arguments: &Arguments, file: &Path) -> Command {
    let endpoint = &ground.endpoint;
    let mut command = Command::new(program());
    command
        .args(["--no-vacuum", "--protocol=prepared"])
        .arg(format!("--host={}", endpoint.host))
        .arg(format!("--port={}", endpoint.port))
        .arg(format!("--username={}", roles::AUTHENTICATOR))
        .arg(format!("--client={}", arguments.connections))
        .arg(format!("--time={}", arguments.seconds))
        .arg(format!("--file={}", file.display()));
    for (number, value) in (1..).zip(values(workload)) {
        command.arg(format!("--define=v{number}={value}"));
    }
    if let Some(password) = &endpoint.password {
        command.env("PGPASSWORD", password.expose());
    }
    command.arg(&endpoint.database);
    command
}

/// Two statements sent together, as one implicit transaction.
fn script(context: &str, workload: &Workload) -> String {
    // From the last to the first, so that $1 is not found in $10.
    let count = values(workload).len();
    let name = |sql: String, n| sql.replace(&format!("${n}"), &format!(":v{n}"));
    let context = (1..=count).rev().fold(context.to_owned(), name);
    let query = workload.sql.replace("$1", ":id");
    format!("\\set id random(1, {ROWS})\n\\startpipeline\n{context};\n{query};\n\\endpipeline\n")
}

/// The values of the context statement.
fn values(workload: &Workload) -> Vec<String> {
    let context = context(workload);
    let timeout = roles::statement_timeout(&context.role).as_millis();
    let mut values = vec![
        context.claims.to_string(),
        context.method,
        context.path,
        context.headers,
        context.cookies,
        timeout.to_string(),
        context.role,
    ];
    for (name, value) in batch(workload).settings {
        values.extend([name.into_owned(), value.into_owned()]);
    }
    values
}

fn program() -> PathBuf {
    let path = ProcessEnvironment.var("PATH").unwrap_or_default();
    let given = ProcessEnvironment
        .var("POSTGRES_BIN_DIR")
        .map(PathBuf::from);
    let binaries = Binaries::find(given.as_deref(), &path, None);
    binaries.expect("a Postgres").program("pgbench")
}
