//! One Phoenix socket: its channels, and what its messages do.

mod joins;
mod tokens;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jwt::Identity;
use serde_json::json;
use tokio::task::JoinHandle;

use super::Channel;
use super::join::{JoinError, Joined};
use super::replies::{Ending, Request, Status, system};
use super::rights::Rights;
use super::{broadcast, presence};
use crate::broadcast::Broadcast;
use crate::bus::Event;
use crate::changes::AccessError;
use crate::engine::Engine;
use crate::journal::ResyncRequired;
use crate::limits::{KeySocket, Rate};
use crate::listener::{Failed, Failure, ListenerId};
use crate::outbox::Outbox;
use crate::persistence::Keeping;
use crate::protocol::{ClientMessage, ClientPayload, PHOENIX_TOPIC, Version};
use crate::sockets::{Conversation, Frame, Goodbye};

/// One Phoenix socket.
pub struct PhoenixConversation {
    engine: Arc<Engine>,
    version: Version,
    identity: Arc<Identity>,
    key: KeySocket,
    outbox: Outbox,
    channels: HashMap<String, Channel>,
    /// Joins under way, by topic; each has a number, so that one given up is not mistaken for the
    /// next.
    joining: HashMap<String, u64>,
    last_join: u64,
    pending: FuturesUnordered<BoxFuture<'static, Outcome>>,
    joins: Rate,
    events: Rate,
}

/// What work that takes time ends in.
pub enum Outcome {
    /// A join was decided.
    Joined {
        /// Its number.
        number: u64,
        /// The message that asked.
        request: Request,
        /// How it went.
        result: Result<Box<Joined>, JoinError>,
    },
    /// A channel was told what it missed.
    CaughtUp {
        /// The channel's listener.
        listener: ListenerId,
        /// How it went.
        result: Result<(), ResyncRequired>,
    },
    /// Messages from SQL will be heard, or what is missing.
    Replication {
        /// The channel's listener.
        listener: ListenerId,
        /// How it went.
        result: Result<(), &'static str>,
    },
    /// A broadcast that is to be answered was kept, or could not be.
    Kept {
        /// The message that asked.
        request: Request,
        /// The id it is kept under.
        id: Option<Arc<str>>,
    },
    /// What a channel may do was read again, for a new token.
    Rights {
        /// The channel's listener.
        listener: ListenerId,
        /// What it may do now.
        result: Result<Rights, AccessError>,
    },
}

/// A broadcast that is being written down.
struct BeingKept {
    id: Arc<str>,
    done: JoinHandle<bool>,
}

impl BeingKept {
    /// Hands a broadcast on, and then has it kept.
    async fn begin(engine: &Engine, mut broadcast: Broadcast, keeping: Keeping) -> Self {
        let id: Arc<str> = engine.randomness.uuid().to_string().into();
        broadcast.id = Some(Arc::clone(&id));
        engine
            .bus
            .publish(Event::Broadcast(broadcast.clone()))
            .await;
        Self {
            id,
            done: engine.keeper.keep(&broadcast, keeping),
        }
    }

    /// The answer, once it is known.
    async fn answer(self, request: Request) -> Outcome {
        let kept = self.done.await.unwrap_or(false);
        Outcome::Kept {
            request,
            id: kept.then_some(self.id),
        }
    }
}

impl PhoenixConversation {
    /// A socket that `identity` has opened with its key.
    pub fn new(
        engine: Arc<Engine>,
        version: Version,
        (identity, key): (Arc<Identity>, KeySocket),
        outbox: Outbox,
    ) -> Self {
        let limits = engine.limits;
        Self {
            engine,
            version,
            identity,
            key,
            outbox,
            channels: HashMap::new(),
            joining: HashMap::new(),
            last_join: 0,
            pending: FuturesUnordered::new(),
            joins: Rate::per_second(limits.joins_per_second),
            events: Rate::per_second(limits.events_per_second),
        }
    }

    async fn handle(&mut self, message: ClientMessage) {
        let ClientMessage {
            join_ref,
            reference,
            topic,
            event,
            payload,
        } = message;
        let request = Request {
            join_ref,
            reference,
            topic,
        };
        match event.as_str() {
            "heartbeat" if request.topic == PHOENIX_TOPIC => {
                self.outbox.send(request.ok(self.version));
            }
            "phx_join" => self.join(&request, &payload),
            "phx_leave" => self.leave(&request),
            _ => self.push(request, &event, payload).await,
        }
    }

    async fn push(&mut self, request: Request, event: &str, payload: ClientPayload) {
        if !self.channels.contains_key(&request.topic) {
            let refusal = request.refuse(self.version, "unmatched topic");
            self.outbox.send(refusal);
            return;
        }
        if !self.events.admit() || !self.key.admit_event() {
            self.close(&request.topic, "Too many messages per second");
            return;
        }
        match event {
            "access_token" => self.renew(&request.topic, &payload),
            "broadcast" => self.broadcast(&request, payload).await,
            "presence" => self.presence(&request, &payload),
            _ => {
                let refusal = request.refuse(self.version, "unknown event");
                self.outbox.send(refusal);
            }
        }
    }

    async fn broadcast(&mut self, request: &Request, payload: ClientPayload) {
        let Some(channel) = self.channels.get(&request.topic) else {
            return;
        };
        let ack = channel.ack;
        let reply = match broadcast::read(channel, payload) {
            Ok((broadcast, Some(keeping))) => {
                let kept = BeingKept::begin(&self.engine, broadcast, keeping).await;
                if ack {
                    self.pending.push(Box::pin(kept.answer(request.clone())));
                }
                return;
            }
            Ok((broadcast, None)) => {
                self.engine.bus.publish(Event::Broadcast(broadcast)).await;
                request.ok(self.version)
            }
            Err(error) => request.refuse_as(self.version, error.code(), &error.to_string()),
        };
        if ack {
            self.outbox.send(reply);
        }
    }

    fn presence(&mut self, request: &Request, payload: &ClientPayload) {
        let Some(channel) = self.channels.get_mut(&request.topic) else {
            return;
        };
        let done = presence::handle(&self.engine, self.version, &request.topic, channel, payload);
        self.outbox.send(match done {
            Ok(()) => request.ok(self.version),
            Err(error) => request.refuse(self.version, &error.to_string()),
        });
    }

    fn topic_of(&self, listener: ListenerId) -> Option<String> {
        let mut channels = self.channels.iter();
        let found = channels.find(|(_, channel)| channel.listener.id == listener);
        found.map(|(topic, _)| topic.clone())
    }

    /// Ends a channel for good, and says why.
    fn close(&mut self, topic: &str, reason: &str) {
        if let Some(channel) = self.channels.remove(topic) {
            channel.listener.close();
            let error = (Status::Error, reason);
            self.outbox
                .send(system(self.version, topic, "system", error));
            self.end(channel, topic, Ending::Close);
        }
    }

    fn end(&self, channel: Channel, topic: &str, ending: Ending) {
        channel.listener.close();
        let message = ending.message(self.version, topic, channel.join_ref.as_ref());
        drop(channel);
        self.outbox.send(message);
    }
}

impl Conversation for PhoenixConversation {
    type Outcome = Outcome;

    async fn receive(&mut self, frame: Frame) -> Result<(), Goodbye> {
        let message = match &frame {
            Frame::Text(text) => ClientMessage::from_text(self.version, text),
            Frame::Binary(bytes) => ClientMessage::from_binary(bytes),
        };
        match message {
            Ok(message) => {
                self.handle(message).await;
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "a frame was refused");
                Err(Goodbye("a frame is not of this protocol"))
            }
        }
    }

    fn pending(&mut self) -> &mut FuturesUnordered<BoxFuture<'static, Outcome>> {
        &mut self.pending
    }

    fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Joined {
                number,
                request,
                result,
            } => self.joined(number, &request, result),
            Outcome::CaughtUp { listener, result } => self.caught_up(listener, result),
            Outcome::Replication { listener, result } => self.replication_ready(listener, result),
            Outcome::Kept { request, id } => {
                let id = id.map_or_else(|| json!({}), |id| json!({ "id": *id }));
                let reply = request.reply(self.version, Status::Ok, &id.to_string());
                self.outbox.send(reply);
            }
            Outcome::Rights { listener, result } => self.reauthorized(listener, result),
        }
    }

    fn fail(&mut self, Failed { listener, failure }: Failed) {
        let Some(topic) = self.topic_of(listener) else {
            return;
        };
        let Failure { reason, again } = failure;
        if !again {
            return self.close(&topic, reason);
        }
        if let Some(channel) = self.channels.remove(&topic) {
            channel.listener.close();
            let error = (Status::Error, reason);
            self.outbox
                .send(system(self.version, &topic, "postgres_changes", error));
            self.end(channel, &topic, Ending::Error);
        }
    }

    fn expires_at(&self) -> Option<i64> {
        let channels = self.channels.values();
        channels
            .filter_map(|channel| channel.listener.identity().expires_at)
            .min()
    }

    fn expire(&mut self, now: i64) -> Result<(), Goodbye> {
        let expired: Vec<String> = self
            .channels
            .iter()
            .filter(|(_, channel)| {
                channel
                    .listener
                    .identity()
                    .expires_at
                    .is_some_and(|end| end <= now)
            })
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in expired {
            self.close(&topic, "Token has expired");
        }
        Ok(())
    }
}
