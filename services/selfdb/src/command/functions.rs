//! `selfdb functions`: deploying and operating functions of a running instance, over its API.

mod client;
mod deploy;
mod download;
mod files;
mod logs;
mod secrets;

use std::path::Path;
use std::process::ExitCode;

use common::error::BoxError;
use http::Method;
use serde_json::{Value, json};

use crate::cli::{FunctionsArgs, FunctionsCommand};
use client::Client;

/// Runs one of its commands.
pub fn run(args: &FunctionsArgs) -> ExitCode {
    let usual = Path::new(".env");
    let env_file = args.env_file.as_deref();
    let env_file = env_file.or_else(|| usual.is_file().then_some(usual));
    super::with_environment(env_file, |environment| {
        let client = match Client::new(environment, args.url.as_deref()) {
            Ok(client) => client,
            Err(error) => return super::fail(&error),
        };
        super::block_on(Box::pin(run_command(&client, &args.command)))
    })
}

async fn run_command(client: &Client, command: &FunctionsCommand) -> Result<(), BoxError> {
    match command {
        FunctionsCommand::List => list(client).await,
        FunctionsCommand::Deploy(args) => deploy::run(client, args).await,
        FunctionsCommand::Serve(args) => deploy::serve(client, args).await,
        FunctionsCommand::Delete { name } => {
            client.delete(&format!("/{name}")).await?;
            say(&format!("deleted {name}"));
            Ok(())
        }
        FunctionsCommand::Versions { name } => versions(client, name).await,
        FunctionsCommand::Rollback { name, version } => {
            let body = json!({ "version": version });
            client
                .send(Method::POST, &format!("/{name}/rollback"), Some(&body))
                .await?;
            say(&format!("{name} serves version {version}"));
            Ok(())
        }
        FunctionsCommand::Logs(args) => logs::run(client, args).await,
        FunctionsCommand::Invoke(args) => {
            let answer = client
                .invoke(&args.name, &args.method, args.data.as_deref())
                .await?;
            say(answer.strip_suffix('\n').unwrap_or(&answer));
            Ok(())
        }
        FunctionsCommand::Download(args) => download::run(client, args).await,
        FunctionsCommand::Secrets(args) => secrets::run(client, args).await,
    }
}

async fn list(client: &Client) -> Result<(), BoxError> {
    let functions = client.get("").await?;
    for function in functions.as_array().into_iter().flatten() {
        let text = |name: &str| shown(&function[name]);
        let state = match (&function["is_active"], &function["error"]) {
            (Value::Bool(false), _) => "off",
            (_, Value::Null) => "ok",
            _ => "does not start",
        };
        let line = [
            text("name"),
            format!("version {}", text("version")),
            text("origin"),
            state.to_owned(),
            text("description"),
        ];
        say(&line.join("\t"));
    }
    Ok(())
}

async fn versions(client: &Client, name: &str) -> Result<(), BoxError> {
    let versions = client.get(&format!("/{name}/versions")).await?;
    for version in versions.as_array().into_iter().flatten() {
        let text = |name: &str| shown(&version[name]);
        let current = if version["is_current"] == Value::Bool(true) {
            "serves"
        } else {
            ""
        };
        let hash: String = text("hash").chars().take(12).collect();
        let line = [
            text("version"),
            hash,
            text("origin"),
            text("created_at"),
            current.to_owned(),
        ];
        say(&line.join("\t"));
    }
    Ok(())
}

/// A value for people: text without quotes.
fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}

/// Answers the person who ran the command.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "the answer of the command"
)]
fn say(line: &str) {
    println!("{line}");
}
