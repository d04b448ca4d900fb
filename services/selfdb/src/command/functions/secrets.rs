//! `selfdb functions secrets`: variables of all functions, or of one.

use common::error::BoxError;
use http::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::{say, shown};
use crate::cli::{SecretsArgs, SecretsCommand};

/// Lists, sets or removes variables.
pub(super) async fn run(client: &Client, args: &SecretsArgs) -> Result<(), BoxError> {
    let path = match &args.function {
        Some(function) => format!("/{function}/env"),
        None => "/env".to_owned(),
    };
    match &args.command {
        SecretsCommand::List => {
            let variables = client.get(&path).await?;
            for variable in variables.as_array().into_iter().flatten() {
                let (key, value) = (shown(&variable["key"]), shown(&variable["value"]));
                say(&format!("{key}={value}"));
            }
        }
        SecretsCommand::Set { variables } => {
            let variables: Result<Vec<Value>, BoxError> =
                variables.iter().map(|text| read(text)).collect();
            let variables = variables?;
            let keys: Vec<String> = variables.iter().map(|each| shown(&each["key"])).collect();
            let body = Value::Array(variables);
            client.send(Method::POST, &path, Some(&body)).await?;
            say(&format!("set {}", keys.join(", ")));
        }
        SecretsCommand::Unset { names } => {
            for name in names {
                client.delete(&format!("{path}/{name}")).await?;
                say(&format!("removed {name}"));
            }
        }
    }
    Ok(())
}

fn read(text: &str) -> Result<Value, BoxError> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("{text} is no NAME=VALUE"))?;
    Ok(json!({ "key": key, "value": value, "is_secret": true }))
}
