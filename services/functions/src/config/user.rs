//! Whom functions run as.

use common::Settings;

use crate::sandbox::UserIdentity;

/// Whom functions run as.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunAs {
    /// This user; the platform itself is root.
    User(UserIdentity),
    /// The platform's own user, which is not root and can become nobody else.
    Platform,
}

/// `FUNCTIONS_USER` (a name, or `uid:gid`; `nobody` unless set) where this process is root.
pub(super) fn find(settings: &Settings<'_>) -> Option<RunAs> {
    const NAME: &str = "FUNCTIONS_USER";
    if !rustix::process::geteuid().is_root() {
        return Some(RunAs::Platform);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = UserIdentity::find(&settings.text_or(NAME, "nobody"), &passwd);
    if user.is_none() {
        settings.reject(NAME, "is no user of this machine other than root: name one");
    }
    user.map(RunAs::User)
}

impl RunAs {
    /// The user to change to.
    pub(super) fn user(self) -> Option<UserIdentity> {
        match self {
            Self::User(user) => Some(user),
            Self::Platform => None,
        }
    }
}
