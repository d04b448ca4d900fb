//! The user that functions run as where the platform itself runs as root.

use rustix::process::{Gid, Uid};
use serde::{Deserialize, Serialize};

/// A user and its group, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserIdentity {
    /// The user's number; never 0.
    pub uid: u32,
    /// The number of its only group.
    pub gid: u32,
}

impl UserIdentity {
    /// Finds `user` (a name, or `uid` or `uid:gid`) in the text of a `passwd` file. Root is never
    /// found.
    pub fn find(user: &str, passwd: &str) -> Option<Self> {
        let identity = Self::from_numbers(user).or_else(|| Self::from_passwd(user, passwd))?;
        (identity.uid != 0 && identity.gid != 0).then_some(identity)
    }

    fn from_numbers(user: &str) -> Option<Self> {
        let (uid, gid) = user.split_once(':').unwrap_or((user, user));
        Some(Self {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
        })
    }

    fn from_passwd(user: &str, passwd: &str) -> Option<Self> {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(user))?;
        let mut numbers = line.split(':').skip(2);
        Some(Self {
            uid: numbers.next()?.parse().ok()?,
            gid: numbers.next()?.parse().ok()?,
        })
    }

    /// Becomes this user, for good. Called by a process of one thread.
    pub(super) fn assume(self) -> rustix::io::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::thread::set_thread_groups(&[gid])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533::/:/bin/false\n";

    #[test]
    fn a_user_is_found_by_name_or_number_and_is_never_root() {
        let find = |user| UserIdentity::find(user, PASSWD).map(|found| (found.uid, found.gid));
        assert_eq!(find("nobody"), Some((65534, 65533)));
        assert_eq!(find("1000"), Some((1000, 1000)));
        assert_eq!(find("1000:100"), Some((1000, 100)));
        for refused in ["root", "0", "1000:0", "nobod", "", "-1", "a:b"] {
            assert_eq!(find(refused), None, "{refused}");
        }
    }
}
