//! The operating system's account Postgres runs as: ours, or `postgres` where we are root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tokio::process::Command;

use super::LocalError;

/// Whom server processes run as and who owns their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// Whether it differs from ours.
    foreign: bool,
}

impl Account {
    /// Our own account, or `postgres` where ours is root, which Postgres refuses.
    pub fn for_server() -> Result<Self, LocalError> {
        let uid = rustix::process::geteuid();
        if !uid.is_root() {
            let gid = rustix::process::getegid().as_raw();
            return Ok(Self {
                uid: uid.as_raw(),
                gid,
                foreign: false,
            });
        }
        let path = Path::new("/etc/passwd");
        let accounts = fs::read_to_string(path).map_err(LocalError::io("reading", path))?;
        find("postgres", &accounts).ok_or(LocalError::NoAccount)
    }

    /// Runs `command` as this account.
    pub fn apply(&self, command: &mut Command) {
        if self.foreign {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives `path` to this account.
    pub fn own(&self, path: &Path) -> Result<(), LocalError> {
        if !self.foreign {
            return Ok(());
        }
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .map_err(LocalError::io("giving away", path))
    }

    /// Refuses a directory this account cannot come to, by its own or a parent's mode.
    pub fn can_reach(&self, directory: &Path) -> Result<(), LocalError> {
        if !self.foreign {
            return Ok(());
        }
        for part in directory.ancestors().filter(|part| part.is_dir()) {
            let meta = fs::metadata(part).map_err(LocalError::io("looking at", part))?;
            let may_enter = if meta.uid() == self.uid {
                0o100
            } else if meta.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if meta.mode() & may_enter == 0 {
                return Err(LocalError::Unreachable {
                    directory: part.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// `name:password:uid:gid:…`, as in passwd(5).
fn find(name: &str, accounts: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account {
            uid,
            gid,
            foreign: true,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgresx:x:7:7::/:\n\
                        postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        let account = find("postgres", accounts).expect("listed");
        assert_eq!((account.uid, account.gid), (101, 104));
        assert_eq!(find("nobody", accounts), None);
    }

    #[test]
    fn a_closed_parent_is_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().expect("a directory");
        let closed = fs::Permissions::from_mode(0o700);
        fs::set_permissions(parent.path(), closed).expect("ours");
        let data = parent.path().join("data");
        fs::create_dir(&data).expect("a directory");
        let stranger = Account {
            uid: 4_000_001,
            gid: 4_000_001,
            foreign: true,
        };
        let error = stranger.can_reach(&data).expect_err("mode 0700");
        assert!(
            error
                .to_string()
                .contains(&*parent.path().to_string_lossy()),
            "{error}"
        );
        assert!(
            Account {
                foreign: false,
                ..stranger
            }
            .can_reach(&data)
            .is_ok()
        );
    }
}
