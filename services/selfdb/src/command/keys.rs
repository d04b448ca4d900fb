//! `selfdb keys`: the keys that tokens are signed with.
//!
//! A new key is known to every service before the first token is signed with it, and an old one
//! until its last token has ended: nobody is signed out.

use std::path::Path;
use std::process::ExitCode;

use common::error::BoxError;
use common::random::{Randomness, token};
use common::{EnvironmentMap, SystemRandomness};
use jwt::{SigningJwk, SigningKeys, read_signing_keys};

use crate::cli::{KeysArgs, KeysCommand};
use crate::env_file;

/// Where the keys stand.
const NAME: &str = "GOTRUE_JWT_KEYS";

/// Lists, adds, rotates or removes keys in the env file.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "the answer of the command"
)]
pub fn run(args: &KeysArgs) -> ExitCode {
    match change(&args.env_file, &args.command, &SystemRandomness) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(&error),
    }
}

/// Does what is asked for, and answers what to say.
fn change(
    file: &Path,
    command: &KeysCommand,
    randomness: &dyn Randomness,
) -> Result<String, BoxError> {
    let mut keys = read(file)?;
    let said = match command {
        KeysCommand::List => return Ok(list(&keys)),
        KeysCommand::Add => {
            let id = add(&mut keys, randomness)?;
            if keys.len() == 1 {
                sign_with(&mut keys, &id);
                format!("tokens are signed with {id} from the next start on")
            } else {
                format!("added {id}: tokens of it are accepted from the next start on")
            }
        }
        KeysCommand::Rotate => {
            let standby = standby(&keys);
            let id = match standby {
                Some(id) => id,
                None => add(&mut keys, randomness)?,
            };
            sign_with(&mut keys, &id);
            format!("tokens are signed with {id} from the next start on")
        }
        KeysCommand::Remove { id } => {
            remove(&mut keys, id)?;
            format!("removed {id}: tokens of it are refused from the next start on")
        }
    };
    write(file, keys)?;
    Ok(said)
}

fn read(file: &Path) -> Result<Vec<SigningJwk>, BoxError> {
    use common::Environment as _;
    let text = EnvironmentMap::from_file(file)?.var(NAME);
    match text.filter(|text| !text.trim().is_empty()) {
        None => Ok(Vec::new()),
        Some(text) => Ok(read_signing_keys(&text).map_err(|error| format!("{NAME} {error}"))?),
    }
}

/// Checks that the keys can be used before they are written.
fn write(file: &Path, keys: Vec<SigningJwk>) -> Result<(), BoxError> {
    let text = serde_json::to_string(&keys)?;
    if !keys.is_empty() {
        SigningKeys::new(keys).map_err(|error| format!("{NAME} {error}"))?;
    }
    env_file::set(file, NAME, &format!("'{text}'"))?;
    Ok(())
}

fn add(keys: &mut Vec<SigningJwk>, randomness: &dyn Randomness) -> Result<String, BoxError> {
    let id = format!("key-{}", token(randomness, 12));
    let mut secret = [0; 32];
    randomness.fill(&mut secret);
    let key = SigningJwk::es256(id.clone(), &secret);
    keys.push(key.ok_or("no key could be made: try again")?);
    Ok(id)
}

/// The newest key that has not signed yet: the one after the key that does.
fn standby(keys: &[SigningJwk]) -> Option<String> {
    let signing = keys.iter().position(SigningJwk::signs)?;
    let after = keys.get(signing + 1..)?;
    after.last().map(|key| key.kid.clone())
}

fn sign_with(keys: &mut [SigningJwk], id: &str) {
    for key in keys {
        key.set_signs(key.kid == id);
    }
}

fn remove(keys: &mut Vec<SigningJwk>, id: &str) -> Result<(), BoxError> {
    let index = keys.iter().position(|key| key.kid == id);
    let index = index.ok_or_else(|| format!("there is no key {id}"))?;
    if keys.get(index).is_some_and(SigningJwk::signs) && keys.len() > 1 {
        return Err(format!("tokens are signed with {id}: rotate first").into());
    }
    keys.remove(index);
    Ok(())
}

fn list(keys: &[SigningJwk]) -> String {
    if keys.is_empty() {
        return "tokens are signed with JWT_SECRET (HS256)".to_owned();
    }
    let line = |key: &SigningJwk| {
        let state = if key.signs() { "signs" } else { "verifies" };
        format!("{}  {}  {state}", key.kid, key.algorithm_name())
    };
    keys.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rotate_with_overlap_and_the_file_keeps_its_other_lines() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join(".env");
        std::fs::write(&file, "# mine\nJWT_SECRET=x\n").expect("a file");
        let run = |command: &KeysCommand| change(&file, command, &SystemRandomness);
        assert_eq!(
            run(&KeysCommand::List).expect("said"),
            "tokens are signed with JWT_SECRET (HS256)"
        );
        run(&KeysCommand::Rotate).expect("rotated");
        let first = read(&file).expect("keys").remove(0);
        assert!(first.signs());
        run(&KeysCommand::Add).expect("added");
        let keys = read(&file).expect("keys");
        assert!(
            keys[0].signs() && !keys[1].signs(),
            "a standby does not sign"
        );
        run(&KeysCommand::Rotate).expect("rotated");
        let keys = read(&file).expect("keys");
        assert_eq!(keys.len(), 2, "the standby is taken");
        assert!(!keys[0].signs() && keys[1].signs());
        let signing = KeysCommand::Remove {
            id: keys[1].kid.clone(),
        };
        assert!(run(&signing).is_err());
        run(&KeysCommand::Remove { id: first.kid }).expect("removed");
        assert_eq!(read(&file).expect("keys").len(), 1);
        assert!(
            run(&KeysCommand::List)
                .expect("said")
                .ends_with("ES256  signs")
        );
        let text = std::fs::read_to_string(&file).expect("the file");
        assert!(text.starts_with("# mine\nJWT_SECRET=x\n"), "{text}");
    }
}
