//! `--ready`: asks the administration of a running server whether it is ready.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::listen::Places;

const PATIENCE: Duration = Duration::from_secs(5);

/// Why a server is not known to be ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReady {
    #[error("Admin server is not running. Please check admin-server-port config.")]
    NoAdmin,
    #[error(
        "The `--ready` flag cannot be used when server-host is configured as \"{0}\". Please update your server-host config to \"localhost\"."
    )]
    SpecialHost(String),
    #[error("connection refused to {0}: {1}")]
    Unreachable(String, io::Error),
    #[error("{0} answered {1}")]
    Status(String, u16),
}

/// The URL that said so.
pub(super) async fn ask(places: &Places) -> Result<String, NotReady> {
    let (host, port) = places.admin.as_ref().ok_or(NotReady::NoAdmin)?;
    if host.starts_with(['*', '!']) {
        return Err(NotReady::SpecialHost(host.clone()));
    }
    let url = format!("http://{host}:{port}/ready");
    let asked = timeout(PATIENCE, status(host, *port)).await;
    let asked = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    match asked {
        Ok(200) => Ok(url),
        Ok(status) => Err(NotReady::Status(url, status)),
        Err(error) => Err(NotReady::Unreachable(url, error)),
    }
}

async fn status(host: &str, port: u16) -> io::Result<u16> {
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = format!("GET /ready HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
