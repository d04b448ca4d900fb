//! One end that hears events: a channel of a Phoenix socket, or a subscription of SelfDB's own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::extract::ws::Message;
use jwt::Identity;
use tokio::sync::mpsc;

use crate::outbox::Outbox;
use crate::protocol::Version;

/// Tells the listeners of one process apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(u64);

impl ListenerId {
    /// An id that no other listener of this process has had.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number, for names derived from it.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// How a listener is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// A channel of the Phoenix protocol.
    Phoenix {
        /// The socket's version.
        version: Version,
        /// The channel's topic, `realtime:` included.
        topic: Arc<str>,
    },
    /// A subscription of SelfDB's own protocol, by the name the client gave it.
    SelfDb(Arc<str>),
}

/// A listener that cannot go on: its socket must tell the client, which then begins anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who.
    pub listener: ListenerId,
    /// What the client is told.
    pub reason: &'static str,
}

/// One end that hears events.
#[derive(Debug)]
pub struct Listener {
    /// Tells it apart.
    pub id: ListenerId,
    /// How it is spoken to.
    pub dialect: Dialect,
    identity: RwLock<Arc<Identity>>,
    /// Whether the client knows that it listens; nothing is sent before.
    open: Mutex<bool>,
    outbox: Outbox,
    failures: mpsc::UnboundedSender<Failure>,
}

impl Listener {
    /// A listener that hears nothing until [`Listener::open`].
    pub fn new(
        dialect: Dialect,
        identity: Arc<Identity>,
        outbox: Outbox,
        failures: mpsc::UnboundedSender<Failure>,
    ) -> Self {
        Self {
            id: ListenerId::next(),
            dialect,
            identity: RwLock::new(identity),
            open: Mutex::new(false),
            outbox,
            failures,
        }
    }

    /// Who listens.
    pub fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody else listens from now on, or the same with a newer token.
    pub fn set_identity(&self, identity: Arc<Identity>) {
        *self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// Sends `first`, then everything that is heard from here on; nothing comes between.
    pub fn open(&self, first: impl IntoIterator<Item = Message>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for message in first {
            self.outbox.send(message);
        }
        *open = true;
    }

    /// Sends nothing more.
    pub fn close(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// Sends what was heard.
    pub fn send(&self, message: Message) {
        if *self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            self.outbox.send(message);
        }
    }

    /// Asks the socket to end this listener.
    pub fn fail(&self, reason: &'static str) {
        // A socket that is gone needs no telling.
        let _ = self.failures.send(Failure {
            listener: self.id,
            reason,
        });
    }
}
