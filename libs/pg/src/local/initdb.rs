//! Making a data directory.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::Secret;
use tokio::process::Command;

use super::{Account, Binaries, LocalError};

/// How a data directory is to be made. It appears whole or not at all: it is filled under another
/// name first.
#[derive(Debug)]
pub struct Initdb<'a> {
    /// Whose `initdb`.
    pub binaries: &'a Binaries,
    /// Who will own it.
    pub account: Account,
    /// Where; its parent exists.
    pub data: &'a Path,
    /// The superuser's password; without one, every local connection is trusted.
    pub password: Option<&'a Secret>,
    /// Further configuration, as in `postgresql.conf`.
    pub settings: &'a str,
}

impl Initdb<'_> {
    /// Makes the directory, replacing what an interrupted attempt left.
    pub async fn run(&self) -> Result<(), LocalError> {
        let unfinished = with_suffix(self.data, "unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(LocalError::io("removing", &unfinished))?;
        }
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&unfinished)
            .map_err(LocalError::io("creating", &unfinished))?;
        self.account.own(&unfinished)?;
        self.fill(&unfinished).await?;
        self.append(&unfinished)?;
        fs::rename(&unfinished, self.data).map_err(LocalError::io("renaming", &unfinished))?;
        let parent = self.data.parent().unwrap_or(Path::new("/"));
        fs::File::open(parent)
            .and_then(|directory| directory.sync_all())
            .map_err(LocalError::io("syncing", parent))
    }

    async fn fill(&self, directory: &Path) -> Result<(), LocalError> {
        let mut command = Command::new(self.binaries.program("initdb"));
        command
            .args(["--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--data-checksums", "--no-instructions", "-D"])
            .arg(directory)
            .current_dir("/")
            .stdin(Stdio::null());
        self.account.apply(&mut command);
        let password = self
            .password
            .map(|password| self.password_file(password))
            .transpose()?;
        match &password {
            Some(file) => {
                command
                    .arg("--auth=scram-sha-256")
                    .arg("--pwfile")
                    .arg(file);
            }
            None => {
                command.args(["--auth=trust", "--no-sync"]);
            }
        }
        let output = command.output().await;
        if let Some(file) = &password {
            fs::remove_file(file).map_err(LocalError::io("removing", file))?;
        }
        let output = output.map_err(LocalError::io("running initdb for", directory))?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(LocalError::Initdb { output })
    }

    /// Readable by the server's account alone, and only while `initdb` runs.
    fn password_file(&self, password: &Secret) -> Result<PathBuf, LocalError> {
        let path = with_suffix(self.data, "password");
        let _ = fs::remove_file(&path);
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| file.write_all(password.expose().as_bytes()))
            .map_err(LocalError::io("writing", &path))?;
        self.account.own(&path)?;
        Ok(path)
    }

    /// Ours come as a file of their own that is read last, so that an operator's edits there or by
    /// `alter system` hold.
    fn append(&self, directory: &Path) -> Result<(), LocalError> {
        let ours = directory.join("selfdb.conf");
        fs::write(&ours, self.settings).map_err(LocalError::io("writing", &ours))?;
        self.account.own(&ours)?;
        let main = directory.join("postgresql.conf");
        let file = fs::OpenOptions::new().append(true).open(&main);
        file.and_then(|mut file| file.write_all(b"\ninclude_if_exists = 'selfdb.conf'\n"))
            .map_err(LocalError::io("writing", &main))
    }
}

/// `/data/postgres` → `/data/postgres.<suffix>`.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
