//! `selfdb functions download`.

use std::fs;
use std::path::{Component, Path};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::error::BoxError;

use super::client::Client;
use super::{say, shown};
use crate::cli::DownloadArgs;

/// Writes a version's files into a folder.
pub(super) async fn run(client: &Client, args: &DownloadArgs) -> Result<(), BoxError> {
    let name = &args.name;
    let version = match args.version {
        Some(version) => version.to_string(),
        None => shown(&client.get(&format!("/{name}")).await?["version"]),
    };
    let found = client.get(&format!("/{name}/versions/{version}")).await?;
    for (path, content) in found["files"].as_object().into_iter().flatten() {
        let path = Path::new(path);
        let plain = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !plain {
            return Err(format!("{} is no path below a folder", path.display()).into());
        }
        let target = args.output.join(path);
        fs::create_dir_all(target.parent().unwrap_or(&args.output))?;
        let bytes = match content.as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => STANDARD.decode(shown(&content["base64"]))?,
        };
        fs::write(&target, bytes)?;
        say(&target.display().to_string());
    }
    Ok(())
}
