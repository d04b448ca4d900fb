//! One authenticated session: the start-up exchange and what the server tells about itself.

use postgres_protocol::message::backend::{BackendKeyDataBody, Message};
use postgres_protocol::message::frontend;

use super::authentication::Authentication;
use super::connector::Connector;
use super::error::{ConnectionError, DatabaseError};
use super::reported::Reported;
use super::socket::Socket;
use super::wire::Wire;

/// What a cancel request names.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CancelKey {
    pub(super) process: i32,
    pub(super) secret: i32,
}

impl From<&BackendKeyDataBody> for CancelKey {
    fn from(body: &BackendKeyDataBody) -> Self {
        Self {
            process: body.process_id(),
            secret: body.secret_key(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) wire: Wire,
    pub(super) key: CancelKey,
    pub(super) reported: Reported,
}

impl Session {
    /// Greets the server on `socket` and authenticates. `binding` is the hash of its certificate.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
    pub(super) async fn start(
        connector: &Connector,
        socket: Socket,
        binding: Option<Vec<u8>>,
    ) -> Result<Self, ConnectionError> {
        let endpoint = &connector.endpoint;
        let mut authentication = Authentication::new(endpoint, &socket, binding);
        let mut session = Self {
            wire: Wire::new(socket),
            key: CancelKey::default(),
            reported: Reported::default(),
        };
        let parameters = [
            ("user", endpoint.user.as_str()),
            ("database", &endpoint.database),
            ("application_name", &connector.application_name),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(parameters, &mut session.wire.output)?;
        loop {
            match session.wire.message().await? {
                Message::BackendKeyData(body) => session.key = CancelKey::from(&body),
                Message::ParameterStatus(body) => session.reported.note(&body)?,
                Message::NoticeResponse(_) => {}
                Message::ErrorResponse(body) => {
                    return Err(ConnectionError::Ended(DatabaseError::decode(&body)?));
                }
                Message::ReadyForQuery(_) if authentication.is_complete() => break,
                other => authentication.answer(other, &mut session.wire.output)?,
            }
        }
        session.reported.settle();
        Ok(session)
    }
}
