//! Where the server and its administration listen.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::Settings;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

const SERVER_PORT: u16 = 3000;
const MODE: &str = "PGRST_SERVER_UNIX_SOCKET_MODE";
const REUSE_PORT: &str = "PGRST_SERVER_REUSEPORT";
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
const ADMIN_PORT: &str = "PGRST_ADMIN_SERVER_PORT";

/// Where the server and its administration listen.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) server: Place,
    pub(super) admin: Option<(String, u16)>,
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A host, an address or one of `*`, `*4`, `!4`, `*6` and `!6`; and a port, 0 for any.
    Tcp(String, u16, Sharing),
    /// A socket in the file system, and its mode.
    Unix(PathBuf, u32),
}

/// Whether another process may listen on the same port, as one does that takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    Alone,
    Shared,
}

/// A server's open door.
#[derive(Debug)]
pub(super) enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What a door is found by.
#[derive(Debug, Clone)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Places {
    pub(super) fn read(settings: &Settings<'_>) -> Self {
        let host = settings.text_or("PGRST_SERVER_HOST", "!4");
        let port = settings.parsed_or("PGRST_SERVER_PORT", SERVER_PORT);
        let admin_host = settings.text_or("PGRST_ADMIN_SERVER_HOST", &host);
        let admin_port: Option<u16> = settings.parsed(ADMIN_PORT);
        let mode = mode(settings);
        let sharing = if settings.flag(REUSE_PORT, false) {
            Sharing::Shared
        } else {
            Sharing::Alone
        };
        let server = match settings.text("PGRST_SERVER_UNIX_SOCKET") {
            Some(path) => Place::Unix(PathBuf::from(path), mode),
            None => Place::Tcp(host, port, sharing),
        };
        if admin_port.is_some_and(|admin| admin == port) {
            settings.reject(ADMIN_PORT, "must not be the same as PGRST_SERVER_PORT");
        }
        Self {
            server,
            admin: admin_port.map(|port| (admin_host, port)),
        }
    }
}

fn mode(settings: &Settings<'_>) -> u32 {
    let text = settings.text_or(MODE, "660");
    let mode = u32::from_str_radix(&text, 8).ok();
    mode.filter(|mode| (0o600..=0o777).contains(mode))
        .unwrap_or_else(|| {
            settings.reject(MODE, "is no file mode: use an octal number from 600 to 777");
            0o600
        })
}

impl Place {
    /// Opens it. A socket that another server left behind is taken away first.
    pub(super) async fn open(&self) -> io::Result<(Door, Address)> {
        match self {
            Self::Tcp(host, port, sharing) => {
                let listener = bind(host, *port, *sharing).await?;
                let address = Address::Tcp(listener.local_addr()?);
                Ok((Door::Tcp(listener), address))
            }
            Self::Unix(path, mode) => {
                let listener = bind_unix(path, *mode)?;
                Ok((Door::Unix(listener), Address::Unix(path.clone())))
            }
        }
    }
}

/// Listens on `port` of what `host` means; of several addresses the first that can be had.
pub(super) async fn bind(host: &str, port: u16, sharing: Sharing) -> io::Result<TcpListener> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let addresses: Vec<SocketAddr> = match host {
        "!4" => vec![v4],
        "!6" => vec![v6],
        // A socket of all IPv6 addresses takes IPv4 too.
        "*" | "*4" | "*6" => vec![v6, v4],
        host => tokio::net::lookup_host((host, port)).await?.collect(),
    };
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in addresses {
        match listen(address, sharing) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn listen(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(sharing == Sharing::Shared)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<UnixListener> {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

impl Address {
    /// Whether somebody answers there.
    pub(super) async fn is_reachable(&self) -> bool {
        match self {
            Self::Tcp(address) => {
                let mut address = *address;
                if address.ip().is_unspecified() {
                    // What listens everywhere listens here.
                    address.set_ip(match address {
                        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                    });
                }
                TcpStream::connect(address).await.is_ok()
            }
            Self::Unix(path) => UnixStream::connect(path).await.is_ok(),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix socket {}", path.display()),
        }
    }
}
