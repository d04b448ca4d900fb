//! `selfdb functions deploy` and `serve`.

use std::collections::BTreeMap;
use std::time::Duration;

use common::error::BoxError;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::Client;
use super::files::{self, Files};
use super::{say, shown};
use crate::cli::{DeployArgs, ServeFunctionsArgs};

/// How often `serve` looks at the folder.
const LOOK: Duration = Duration::from_millis(500);

/// Deploys one function, or all of a folder.
pub(super) async fn run(client: &Client, args: &DeployArgs) -> Result<(), BoxError> {
    let names = if args.names.is_empty() {
        files::names(&args.folder)?
    } else {
        args.names.clone()
    };
    if names.is_empty() {
        return Err(format!("there are no functions in {}", args.folder.display()).into());
    }
    for name in &names {
        let files = Files::read(&args.folder, name)?;
        let mut body = files.to_json();
        body["check_types"] = json!(args.check);
        if args.no_verify_jwt {
            body["verify_jwt"] = json!(false);
        }
        deploy(client, name, body).await?;
    }
    Ok(())
}

async fn deploy(client: &Client, name: &str, mut body: Value) -> Result<(), BoxError> {
    let (status, _) = client.ask(Method::GET, &format!("/{name}"), None).await?;
    let answer = if status == StatusCode::NOT_FOUND {
        body["name"] = json!(name);
        client.send(Method::POST, "", Some(&body)).await?
    } else {
        client
            .send(Method::PUT, &format!("/{name}"), Some(&body))
            .await?
    };
    for warning in answer["diagnostics"].as_array().into_iter().flatten() {
        say(&diagnostic(warning));
    }
    let version = shown(&answer["version"]);
    say(&format!("deployed {name}, version {version}"));
    Ok(())
}

/// One diagnostic, as editors find their way by it: `file:line:column: error: message (code)`.
pub(super) fn diagnostic(diagnostic: &Value) -> String {
    let mut place = shown(&diagnostic["file"]);
    for number in ["line", "column"] {
        if !diagnostic[number].is_null() {
            place = format!("{place}:{}", shown(&diagnostic[number]));
        }
    }
    let (severity, message) = (
        shown(&diagnostic["severity"]),
        shown(&diagnostic["message"]),
    );
    let code = shown(&diagnostic["code"]);
    let code = if code.is_empty() {
        code
    } else {
        format!(" ({code})")
    };
    format!("{place}: {severity}: {message}{code}")
}

/// Deploys what changes in a folder, as it changes, until it is interrupted.
pub(super) async fn serve(client: &Client, args: &ServeFunctionsArgs) -> Result<(), BoxError> {
    let mut deployed: BTreeMap<String, String> = BTreeMap::new();
    say(&format!(
        "serving {}: Ctrl-C ends it",
        args.folder.display()
    ));
    loop {
        for name in files::names(&args.folder)? {
            let Ok(files) = Files::read(&args.folder, &name) else {
                continue;
            };
            let body = files.to_json();
            let text = body.to_string();
            if deployed.get(&name) == Some(&text) {
                continue;
            }
            if let Err(error) = deploy(client, &name, body).await {
                say(&format!("{name}: {error}"));
            }
            deployed.insert(name, text);
        }
        tokio::time::sleep(LOOK).await;
    }
}
