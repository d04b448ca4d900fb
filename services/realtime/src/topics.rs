//! Who has joined which topic, for broadcasts and presence.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::broadcast::{Broadcast, Topic};
use crate::channel::rights::Rights;
use crate::listener::{Dialect, Listener, ListenerId};
use crate::protocol::text::{self, Envelope};
use crate::protocol::{BroadcastBody, TOPIC_PREFIX, Version, binary};
use crate::replication::Position;
use crate::wire::Wire;

/// A listener in a topic.
#[derive(Debug)]
pub struct Member {
    /// Who listens.
    pub listener: Arc<Listener>,
    /// Whether it hears its own broadcasts.
    pub echo: bool,
    /// Whether it wants to hear of presence.
    pub wants_presence: AtomicBool,
    rights: Mutex<Rights>,
}

impl Member {
    /// A listener with what it may do.
    pub fn new(listener: Arc<Listener>, echo: bool, wants_presence: bool, rights: Rights) -> Self {
        Self {
            listener,
            echo,
            wants_presence: AtomicBool::new(wants_presence),
            rights: Mutex::new(rights),
        }
    }

    /// What the listener may do here.
    pub fn rights(&self) -> Rights {
        *self.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the listener may do from now on.
    pub fn set_rights(&self, rights: Rights) {
        *self.rights.lock().unwrap_or_else(PoisonError::into_inner) = rights;
    }

    fn hears_presence(&self) -> bool {
        self.wants_presence.load(Ordering::Relaxed) && self.rights().read_presence
    }
}

type Members = HashMap<ListenerId, Arc<Member>>;

/// All topics that somebody has joined.
#[derive(Debug, Default)]
pub struct Topics(Mutex<HashMap<Topic, Members>>);

/// A place in a topic, left when this is dropped.
#[derive(Debug)]
pub struct Membership {
    topics: Arc<Topics>,
    topic: Topic,
    /// The member.
    pub member: Arc<Member>,
}

impl Topics {
    /// Joins a topic.
    pub fn join(self: &Arc<Self>, topic: Topic, member: Member) -> Membership {
        let member = Arc::new(member);
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let members = topics.entry(topic.clone()).or_default();
        members.insert(member.listener.id, Arc::clone(&member));
        drop(topics);
        Membership {
            topics: Arc::clone(self),
            topic,
            member,
        }
    }

    fn members(&self, topic: &Topic) -> Vec<Arc<Member>> {
        let topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        topics
            .get(topic)
            .map(|members| members.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Everybody who has joined anything.
    pub fn listeners(&self) -> Vec<Arc<Listener>> {
        let topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let members = topics.values().flat_map(HashMap::values);
        members.map(|member| Arc::clone(&member.listener)).collect()
    }

    /// Sends a broadcast to everybody in its topic who may hear it; `position` is where it was
    /// committed, if it was. Each version's frame is made once.
    pub fn broadcast(&self, broadcast: &Broadcast, position: Option<Position>) {
        let full = format!("{TOPIC_PREFIX}{}", broadcast.topic.name);
        let mut frames = Frames::default();
        for member in self.members(&broadcast.topic) {
            let own = broadcast.sender == Some(member.listener.id);
            if (own && !member.echo) || !member.rights().read_broadcast {
                continue;
            }
            let listener = &member.listener;
            let frame = frames.of(&listener.dialect, |version| match position {
                Some(position) => {
                    let meta = broadcast.committed_meta(position);
                    stored_frame(version, &full, broadcast, &meta)
                }
                None => broadcast_frame(version, &full, broadcast),
            });
            match (frame, position) {
                (Some(frame), Some(position)) => {
                    listener.send_committed(position, broadcast.id.as_deref(), frame);
                }
                (Some(frame), None) => listener.send_unless_told(broadcast.id.as_deref(), frame),
                (None, _) => {}
            }
        }
    }

    /// Sends JSON text as a presence event to everybody in `topic` who hears of presence.
    pub fn presence(&self, topic: &Topic, event: &str, payload: &str) {
        let full = format!("{TOPIC_PREFIX}{}", topic.name);
        let mut frames = Frames::default();
        for member in self.members(topic) {
            if !member.hears_presence() {
                continue;
            }
            let frame = frames.of(&member.listener.dialect, |version| {
                Some(event_frame(version, &full, event, payload))
            });
            if let Some(frame) = frame {
                member.listener.send(frame);
            }
        }
    }
}

impl Membership {
    /// The place itself, without what leaves it.
    pub fn place(&self) -> Place {
        Place {
            topic: self.topic.clone(),
            member: Arc::clone(&self.member),
        }
    }
}

/// A member and its topic.
#[derive(Debug, Clone)]
pub struct Place {
    topic: Topic,
    member: Arc<Member>,
}

impl Place {
    /// Sends a broadcast that this member has missed.
    pub fn tell_again(&self, broadcast: &Broadcast, position: Position) {
        if broadcast.topic != self.topic || !self.member.rights().read_broadcast {
            return;
        }
        let full = format!("{TOPIC_PREFIX}{}", broadcast.topic.name);
        let listener = &self.member.listener;
        let meta = broadcast.committed_meta(position);
        let frame = Frames::default().of(&listener.dialect, |version| {
            stored_frame(version, &full, broadcast, &meta)
        });
        if let Some(frame) = frame {
            listener.send_unless_told(broadcast.id.as_deref(), frame);
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut topics = self.topics.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(members) = topics.get_mut(&self.topic) {
            members.remove(&self.member.listener.id);
            if members.is_empty() {
                topics.remove(&self.topic);
            }
        }
    }
}

/// A frame of each version, made when first asked for; `None` where the version has none.
#[derive(Default)]
struct Frames(HashMap<Version, Option<Wire>>);

impl Frames {
    fn of(
        &mut self,
        dialect: &Dialect,
        make: impl FnOnce(Version) -> Option<Wire>,
    ) -> Option<Wire> {
        let Dialect::Phoenix { version, .. } = dialect else {
            return None;
        };
        self.0
            .entry(*version)
            .or_insert_with(|| make(*version))
            .clone()
    }
}

/// A text frame for an event that belongs to no request.
pub fn event_frame(version: Version, topic: &str, event: &str, payload: &str) -> Wire {
    let envelope = Envelope {
        join_ref: None,
        reference: None,
        topic,
        event,
    };
    Wire::text(text::encode(version, &envelope, payload))
}

/// `None` where this version cannot carry the payload: 1.0.0 has no binary frames.
fn broadcast_frame(version: Version, topic: &str, broadcast: &Broadcast) -> Option<Wire> {
    let (event, body, meta) = (&broadcast.event, &broadcast.body, broadcast.meta.as_deref());
    let binary = match version {
        Version::V1 => None,
        Version::V2 => binary::encode_broadcast(topic, event, body, meta),
    };
    if let Some(frame) = binary {
        return Some(Wire::binary(frame));
    }
    let payload = text::broadcast_payload(event, body, meta)?;
    Some(event_frame(version, topic, "broadcast", &payload))
}

/// The frame of a message that is kept in `realtime.messages`, with `meta` beside its payload:
/// text, which both versions have room in, unless the payload is binary.
pub fn stored_frame(
    version: Version,
    topic: &str,
    broadcast: &Broadcast,
    meta: &str,
) -> Option<Wire> {
    let (event, body) = (&broadcast.event, &broadcast.body);
    match (body, version) {
        (BroadcastBody::Json(_), _) => {
            let payload = text::broadcast_payload(event, body, Some(meta))?;
            Some(event_frame(version, topic, "broadcast", &payload))
        }
        (BroadcastBody::Binary(_), Version::V2) => {
            binary::encode_broadcast(topic, event, body, Some(meta)).map(Wire::binary)
        }
        (BroadcastBody::Binary(_), Version::V1) => None,
    }
}
