//! What the supervisor tells the launcher, as one argument. It holds no secret: arguments are
//! readable by every user of the machine.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::UserIdentity;

/// What is run, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSpec {
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The process id of the supervisor; the program ends with it.
    pub supervisor: i32,
    /// Whom the program runs as; `None` keeps the user of the supervisor.
    pub user: Option<UserIdentity>,
    /// The control group it goes into, as a folder.
    pub group: Option<PathBuf>,
    /// Files and folders it may read, beside what every program needs.
    pub read: Vec<PathBuf>,
    /// Files and folders it may read and write.
    pub write: Vec<PathBuf>,
    /// TCP ports it may connect to; it may listen on none.
    pub connect_ports: Vec<u16>,
    /// Whether it may have sockets of IPv6.
    pub ipv6: bool,
    /// `RLIMIT_DATA`, in bytes.
    pub data_bytes: u64,
    /// `RLIMIT_NOFILE`.
    pub open_files: u64,
}

impl SandboxSpec {
    /// The specification as an argument.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The specification in an argument.
    pub fn decode(argument: &OsStr) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(argument.as_bytes())
    }
}
