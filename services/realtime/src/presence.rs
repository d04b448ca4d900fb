//! Who is present in which topic: metas under keys, told as a state to whoever joins and as
//! differences to whoever is there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::broadcast::Topic;
use crate::listener::ListenerId;
use crate::topics::Topics;

#[derive(Debug, Clone)]
struct Meta {
    reference: String,
    member: Map<String, Value>,
}

impl Meta {
    fn to_json(&self) -> Value {
        let mut meta = self.member.clone();
        meta.insert("phx_ref".to_owned(), self.reference.clone().into());
        Value::Object(meta)
    }
}

/// The metas of a topic, by key and by who is present.
type Present = BTreeMap<String, BTreeMap<ListenerId, Meta>>;

/// Who is present everywhere.
#[derive(Debug)]
pub struct Presence {
    topics: Arc<Topics>,
    present: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    present: HashMap<Topic, Present>,
    last_reference: u64,
}

/// A place among the present of a topic, left when this is dropped: also when a socket dies.
#[derive(Debug)]
pub struct Tracked {
    presence: Arc<Presence>,
    topic: Topic,
    key: String,
    listener: ListenerId,
}

impl Presence {
    /// Nobody is present yet; differences go to the members of `topics`.
    pub fn new(topics: Arc<Topics>) -> Self {
        Self {
            topics,
            present: Mutex::default(),
        }
    }

    /// Makes `listener` present under `key` until the answer is dropped.
    pub fn track(
        self: &Arc<Self>,
        topic: &Topic,
        key: &str,
        listener: ListenerId,
        member: Map<String, Value>,
    ) -> Tracked {
        let tracked = Tracked {
            presence: Arc::clone(self),
            topic: topic.clone(),
            key: key.to_owned(),
            listener,
        };
        tracked.update(member);
        tracked
    }

    fn put(&self, tracked: &Tracked, member: Map<String, Value>) {
        let mut state = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        state.last_reference += 1;
        let meta = Meta {
            reference: format!("F{:x}", state.last_reference),
            member,
        };
        let key = tracked.key.as_str();
        let metas = state.present.entry(tracked.topic.clone()).or_default();
        let metas = metas.entry(key.to_owned()).or_default();
        let known = metas.get(&tracked.listener);
        if known.is_some_and(|known| known.member == meta.member) {
            return;
        }
        let before = metas.insert(tracked.listener, meta.clone());
        // Told under the lock, so that differences arrive in the order they happened. An update is
        // two: realtime-js loses the reference of a presence it knows while it takes a new one
        // under the same key, and would then keep both.
        let mut joined = meta.to_json();
        if let Some(before) = before {
            self.tell(&tracked.topic, &Map::new(), &one(key, &before.to_json()));
            joined["phx_ref_prev"] = before.reference.into();
        }
        self.tell(&tracked.topic, &one(key, &joined), &Map::new());
    }

    /// Everybody present in `topic`, as JSON text; `then` runs before the next difference is told.
    pub fn state(&self, topic: &Topic, then: impl FnOnce(String)) {
        let state = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Map::new();
        for (key, metas) in state.present.get(topic).into_iter().flatten() {
            let metas: Vec<Value> = metas.values().map(Meta::to_json).collect();
            all.insert(key.clone(), json!({ "metas": metas }));
        }
        then(Value::Object(all).to_string());
    }

    fn leave(&self, topic: &Topic, key: &str, listener: ListenerId) {
        let mut state = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(present) = state.present.get_mut(topic) else {
            return;
        };
        let Some(metas) = present.get_mut(key) else {
            return;
        };
        let left = metas.remove(&listener);
        if metas.is_empty() {
            present.remove(key);
        }
        if present.is_empty() {
            state.present.remove(topic);
        }
        if let Some(meta) = left {
            self.tell(topic, &Map::new(), &one(key, &meta.to_json()));
        }
    }

    fn tell(&self, topic: &Topic, joins: &Map<String, Value>, leaves: &Map<String, Value>) {
        let difference = json!({ "joins": joins, "leaves": leaves }).to_string();
        self.topics.presence(topic, "presence_diff", &difference);
    }
}

impl Tracked {
    /// Changes what is said of the one who is present.
    pub fn update(&self, member: Map<String, Value>) {
        self.presence.put(self, member);
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.presence.leave(&self.topic, &self.key, self.listener);
    }
}

fn one(key: &str, meta: &Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), json!({ "metas": [meta] }))])
}
