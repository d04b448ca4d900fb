//! The very statements that a request becomes, from Postgres' log.

use std::fs;

use serde_json::Value;

use super::client;
use super::instance::Instance;
use super::load::Request;

/// One statement as it was executed.
pub(super) struct Statement {
    pub(super) sql: String,
    /// `$1`, `$2`, … ; `None` is null.
    pub(super) values: Vec<Option<String>>,
}

/// Sends `request` while Postgres logs, and gives what our service executed.
pub(super) async fn statements(instance: &Instance, request: &Request) -> Vec<Statement> {
    // Once before, so that nothing is prepared for the first time while the log is on.
    client::ask(request).await;
    instance
        .execute("alter system set log_statement = 'all'")
        .await;
    instance.execute("select pg_reload_conf()").await;
    // A reload is seen by a backend before its next command; a mark tells that it was.
    let log = loop {
        instance.execute("select 'mark'").await;
        let log = read(instance);
        if log
            .iter()
            .any(|entry| entry["message"].to_string().contains("'mark'"))
        {
            break log.len();
        }
    };
    client::ask(request).await;
    instance.execute("alter system reset log_statement").await;
    instance.execute("select pg_reload_conf()").await;
    let entries = read(instance);
    let ours = entries.iter().skip(log);
    let ours = ours.filter(|entry| entry["application_name"] == "selfdb-rest");
    let statements: Vec<Statement> = ours.filter_map(statement).collect();
    assert!(
        !statements.is_empty(),
        "Postgres logged no statement of ours"
    );
    statements
}

fn read(instance: &Instance) -> Vec<Value> {
    let text = fs::read_to_string(instance.postgres_log()).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines.filter_map(Result::ok).collect()
}

/// `execute NAME: SQL`, with `parameters: $1 = 'text', $2 = NULL`.
fn statement(entry: &Value) -> Option<Statement> {
    let message = entry["message"].as_str()?.strip_prefix("execute ")?;
    let (_, sql) = message.split_once(": ")?;
    let detail = entry["detail"].as_str().unwrap_or_default();
    let parameters = detail.strip_prefix("parameters: ").unwrap_or_default();
    Some(Statement {
        sql: sql.to_owned(),
        values: values(parameters),
    })
}

fn values(mut text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    while let Some((_, rest)) = text.split_once(" = ") {
        let Some(mut rest) = rest.strip_prefix('\'') else {
            values.push(None);
            text = rest;
            continue;
        };
        let mut value = String::new();
        // A quote in a value is doubled.
        while let Some((head, tail)) = rest.split_once('\'') {
            value.push_str(head);
            rest = tail;
            let Some(tail) = rest.strip_prefix('\'') else {
                break;
            };
            value.push('\'');
            rest = tail;
        }
        values.push(Some(value));
        text = rest;
    }
    values
}
