//! Opening sessions at one endpoint, and cancelling what runs in them.

use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::error::ConnectionError;
use super::session::{CancelKey, Session};
use super::socket::{self, Socket};
use super::tls::{Tls, end_point_hash};
use crate::Endpoint;

/// How long reaching the server and authenticating may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long handing over a cancel request may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);

/// Where sessions are opened, and as whom.
pub(super) struct Connector {
    pub(super) endpoint: Endpoint,
    pub(super) application_name: String,
    tls: Option<Tls>,
}

impl Connector {
    pub(super) fn new(endpoint: Endpoint, name: String) -> Result<Self, ConnectionError> {
        Ok(Self {
            tls: Tls::new(&endpoint)?,
            application_name: name,
            endpoint,
        })
    }

    /// A session that is ready for its first batch.
    pub(super) async fn open(&self) -> Result<Session, ConnectionError> {
        let opening = async {
            let (socket, binding) = self.socket().await?;
            Session::start(self, socket, binding).await
        };
        let opened = timeout(CONNECT_TIMEOUT, opening).await;
        opened.unwrap_or(Err(ConnectionError::TimedOut))
    }

    /// Asks the server to stop what runs in the session with `key`. When this returns in time the
    /// signal has been sent; whether it came before the statement's end is for the session to see.
    pub(super) async fn cancel(&self, key: CancelKey) {
        let cancelling = async {
            let (mut socket, _) = self.socket().await?;
            let mut request = BytesMut::with_capacity(16);
            frontend::cancel_request(key.process, key.secret, &mut request);
            socket.write_all(&request).await?;
            socket.flush().await?;
            // The server closes the connection once it has sent the signal.
            let _ = socket.read_u8().await;
            Ok::<_, ConnectionError>(())
        };
        let outcome = timeout(CANCEL_TIMEOUT, cancelling).await;
        if !matches!(outcome, Ok(Ok(()))) {
            tracing::warn!("a statement could not be cancelled; its own time-out ends it");
        }
    }

    /// A socket, encrypted where it should be, and the hash that binds an authentication to it.
    async fn socket(&self) -> Result<(Socket, Option<Vec<u8>>), ConnectionError> {
        let Endpoint { host, port, .. } = &self.endpoint;
        if host.starts_with('/') {
            let stream = socket::connect_unix(Path::new(host), *port).await?;
            return Ok((Socket::Unix(stream), None));
        }
        if let Some(directory) = &self.endpoint.socket_directory
            && let Ok(stream) = socket::connect_unix(directory, *port).await
        {
            return Ok((Socket::Unix(stream), None));
        }
        let mut stream = socket::connect_tcp(host, *port).await?;
        let Some(tls) = &self.tls else {
            return Ok((Socket::Tcp(stream), None));
        };
        let mut request = BytesMut::with_capacity(8);
        frontend::ssl_request(&mut request);
        stream.write_all(&request).await?;
        // One byte and no more: what somebody put behind it must not pass for decrypted text.
        match stream.read_u8().await? {
            b'S' => {}
            b'N' if tls.optional => return Ok((Socket::Tcp(stream), None)),
            _ => return Err(ConnectionError::Tls("the server offers none")),
        }
        let stream = tls.connect(stream).await?;
        let (_, connection) = stream.get_ref();
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let binding = certificate.and_then(|certificate| end_point_hash(certificate));
        Ok((Socket::Tls(Box::new(stream)), binding))
    }
}
