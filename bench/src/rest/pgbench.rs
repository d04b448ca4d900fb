//! `pgbench` with the very statements of a request, sent together as one implicit transaction.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use common::{Environment as _, ProcessEnvironment};
use pg::local::Binaries;
use pg::roles;

use super::capture::Statement;
use super::instance::Instance;
use super::load::Load;

/// The key that the captured request asked for.
const KEY: &str = "777";

pub(super) async fn run(
    instance: &Instance,
    statements: &[Statement],
    connections: u32,
    seconds: u64,
) -> Load {
    let (script, values) = script(statements);
    let file = instance.folder().join("pgbench.sql");
    std::fs::write(&file, script).expect("the script");
    let endpoint = instance.endpoint(roles::AUTHENTICATOR, "AUTHENTICATOR_DB_PASSWORD");
    let mut command = Command::new(program());
    command
        .args(["--no-vacuum", "--protocol=prepared"])
        .arg(format!("--host={}", instance.sockets().display()))
        .arg(format!("--port={}", endpoint.port))
        .arg(format!("--username={}", endpoint.user))
        .arg(format!("--client={connections}"))
        .arg(format!("--time={seconds}"))
        .arg(format!("--file={}", file.display()));
    for (name, value) in values {
        command.arg(format!("--define={name}={value}"));
    }
    if let Some(password) = &endpoint.password {
        command.env("PGPASSWORD", password.expose());
    }
    command.arg(&endpoint.database);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("pgbench runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mistakes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pgbench: {mistakes}");
    let number = |label: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(label));
        let digits = line.and_then(|rest| rest.split([' ', '/']).next());
        let number = digits.and_then(|digits| digits.parse::<f64>().ok());
        number.expect(label)
    };
    let requests = number("number of transactions actually processed: ");
    let latency = Duration::from_secs_f64(number("latency average = ") / 1e3);
    Load {
        requests,
        elapsed: Duration::from_secs_f64(requests / number("tps = ")),
        // It tells the average alone.
        p50: latency,
        p99: latency,
        failed: 0,
    }
}

/// The script, and its variables.
fn script(statements: &[Statement]) -> (String, Vec<(String, String)>) {
    let mut script = "\\set id random(1, 1000)\n\\startpipeline\n".to_owned();
    let mut variables = Vec::new();
    for (number, statement) in (1..).zip(statements) {
        let mut sql = statement.sql.clone();
        // From the last to the first, so that $1 is not found in $10.
        for (index, value) in statement.values.iter().enumerate().rev() {
            let position = index + 1;
            let name = match value.as_deref() {
                None => "null".to_owned(),
                // A variable cannot be empty.
                Some("") => "''".to_owned(),
                Some(KEY) => ":id".to_owned(),
                Some(value) => {
                    let name = format!("v{number}_{position}");
                    variables.push((name.clone(), value.to_owned()));
                    format!(":{name}")
                }
            };
            sql = sql.replace(&format!("${position}"), &name);
        }
        let _ = writeln!(script, "{sql};");
    }
    script.push_str("\\endpipeline\n");
    (script, variables)
}

fn program() -> std::path::PathBuf {
    let path = ProcessEnvironment.var("PATH").unwrap_or_default();
    let given = ProcessEnvironment.var("POSTGRES_BIN_DIR");
    let given = given.map(std::path::PathBuf::from);
    let binaries = Binaries::find(given.as_deref(), &path, None);
    binaries.expect("a Postgres").program("pgbench")
}
