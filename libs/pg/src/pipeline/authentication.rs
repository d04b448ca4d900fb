//! Proving who we are: SCRAM-SHA-256, with channel binding under TLS; MD5 for old roles; a
//! password in clear only where nobody can listen.

use bytes::BytesMut;
use common::Secret;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;

use super::error::ConnectionError;
use super::socket::Socket;
use crate::Endpoint;

/// The authentication's progress.
pub(super) struct Authentication<'a> {
    user: &'a str,
    password: Option<&'a Secret>,
    private: bool,
    binding: Option<Vec<u8>>,
    stage: Stage,
}

enum Stage {
    Asked,
    Scram(ScramSha256),
    /// The password went out in a form that leaves nothing to verify.
    Sent,
    /// The server has proved that it knows the password too.
    Verified,
    Complete,
}

impl<'a> Authentication<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, socket: &Socket, binding: Option<Vec<u8>>) -> Self {
        Self {
            user: &endpoint.user,
            password: endpoint.password.as_ref(),
            private: matches!(socket, Socket::Tls(_) | Socket::Unix(_)),
            binding,
            stage: Stage::Asked,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Complete)
    }

    /// Writes what answers `message` to `output`.
    pub(super) fn answer(
        &mut self,
        message: Message,
        output: &mut BytesMut,
    ) -> Result<(), ConnectionError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Complete);
        self.stage = match (stage, message) {
            // A server that breaks off SCRAM before it has proved itself is not the one meant.
            (Stage::Asked | Stage::Sent | Stage::Verified, Message::AuthenticationOk) => {
                Stage::Complete
            }
            (Stage::Asked, Message::AuthenticationCleartextPassword) if self.private => {
                frontend::password_message(self.password()?, output)?;
                Stage::Sent
            }
            (Stage::Asked, Message::AuthenticationMd5Password(body)) => {
                let hash = md5_hash(self.user.as_bytes(), self.password()?, body.salt());
                frontend::password_message(hash.as_bytes(), output)?;
                Stage::Sent
            }
            (Stage::Asked, Message::AuthenticationSasl(body)) => self.begin_scram(&body, output)?,
            (Stage::Scram(mut scram), Message::AuthenticationSaslContinue(body)) => {
                scram.update(body.data())?;
                frontend::sasl_response(scram.message(), output)?;
                Stage::Scram(scram)
            }
            (Stage::Scram(mut scram), Message::AuthenticationSaslFinal(body)) => {
                scram.finish(body.data())?;
                Stage::Verified
            }
            _ => {
                let reason = "the server asks for a method that is not safe or not known here";
                return Err(ConnectionError::Authentication(reason));
            }
        };
        Ok(())
    }

    fn begin_scram(
        &mut self,
        body: &AuthenticationSaslBody,
        output: &mut BytesMut,
    ) -> Result<Stage, ConnectionError> {
        let (mut plain, mut plus) = (false, false);
        let mut mechanisms = body.mechanisms();
        while let Some(mechanism) = mechanisms.next()? {
            plain |= mechanism == SCRAM_SHA_256;
            plus |= mechanism == SCRAM_SHA_256_PLUS;
        }
        let (binding, mechanism) = match self.binding.take() {
            Some(hash) if plus => (
                ChannelBinding::tls_server_end_point(hash),
                SCRAM_SHA_256_PLUS,
            ),
            // Said to a server that does offer it, this reveals who took the offer away.
            Some(_) if plain => (ChannelBinding::unrequested(), SCRAM_SHA_256),
            None if plain => (ChannelBinding::unsupported(), SCRAM_SHA_256),
            _ => {
                return Err(ConnectionError::Authentication(
                    "no SASL mechanism in common",
                ));
            }
        };
        let scram = ScramSha256::new(self.password()?, binding);
        frontend::sasl_initial_response(mechanism, scram.message(), output)?;
        Ok(Stage::Scram(scram))
    }

    fn password(&self) -> Result<&'a [u8], ConnectionError> {
        let missing = ConnectionError::Authentication("the server asks for a password");
        self.password
            .map(|secret| secret.expose().as_bytes())
            .ok_or(missing)
    }
}
