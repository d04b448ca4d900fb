//! One socket of SelfDB's own protocol: authenticate, then subscribe to tables.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jwt::Identity;

use crate::changes::{AccessError, Binding, Registration};
use crate::engine::{Engine, SubscribeError};
use crate::fan_out::Returning;
use crate::journal::ResyncRequired;
use crate::limits::{KeySocket, Rate};
use crate::listener::{Dialect, Failed, Failure, Listener, ListenerId};
use crate::outbox::Outbox;
use crate::protocol::ChangeRequest;
use crate::protocol::selfdb::{SelfDbReply, SelfDbRequest, SelfDbTarget};
use crate::resume::{self, Continuation};
use crate::sockets::{Conversation, Frame, Goodbye};
use crate::wire::Wire;

/// How long a client may take to say who it is, in seconds.
const AUTHENTICATE_WITHIN: i64 = 10;

const TOO_MANY_CLIENTS: &str = "too many sockets of this user or key are open";

/// One socket of SelfDB's own protocol.
pub struct SelfDbConversation {
    engine: Arc<Engine>,
    identity: Option<Arc<Identity>>,
    key: Option<KeySocket>,
    opened_at: i64,
    outbox: Outbox,
    subscriptions: HashMap<String, Subscribed>,
    subscribing: HashMap<String, u64>,
    last_subscribe: u64,
    pending: FuturesUnordered<BoxFuture<'static, Outcome>>,
    events: Rate,
}

struct Subscribed {
    listener: Arc<Listener>,
    registration: Registration,
    continuation: Continuation,
}

/// What work on a subscription ends in.
pub struct Outcome {
    name: String,
    number: u64,
    step: Step,
}

enum Step {
    /// It was decided.
    Subscribed(Result<Subscribed, SubscriptionError>),
    /// It was told what it missed.
    CaughtUp(ListenerId, Result<(), ResyncRequired>),
}

/// Why a subscription is refused; the text is the client's.
#[derive(Debug, thiserror::Error)]
enum SubscriptionError {
    /// A table that is not there or that the client's role may not read at all.
    #[error("there is no such table, or it may not be read")]
    Table,
    /// The changes cannot be listened to.
    #[error("{0}")]
    Subscribe(#[from] SubscribeError),
    /// The database cannot be asked.
    #[error("the database is not reachable")]
    Access(#[from] AccessError),
}

impl SelfDbConversation {
    /// A socket whose client has not said yet who it is.
    pub fn new(engine: Arc<Engine>, outbox: Outbox) -> Self {
        let events = Rate::per_second(engine.limits.events_per_second);
        let opened_at = engine.clock.unix_seconds();
        Self {
            engine,
            identity: None,
            key: None,
            opened_at,
            outbox,
            subscriptions: HashMap::new(),
            subscribing: HashMap::new(),
            last_subscribe: 0,
            pending: FuturesUnordered::new(),
            events,
        }
    }

    fn say(&self, reply: &SelfDbReply<'_>) {
        self.outbox.send(Wire::text(reply.to_text()));
    }

    fn refuse(&self, subscription: Option<&str>, message: &str) {
        self.say(&SelfDbReply::Error {
            subscription_id: subscription,
            message,
        });
    }

    fn handle(&mut self, request: SelfDbRequest) -> Result<(), Goodbye> {
        match request {
            SelfDbRequest::Ping => self.say(&SelfDbReply::Pong),
            SelfDbRequest::Authenticate { token } => return self.authenticate(&token),
            SelfDbRequest::Subscribe {
                subscription_id,
                data,
                resume,
            } => self.subscribe(subscription_id, &data, resume),
            SelfDbRequest::Unsubscribe { subscription_id } => {
                self.subscribing.remove(&subscription_id);
                if let Some(subscribed) = self.subscriptions.remove(&subscription_id) {
                    subscribed.listener.close();
                }
                self.say(&SelfDbReply::Unsubscribed {
                    subscription_id: &subscription_id,
                });
            }
        }
        Ok(())
    }

    fn authenticate(&mut self, token: &str) -> Result<(), Goodbye> {
        let Ok(identity) = self.engine.authenticator.identify(token) else {
            self.refuse(None, "the token or key is not valid");
            return Err(Goodbye("the token or key is not valid"));
        };
        // A newer token of the same user takes the place of the older one.
        self.key = None;
        let Some(key) = self.engine.keys.open(&identity) else {
            self.refuse(None, TOO_MANY_CLIENTS);
            return Err(Goodbye(TOO_MANY_CLIENTS));
        };
        self.key = Some(key);
        for subscribed in self.subscriptions.values() {
            subscribed.listener.set_identity(Arc::clone(&identity));
        }
        self.say(&SelfDbReply::Connected {
            user_id: identity.subject.as_deref(),
        });
        self.identity = Some(identity);
        Ok(())
    }

    fn subscribe(&mut self, name: String, target: &SelfDbTarget, resume: Option<String>) {
        let Some(identity) = self.identity.clone() else {
            return self.refuse(Some(&name), "authenticate first");
        };
        if self.engine.authenticator.ended.has_ended(&identity) {
            return self.refuse(Some(&name), Failure::SIGNED_OUT.reason);
        }
        let others = self.subscriptions.keys().chain(self.subscribing.keys());
        if others.filter(|other| **other != name).count() >= self.engine.limits.max_channels {
            return self.refuse(Some(&name), "too many subscriptions");
        }
        let (schema, table) = target.schema_and_table();
        let (schema, table) = (schema.to_owned(), table.to_owned());
        // The same name again replaces what it stood for: each event is told once.
        if let Some(earlier) = self.subscriptions.remove(&name) {
            earlier.listener.close();
        }
        let dialect = Dialect::SelfDb(name.as_str().into());
        let outbox = self.outbox.clone();
        let listener = Listener::new(dialect, identity, outbox);
        self.last_subscribe += 1;
        let number = self.last_subscribe;
        self.subscribing.insert(name.clone(), number);
        let engine = Arc::clone(&self.engine);
        self.pending.push(Box::pin(async move {
            let listener = Arc::new(listener);
            let subscribed = subscribe(&engine, listener, (schema, table), resume.as_deref());
            Outcome {
                step: Step::Subscribed(subscribed.await),
                name,
                number,
            }
        }));
    }

    fn subscribed(&mut self, name: String, result: Result<Subscribed, SubscriptionError>) {
        let subscribed = match result {
            Ok(subscribed) => subscribed,
            Err(error) => return self.refuse(Some(&name), &error.to_string()),
        };
        let Subscribed {
            listener,
            registration,
            continuation,
        } = &subscribed;
        let reply = SelfDbReply::Subscribed {
            subscription_id: &name,
            resume: continuation.word(),
            resume_token: continuation.token().map(|token| token.to_string()),
        };
        listener.open([Wire::text(reply.to_text())]);
        continuation.start(listener);
        if let Continuation::Resumed(from) = *continuation {
            let (engine, listener) = (Arc::clone(&self.engine), Arc::clone(listener));
            let to = Returning {
                subscription: Some(registration.subscription()),
                place: None,
            };
            let (name, number) = (name.clone(), self.last_subscribe);
            self.pending.push(Box::pin(async move {
                let result = engine.resume.run(&listener, &to, from).await;
                Outcome {
                    step: Step::CaughtUp(listener.id, result),
                    name,
                    number,
                }
            }));
        }
        self.subscriptions.insert(name, subscribed);
    }
}

async fn subscribe(
    engine: &Engine,
    listener: Arc<Listener>,
    (schema, table): (String, String),
    token: Option<&str>,
) -> Result<Subscribed, SubscriptionError> {
    let identity = listener.identity();
    let columns = engine
        .access
        .readable_columns(&identity, &schema, &table)
        .await?;
    if columns.is_none_or(|columns| columns.is_empty()) {
        return Err(SubscriptionError::Table);
    }
    let request = ChangeRequest {
        schema: Some(schema),
        table: Some(table),
        ..ChangeRequest::default()
    };
    let binding = Binding::new(&request).map_err(|_| SubscriptionError::Table)?;
    let registration = engine.subscribe(&listener, vec![binding]).await?;
    let continuation = engine.resume.begin(&listener, token);
    Ok(Subscribed {
        listener,
        registration,
        continuation,
    })
}

impl Conversation for SelfDbConversation {
    type Outcome = Outcome;

    async fn receive(&mut self, frame: Frame) -> Result<(), Goodbye> {
        let key_admits = self.key.as_ref().is_none_or(KeySocket::admit_event);
        if !self.events.admit() || !key_admits {
            return Err(Goodbye("too many messages per second"));
        }
        let request = match &frame {
            Frame::Text(text) => serde_json::from_str(text).ok(),
            Frame::Binary(bytes) => serde_json::from_slice(bytes).ok(),
        };
        if let Some(request) = request {
            return self.handle(request);
        }
        self.refuse(None, "the message is not of this protocol");
        Ok(())
    }

    fn pending(&mut self) -> &mut FuturesUnordered<BoxFuture<'static, Outcome>> {
        &mut self.pending
    }

    fn settle(&mut self, outcome: Outcome) {
        let name = outcome.name;
        match outcome.step {
            Step::Subscribed(result) => {
                if self.subscribing.get(&name) == Some(&outcome.number) {
                    self.subscribing.remove(&name);
                    self.subscribed(name, result);
                }
            }
            Step::CaughtUp(_, Ok(())) => {}
            Step::CaughtUp(listener, Err(ResyncRequired)) => self.fail(Failed {
                listener,
                failure: Failure::again(resume::GONE),
            }),
        }
    }

    fn fail(&mut self, Failed { listener, failure }: Failed) {
        let mut subscriptions = self.subscriptions.iter();
        let found = subscriptions.find(|(_, subscribed)| subscribed.listener.id == listener);
        let Some(name) = found.map(|(name, _)| name.clone()) else {
            return;
        };
        self.subscriptions.remove(&name);
        self.refuse(Some(&name), failure.reason);
    }

    fn expires_at(&self) -> Option<i64> {
        match &self.identity {
            Some(identity) => identity.expires_at,
            None => Some(self.opened_at + AUTHENTICATE_WITHIN),
        }
    }

    fn expire(&mut self, now: i64) -> Result<(), Goodbye> {
        match self.expires_at() {
            Some(end) if end <= now && self.identity.is_some() => {
                Err(Goodbye("the token has expired"))
            }
            Some(end) if end <= now => Err(Goodbye("nobody authenticated in time")),
            Some(_) | None => Ok(()),
        }
    }
}
