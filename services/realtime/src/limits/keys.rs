//! What one key takes over all its sockets and requests together. Users are told apart by their
//! tokens' `sub`; whoever has none goes by the key's role.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jwt::Identity;

use super::{Limits, Rate};

/// As many keys are kept before those that take nothing are forgotten.
const FEW: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    User(String),
    Role(String),
}

/// What every key takes.
#[derive(Debug)]
pub struct Keys {
    limits: Limits,
    used: Mutex<Used>,
}

#[derive(Debug)]
struct Used {
    by_key: HashMap<Key, Arc<Usage>>,
    sweep_at: usize,
}

/// What one key takes.
#[derive(Debug)]
pub struct Usage {
    max_sockets: usize,
    sockets: AtomicUsize,
    joins: Mutex<Rate>,
    events: Mutex<Rate>,
}

/// A socket of a key; counted until dropped.
#[derive(Debug)]
pub struct KeySocket(Arc<Usage>);

impl Keys {
    /// Nobody takes anything yet.
    pub fn new(limits: Limits) -> Self {
        let used = Used {
            by_key: HashMap::new(),
            sweep_at: FEW,
        };
        Self {
            limits,
            used: Mutex::new(used),
        }
    }

    /// What the key of `identity` takes.
    pub fn usage(&self, identity: &Identity) -> Arc<Usage> {
        let key = match &identity.subject {
            Some(user) => Key::User(user.clone()),
            None => Key::Role(identity.role.clone()),
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.by_key.len() >= used.sweep_at {
            used.by_key.retain(|_, usage| !Usage::is_idle(usage));
            used.sweep_at = FEW.max(used.by_key.len() * 2);
        }
        let usage = used
            .by_key
            .entry(key)
            .or_insert_with(|| Arc::new(Usage::new(&self.limits)));
        Arc::clone(usage)
    }

    /// Counts one more socket of the key of `identity`; `None` where it has too many.
    pub fn open(&self, identity: &Identity) -> Option<KeySocket> {
        let usage = self.usage(identity);
        let before = usage.sockets.fetch_add(1, Ordering::Relaxed);
        let fits = before < usage.max_sockets;
        let socket = KeySocket(usage);
        fits.then_some(socket)
    }
}

impl Usage {
    fn new(limits: &Limits) -> Self {
        Self {
            max_sockets: limits.key_clients,
            sockets: AtomicUsize::new(0),
            joins: Mutex::new(Rate::per_second(limits.key_joins_per_second)),
            events: Mutex::new(Rate::per_second(limits.key_events_per_second)),
        }
    }

    /// Counts `count` messages; whether they are within the limit.
    pub fn admit_events(&self, count: u32) -> bool {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.admit_many(count)
    }

    fn is_idle(usage: &Arc<Self>) -> bool {
        let rests = |rate: &Mutex<Rate>| {
            let rate = rate.lock().unwrap_or_else(PoisonError::into_inner);
            rate.rests()
        };
        Arc::strong_count(usage) == 1 && rests(&usage.joins) && rests(&usage.events)
    }
}

impl KeySocket {
    /// Counts a join; whether it is within the limit.
    pub fn admit_join(&self) -> bool {
        let mut joins = self.0.joins.lock().unwrap_or_else(PoisonError::into_inner);
        joins.admit()
    }

    /// Counts a message; whether it is within the limit.
    pub fn admit_event(&self) -> bool {
        self.0.admit_events(1)
    }
}

impl Drop for KeySocket {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}
