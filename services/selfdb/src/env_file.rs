//! The env file: made from `.env.example` at the first start, every secret random.
//!
//! A file in which no secret is set yet is completed. One in which some are set and others are
//! missing is left as it is, for `selfdb serve` to refuse: a secret that was there once must not
//! be replaced silently.

mod lines;
mod secrets;

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use common::random::Randomness;
use common::{Clock, ConfigErrors};

use lines::EnvLines;

/// What [`complete`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// Secrets were made, the admin's password among them where it is `Some`.
    Generated {
        /// The password, to be shown once.
        admin_password: Option<String>,
    },
    /// The file has secrets of its own and was left as it is.
    Kept,
}

/// An env file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// The file system's answer, with the path.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The secret to sign the API keys with was refused.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
}

/// Makes `path` out of `example` where it is not there, and completes it where it holds no
/// secret yet. The file's mode becomes 0600 in every case.
pub fn complete(
    path: &Path,
    example: &str,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<Completion, EnvFileError> {
    let io_error = |source| EnvFileError::Io {
        path: path.to_owned(),
        source,
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => example.to_owned(),
        Err(error) => return Err(io_error(error)),
    };
    let mut lines = EnvLines::parse(&text);
    if secrets::any_is_set(&lines) {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(io_error)?;
        return Ok(Completion::Kept);
    }
    let had_password = lines.get("DEFAULT_ADMIN_PASSWORD").is_some();
    secrets::fill(&mut lines, clock, randomness)?;
    if lines.get("DATA_DIR").is_none() {
        lines.set("DATA_DIR", default_data_dir(path));
    }
    write_private(path, &lines.to_string()).map_err(io_error)?;
    let password = lines
        .get("DEFAULT_ADMIN_PASSWORD")
        .filter(|_| !had_password);
    Ok(Completion::Generated {
        admin_password: password.map(str::to_owned),
    })
}

/// Sets one value of an env file, whose other lines stay as they are.
pub fn set(path: &Path, name: &str, value: &str) -> Result<(), EnvFileError> {
    let io_error = |source| EnvFileError::Io {
        path: path.to_owned(),
        source,
    };
    let text = fs::read_to_string(path).map_err(io_error)?;
    let mut lines = EnvLines::parse(&text);
    lines.set(name, value);
    write_private(path, &lines.to_string()).map_err(io_error)
}

/// `/var/lib/selfdb` for root, `data` beside the env file for everybody else.
fn default_data_dir(env_file: &Path) -> String {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/selfdb".to_owned();
    }
    let folder = env_file.parent().unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    folder.join("data").display().to_string()
}

/// Replaces `path` in one step, so that a crash leaves the old file or the new one.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use common::{SystemClock, SystemRandomness};

    use super::*;

    const EXAMPLE: &str = include_str!("../../../.env.example");

    fn complete_in(path: &Path) -> Completion {
        complete(path, EXAMPLE, &SystemClock, &SystemRandomness).expect("a writable folder")
    }

    #[test]
    fn a_new_file_is_private_and_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        let Completion::Generated {
            admin_password: Some(password),
        } = complete_in(&path)
        else {
            panic!("a new file is generated");
        };
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let lines = EnvLines::parse(&fs::read_to_string(&path).expect("the file"));
        assert_eq!(lines.get("DEFAULT_ADMIN_PASSWORD"), Some(password.as_str()));
        for name in secrets::NAMES {
            assert!(lines.get(name).is_some(), "{name} is set");
        }
    }

    #[test]
    fn a_file_with_a_secret_of_its_own_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        let text = "JWT_SECRET=keep-me-keep-me-keep-me-keep-me-1\nANON_KEY=\n";
        fs::write(&path, text).expect("the file");
        assert_eq!(complete_in(&path), Completion::Kept);
        assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    }

    #[test]
    fn a_file_with_ports_alone_is_completed_and_keeps_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("other.env");
        fs::write(&path, "# mine\nAPI_PORT=8100\n").expect("the file");
        assert!(matches!(complete_in(&path), Completion::Generated { .. }));
        let text = fs::read_to_string(&path).expect("the file");
        assert!(text.starts_with("# mine\nAPI_PORT=8100\n"), "{text}");
        assert!(EnvLines::parse(&text).get("SERVICE_ROLE_KEY").is_some());
    }
}
