//! Notifications (`listen` and `notify`), through restarts of Postgres.

use std::fmt::Write as _;
use std::time::Duration;

use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::time::sleep;

use super::connector::Connector;
use super::error::{ConnectionError, DatabaseError, Outcome, PipelineError};
use super::session::Session;
use crate::{Endpoint, Ident};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Listens to channels on a connection of its own, and connects again by itself.
pub struct Listener {
    connector: Connector,
    listen: String,
    session: Option<Session>,
    pause: Duration,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Listening from now on. What was notified before, or while the connection was away, is
    /// lost: take the whole state anew.
    Listening,
    /// A notification.
    Notification {
        /// The channel it came on.
        channel: String,
        /// Its text.
        payload: String,
    },
}

impl Listener {
    /// A listener to `channels`; it connects when it is first asked. The error is a TLS
    /// configuration that cannot be used.
    pub fn new(
        endpoint: Endpoint,
        application_name: &str,
        channels: &[Ident],
    ) -> Result<Self, PipelineError> {
        let connector = Connector::new(endpoint, application_name.to_owned());
        let unavailable = |source| PipelineError::Unavailable {
            outcome: Outcome::NotApplied,
            source,
        };
        let mut listen = String::new();
        for channel in channels {
            let _ = write!(listen, "listen {channel};");
        }
        Ok(Self {
            connector: connector.map_err(unavailable)?,
            listen,
            session: None,
            pause: Duration::ZERO,
        })
    }

    /// The next event, however long it takes. Cancel safe: no notification is lost.
    pub async fn next(&mut self) -> Event {
        loop {
            let Some(session) = &mut self.session else {
                sleep(self.pause).await;
                match self.connect().await {
                    Ok(session) => {
                        self.session = Some(session);
                        self.pause = Duration::ZERO;
                        return Event::Listening;
                    }
                    Err(error) => {
                        let error = common::error::chain(&error);
                        tracing::warn!(error, "cannot listen for notifications");
                        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                    }
                }
                continue;
            };
            match session.wire.message().await {
                Ok(Message::NotificationResponse(body)) => {
                    if let (Ok(channel), Ok(payload)) = (body.channel(), body.message()) {
                        return Event::Notification {
                            channel: channel.to_owned(),
                            payload: payload.to_owned(),
                        };
                    }
                }
                Ok(Message::NoticeResponse(_) | Message::ParameterStatus(_)) => {}
                Ok(_) | Err(_) => self.session = None,
            }
        }
    }

    async fn connect(&self) -> Result<Session, ConnectionError> {
        let mut session = self.connector.open().await?;
        frontend::query(&self.listen, &mut session.wire.output)?;
        loop {
            let message = session.wire.message().await?;
            if let Message::ErrorResponse(body) = &message {
                return Err(ConnectionError::Ended(DatabaseError::decode(body)?));
            }
            if matches!(message, Message::ReadyForQuery(_)) {
                return Ok(session);
            }
        }
    }
}
