//! Joining and leaving.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jwt::{Identity, TokenError};

use super::{Outcome, PhoenixConversation};
use crate::broadcast::Topic;
use crate::channel::Channel;
use crate::channel::join::{Join, JoinError, Joined};
use crate::channel::replies::{Ending, Request, Status, system};
use crate::fan_out::Returning;
use crate::journal::ResyncRequired;
use crate::listener::{Failed, Failure, ListenerId};
use crate::protocol::{ClientPayload, JoinRequest, MAX_NAME_BYTES, TOPIC_PREFIX};
use crate::replication::Position;
use crate::resume;
use crate::sockets::Conversation as _;

/// What API keys begin with that are no tokens: clients send them in a token's place, where they
/// say no more than the socket's own key did.
pub(super) const KEY_PREFIX: &str = "sb_";

/// Why a token is refused, in the words that clients look for.
pub(super) fn refusal(error: &TokenError) -> String {
    match error {
        TokenError::Malformed | TokenError::TooLong | TokenError::Header => {
            "MalformedJWT: The token provided is not a valid JWT".to_owned()
        }
        TokenError::Signature | TokenError::UnknownKey => {
            "JwtSignatureError: Failed to validate JWT signature".to_owned()
        }
        TokenError::Expired => "InvalidJWTToken: Token has expired".to_owned(),
        TokenError::Claim(_) | TokenError::NotYetValid => format!("InvalidJWTToken: {error}"),
    }
}

impl PhoenixConversation {
    pub(super) fn join(&mut self, request: &Request, payload: &ClientPayload) {
        match self.admit(request, payload) {
            Err(reason) => self.outbox.send(request.refuse(self.version, &reason)),
            Ok(join) => {
                if let Some(earlier) = self.channels.remove(&request.topic) {
                    self.end(earlier, &request.topic, Ending::Close);
                }
                self.last_join += 1;
                let number = self.last_join;
                self.joining.insert(request.topic.clone(), number);
                self.pending.push(Box::pin(async move {
                    let request = join.request.clone();
                    let result = join.run().await.map(Box::new);
                    Outcome::Joined {
                        number,
                        request,
                        result,
                    }
                }));
            }
        }
    }

    /// Everything that can be decided at once.
    fn admit(&mut self, request: &Request, payload: &ClientPayload) -> Result<Join, String> {
        if !self.joins.admit() || !self.key.admit_join() {
            return Err("ClientJoinRateLimitReached: Too many joins per second".to_owned());
        }
        let name = request.topic.strip_prefix(TOPIC_PREFIX).unwrap_or_default();
        if request.topic == TOPIC_PREFIX {
            return Err("TopicNameRequired: You must provide a topic name".to_owned());
        }
        if name.is_empty() || request.topic.len() > MAX_NAME_BYTES {
            return Err("unmatched topic".to_owned());
        }
        let others = self.channels.keys().chain(self.joining.keys());
        let others = others.filter(|topic| **topic != request.topic).count();
        if others >= self.engine.limits.max_channels {
            return Err("ChannelRateLimitReached: Too many channels".to_owned());
        }
        let ClientPayload::Json(json) = payload else {
            return Err("a join has a JSON payload".to_owned());
        };
        let asked: JoinRequest = serde_json::from_str(json.get())
            .map_err(|_| "the payload of the join cannot be read".to_owned())?;
        let identity = self.identify(asked.access_token.as_deref())?;
        Ok(Join {
            engine: Arc::clone(&self.engine),
            version: self.version,
            request: request.clone(),
            topic: Topic {
                name: name.into(),
                private: asked.config.private,
            },
            identity,
            config: asked.config,
            outbox: self.outbox.clone(),
        })
    }

    /// Who joins: the bearer of the join's own token, else whoever opened the socket.
    fn identify(&self, token: Option<&str>) -> Result<Arc<Identity>, String> {
        let token = token.filter(|token| !token.is_empty() && !token.starts_with(KEY_PREFIX));
        if let Some(token) = token {
            let identified = self.engine.authenticator.identify(token);
            return identified.map_err(|error| refusal(&error));
        }
        let now = self.engine.clock.unix_seconds();
        let ended = self.engine.authenticator.ended.has_ended(&self.identity);
        if ended || self.identity.expires_at.is_some_and(|end| end <= now) {
            return Err(refusal(&TokenError::Expired));
        }
        Ok(Arc::clone(&self.identity))
    }

    pub(super) fn leave(&mut self, request: &Request) {
        self.joining.remove(&request.topic);
        let left = self.channels.remove(&request.topic);
        self.outbox.send(request.ok(self.version));
        if let Some(channel) = left {
            self.end(channel, &request.topic, Ending::Close);
        }
    }

    pub(super) fn joined(
        &mut self,
        number: u64,
        request: &Request,
        result: Result<Box<Joined>, JoinError>,
    ) {
        if self.joining.get(&request.topic) != Some(&number) {
            return;
        }
        self.joining.remove(&request.topic);
        match result {
            Ok(joined) => {
                joined.open(&self.engine, self.version, request);
                if joined.replication_ready {
                    let engine = Arc::clone(&self.engine);
                    let listener = joined.channel.listener.id;
                    self.pending.push(Box::pin(async move {
                        let result = engine.replication_ready().await;
                        Outcome::Replication { listener, result }
                    }));
                }
                if let Some((to, from)) = joined.missed() {
                    self.pending.push(self.catch_up(&joined.channel, to, from));
                }
                self.channels.insert(request.topic.clone(), joined.channel);
            }
            Err(error) => {
                tracing::debug!(error = %common::error::chain(&error), "a join was refused");
                self.outbox
                    .send(request.refuse(self.version, &error.to_string()));
            }
        }
    }

    fn catch_up(
        &self,
        channel: &Channel,
        to: Returning,
        from: Position,
    ) -> BoxFuture<'static, Outcome> {
        let engine = Arc::clone(&self.engine);
        let listener = Arc::clone(&channel.listener);
        Box::pin(async move {
            let result = engine.resume.run(&listener, &to, from).await;
            Outcome::CaughtUp {
                listener: listener.id,
                result,
            }
        })
    }

    pub(super) fn caught_up(&mut self, listener: ListenerId, result: Result<(), ResyncRequired>) {
        match (self.topic_of(listener), result) {
            (Some(topic), Ok(())) => {
                let done = (Status::Ok, "resumed");
                self.outbox
                    .send(system(self.version, &topic, "resume", done));
            }
            (Some(_), Err(ResyncRequired)) => self.fail(Failed {
                listener,
                failure: Failure::again(resume::GONE),
            }),
            (None, _) => {}
        }
    }

    pub(super) fn replication_ready(&self, listener: ListenerId, result: Result<(), &'static str>) {
        let Some(topic) = self.topic_of(listener) else {
            return;
        };
        let told = match result {
            Ok(()) => (Status::Ok, "Replication connection established"),
            Err(problem) => (Status::Error, problem),
        };
        self.outbox
            .send(system(self.version, &topic, "system", told));
    }
}
