//! One request a connection, to a server that may be killed at any moment.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any answer takes that still comes.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Write {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) prefer: &'static str,
    pub(super) body: String,
    pub(super) key: Option<String>,
}

/// The status of the answer; `None` where none came.
pub(super) async fn send(port: u16, token: &str, write: &Write) -> Option<u16> {
    let answer = timeout(PATIENCE, exchange(port, token, write)).await;
    let answer = answer.ok()?.ok()?;
    let status = answer.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    status.parse().ok()
}

async fn exchange(port: u16, token: &str, write: &Write) -> std::io::Result<String> {
    let Write {
        method,
        path,
        prefer,
        body,
        key,
    } = write;
    let key = key
        .as_ref()
        .map(|key| format!("idempotency-key: \"{key}\"\r\n"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nprefer: {prefer}\r\n{}content-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        key.unwrap_or_default(),
        body.len(),
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
