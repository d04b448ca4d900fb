//! The server's programs, in the order they are looked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::LocalError;

const OLDEST: u32 = 14;
const DEBIAN: &str = "/usr/lib/postgresql";

/// A directory with `postgres` and `initdb` in it, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The directory.
    pub directory: PathBuf,
    /// 15.
    pub major: u32,
}

impl Binaries {
    /// `given` (`POSTGRES_BIN_DIR`) alone where set; else Debian's, newest first; else those on
    /// `search_path` (`PATH`). Where `recorded` names a version, only that one will do.
    pub fn find(
        given: Option<&Path>,
        search_path: &str,
        recorded: Option<(u32, &Path)>,
    ) -> Result<Self, LocalError> {
        let found = candidates(given, search_path);
        let Some((wanted, data)) = recorded else {
            return found.into_iter().next().ok_or(LocalError::NoBinaries);
        };
        let versions: Vec<_> = found.iter().map(|these| these.major.to_string()).collect();
        let matching = found.into_iter().find(|these| these.major == wanted);
        matching.ok_or_else(|| LocalError::VersionMismatch {
            data: data.to_owned(),
            recorded: wanted,
            found: if versions.is_empty() {
                "none".to_owned()
            } else {
                versions.join(", ")
            },
        })
    }

    /// The path of one of the programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn at(directory: PathBuf) -> Option<Self> {
        if !directory.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = major(&String::from_utf8_lossy(&output.stdout))?;
        (major >= OLDEST).then_some(Self { directory, major })
    }
}

fn candidates(given: Option<&Path>, search_path: &str) -> Vec<Binaries> {
    if let Some(directory) = given {
        return Binaries::at(directory.to_owned()).into_iter().collect();
    }
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut found: Vec<_> = versions
        .filter_map(|version| Binaries::at(version.path().join("bin")))
        .collect();
    found.sort_by_key(|these| std::cmp::Reverse(these.major));
    let on_path = search_path.split(':').filter(|entry| !entry.is_empty());
    found.extend(on_path.filter_map(|entry| Binaries::at(PathBuf::from(entry))));
    found
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` → 15.
fn major(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major("mariadb 11"), None);
    }

    #[test]
    fn data_of_another_version_is_refused_with_both_versions() {
        let found = Binaries::find(None, "", None).expect("a Postgres on this machine");
        let data = Path::new("/data");
        let same = Binaries::find(None, "", Some((found.major, data))).expect("that one");
        assert_eq!(same.major, found.major);
        let error = Binaries::find(None, "", Some((9, data))).expect_err("9 is gone");
        assert!(
            error.to_string().contains("belongs to Postgres 9"),
            "{error}"
        );
        assert!(
            error.to_string().contains(&found.major.to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_given_directory_is_the_only_one_looked_at() {
        let empty = tempfile::tempdir().expect("a directory");
        let error = Binaries::find(Some(empty.path()), "", None).expect_err("empty");
        assert!(matches!(error, LocalError::NoBinaries));
    }
}
