//! Joining a channel: may it, what does it listen to, and is the stream there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jwt::Identity;
use serde_json::json;

use super::Channel;
use super::replies::{Request, Status, system};
use super::rights::Rights;
use crate::broadcast::Topic;
use crate::changes::binding::BoundRequest;
use crate::changes::{AccessError, Binding, Registration, refusal};
use crate::engine::{Engine, SubscribeError};
use crate::fan_out::Returning;
use crate::listener::{Dialect, Listener};
use crate::outbox::Outbox;
use crate::protocol::join::ReplayRequest;
use crate::protocol::{JoinConfig, Version};
use crate::replication::Position;
use crate::resume::Continuation;
use crate::store::messages::Replayed;
use crate::topics::Member;
use crate::wire::Wire;

/// A join under way.
pub struct Join {
    /// What everybody shares.
    pub engine: Arc<Engine>,
    /// The socket's version.
    pub version: Version,
    /// The message that asks.
    pub request: Request,
    /// The topic.
    pub topic: Topic,
    /// Who joins.
    pub identity: Arc<Identity>,
    /// What is asked for.
    pub config: JoinConfig,
    /// Where its events go.
    pub outbox: Outbox,
}

/// A join that was granted.
pub struct Joined {
    /// The channel.
    pub channel: Channel,
    /// Whether the client is told when messages from SQL will be heard.
    pub replication_ready: bool,
    bound: Vec<BoundRequest>,
    /// Why it hears of no changes.
    refused: Option<String>,
    continuation: Continuation,
    replayed: Vec<Replayed>,
}

/// Why a join is refused; the text is the client's `reason`.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Policies on `realtime.messages` let the client hear nothing.
    #[error("Unauthorized: You do not have permissions to read from this Channel topic: {0}")]
    Unauthorized(Arc<str>),
    /// The changes cannot be listened to.
    #[error("{0}")]
    Subscribe(#[from] SubscribeError),
    /// Messages that cannot be told again.
    #[error("UnableToReplayMessages: {0}")]
    Replay(&'static str),
    /// The database cannot be asked.
    #[error("DatabaseUnavailable: the policies of this topic cannot be read now")]
    Access(#[from] AccessError),
}

impl Join {
    /// Joins.
    pub async fn run(self) -> Result<Joined, JoinError> {
        let rights = self.rights().await?;
        let replay = self.replay(rights)?;
        let requests = self.config.postgres_changes.iter();
        let bound = requests.map(BoundRequest::new).collect();
        let dialect = Dialect::Phoenix {
            version: self.version,
            topic: self.request.topic.as_str().into(),
        };
        let identity = Arc::clone(&self.identity);
        let listener = Listener::new(dialect, identity, self.outbox.clone());
        let listener = Arc::new(listener);
        let (registration, refused) = match self.listen(&listener).await? {
            Ok(registration) => (registration, None),
            Err(refused) => (None, Some(refused)),
        };
        let replication_ready = self.config.broadcast.replication_ready;
        let resume = self.config.resume.clone();
        let engine = Arc::clone(&self.engine);
        if resume.is_some() {
            engine
                .replication_ready()
                .await
                .map_err(SubscribeError::Stream)?;
        }
        let (identity, topic) = (Arc::clone(&self.identity), Arc::clone(&self.topic.name));
        let channel = self.channel(listener, rights, registration);
        let replayed = match replay {
            Some(replay) => engine.access.replay(&identity, &topic, replay).await?,
            None => Vec::new(),
        };
        let ids = replayed.iter().map(|message| Arc::clone(&message.id));
        channel.listener.told(ids);
        // Registered by now: whatever is committed after the end of the journal will be heard.
        let continuation = engine.resume.begin(&channel.listener, resume.as_deref());
        Ok(Joined {
            channel,
            replication_ready,
            bound,
            refused,
            continuation,
            replayed,
        })
    }

    /// What it hears of changes; or, in words, why it hears of none, which ends nothing else of
    /// the channel.
    async fn listen(
        &self,
        listener: &Arc<Listener>,
    ) -> Result<Result<Option<Registration>, String>, JoinError> {
        let requests = &self.config.postgres_changes;
        if requests.is_empty() {
            return Ok(Ok(None));
        }
        let mut bindings = Vec::with_capacity(requests.len());
        for request in requests {
            match Binding::new(request) {
                Ok(binding) => bindings.push(binding),
                Err(error) => return Ok(Err(refusal::of_binding(request, &error))),
            }
        }
        for (request, binding) in requests.iter().zip(&bindings) {
            if !self.engine.publishes(&self.identity, binding).await? {
                return Ok(Err(refusal::not_published(request)));
            }
            let checked = self.engine.check_columns(&self.identity, binding).await;
            if let Err(error) = checked {
                let refused = refusal::of_subscription(request, &error);
                return refused.map(Err).ok_or(JoinError::Subscribe(error));
            }
        }
        Ok(Ok(Some(self.engine.subscribe(listener, bindings).await?)))
    }

    /// The messages from before the join that are asked for.
    fn replay(&self, rights: Rights) -> Result<Option<ReplayRequest>, JoinError> {
        let Some(replay) = &self.config.broadcast.replay else {
            return Ok(None);
        };
        if !self.topic.private {
            return Err(JoinError::Replay(
                "Replay is not allowed for public channels",
            ));
        }
        if !rights.read_broadcast {
            return Err(JoinError::Unauthorized(Arc::clone(&self.topic.name)));
        }
        let replay = serde_json::from_str(replay.get());
        replay
            .map(Some)
            .map_err(|_| JoinError::Replay("Replay params are not valid"))
    }

    async fn rights(&self) -> Result<Rights, JoinError> {
        if !self.topic.private {
            return Ok(Rights::ALL);
        }
        let rights = self
            .engine
            .access
            .rights(&self.identity, &self.topic.name)
            .await?;
        if rights.can_read() {
            Ok(rights)
        } else {
            Err(JoinError::Unauthorized(Arc::clone(&self.topic.name)))
        }
    }

    fn channel(
        self,
        listener: Arc<Listener>,
        rights: Rights,
        registration: Option<Registration>,
    ) -> Channel {
        let wants_presence = self.config.presence.enabled.unwrap_or(true);
        let echo = self.config.broadcast.echo;
        let member = Member::new(Arc::clone(&listener), echo, wants_presence, rights);
        let key = self.config.presence.key;
        Channel {
            join_ref: self.request.join_ref.clone().or(self.request.reference),
            membership: self.engine.topics.join(self.topic.clone(), member),
            topic: self.topic,
            listener,
            registration,
            ack: self.config.broadcast.ack,
            presence_key: if key.is_empty() {
                self.engine.randomness.uuid().to_string()
            } else {
                key
            },
            tracked: None,
        }
    }
}

impl Joined {
    /// Tells the client; from here on it hears what happens.
    pub fn open(&self, engine: &Engine, version: Version, request: &Request) {
        let mut first = vec![request.reply(version, Status::Ok, &self.response())];
        if self.channel.registration.is_some() {
            let done = (Status::Ok, "Subscribed to PostgreSQL");
            first.push(system(version, &request.topic, "postgres_changes", done));
        }
        if let Some(refused) = &self.refused {
            let refused = (Status::Error, refused.as_str());
            first.push(system(version, &request.topic, "postgres_changes", refused));
        }
        if let Continuation::ResyncRequired(_) = self.continuation {
            let lost = (Status::Error, "resync_required");
            first.push(system(version, &request.topic, "resume", lost));
        }
        let again = self.replayed.iter();
        let again = again.filter_map(|message| message.frame(version, &request.topic));
        let member = &self.channel.membership.member;
        let presence = member.wants_presence.load(Ordering::Relaxed);
        if presence && member.rights().read_presence {
            engine.presence.state(&self.channel.topic, |state| {
                first.push(state_frame(version, &request.topic, &state));
                self.channel.listener.open(first.into_iter().chain(again));
            });
        } else {
            self.channel.listener.open(first.into_iter().chain(again));
        }
        self.continuation.start(&self.channel.listener);
    }
}

impl Joined {
    fn response(&self) -> String {
        let mut response = json!({ "postgres_changes": self.bound });
        let resume = self.continuation.word();
        if let Some(resume) = resume {
            response["resume"] = resume.into();
        }
        // Clients that hear of no committed events have no use for one.
        let wanted = resume.is_some() || !self.bound.is_empty();
        if let Some(token) = self.continuation.token().filter(|_| wanted) {
            response["resume_token"] = token.to_string().into();
        }
        response.to_string()
    }

    /// What is to be told from the journal once the channel is open, and from where.
    pub fn missed(&self) -> Option<(Returning, Position)> {
        let Continuation::Resumed(from) = self.continuation else {
            return None;
        };
        let registration = self.channel.registration.as_ref();
        let returning = Returning {
            subscription: registration.map(Registration::subscription),
            place: Some(self.channel.membership.place()),
        };
        Some((returning, from))
    }
}

/// The event that says who is present.
pub fn state_frame(version: Version, topic: &str, state: &str) -> Wire {
    crate::topics::event_frame(version, topic, "presence_state", state)
}
