//! One end that hears events: a channel of a Phoenix socket, or a subscription of SelfDB's own.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jwt::Identity;

use crate::outbox::Outbox;
use crate::protocol::Version;
use crate::replication::Position;
use crate::wire::Wire;

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

/// A listener that cannot go on: its socket must tell the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// Who.
    pub listener: ListenerId,
    /// Why.
    pub failure: Failure,
}

/// Why a listener cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What the client is told.
    pub reason: &'static str,
    /// Whether the client should begin anew.
    pub again: bool,
}

impl Failure {
    /// The session was signed out.
    pub const SIGNED_OUT: Self = Self {
        reason: "The session of this token has ended",
        again: false,
    };

    /// One after which the client begins anew.
    pub const fn again(reason: &'static str) -> Self {
        Self {
            reason,
            again: true,
        }
    }
}

/// One end that hears events.
#[derive(Debug)]
pub struct Listener {
    /// Tells it apart.
    pub id: ListenerId,
    /// How it is spoken to.
    pub dialect: Dialect,
    identity: RwLock<Arc<Identity>>,
    gate: Mutex<Gate>,
    outbox: Outbox,
}

/// What is let through to the client.
#[derive(Debug)]
struct Gate {
    /// Whether the client knows that it listens; nothing is sent before.
    open: bool,
    committed: Committed,
    /// The ids of messages it was told from `realtime.messages`.
    told: HashSet<Arc<str>>,
}

/// How committed events are let through.
#[derive(Debug)]
enum Committed {
    /// As they come, those after the position.
    Live(Option<Position>),
    /// Not: they will be read from the journal.
    CatchingUp,
    /// Held back while the rest is read from the journal.
    Holding(Vec<Held>),
}

/// An event that is held back.
#[derive(Debug)]
struct Held {
    position: Position,
    id: Option<Arc<str>>,
    wire: Wire,
}

impl Listener {
    /// A listener that hears nothing until [`Listener::open`]; committed events are held back until
    /// [`Listener::go_live`].
    pub fn new(dialect: Dialect, identity: Arc<Identity>, outbox: Outbox) -> Self {
        Self {
            id: ListenerId::next(),
            dialect,
            identity: RwLock::new(identity),
            gate: Mutex::new(Gate {
                open: false,
                committed: Committed::Holding(Vec::new()),
                told: HashSet::new(),
            }),
            outbox,
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

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends `first`, then everything that is heard from here on; nothing comes between.
    pub fn open(&self, first: impl IntoIterator<Item = Wire>) {
        let mut gate = self.gate();
        for wire in first {
            self.outbox.send(wire);
        }
        gate.open = true;
    }

    /// Sends nothing more.
    pub fn close(&self) {
        self.gate().open = false;
    }

    /// Sends what was heard.
    pub fn send(&self, wire: Wire) {
        if self.gate().open {
            self.outbox.send(wire);
        }
    }

    /// Sends an event that was committed at `position`, unless it was or will be read from the
    /// journal, or its id is among those that were told.
    pub fn send_committed(&self, position: Position, id: Option<&str>, wire: Wire) {
        let mut gate = self.gate();
        let Gate {
            open,
            committed,
            told,
        } = &mut *gate;
        if id.is_some_and(|id| told.contains(id)) {
            return;
        }
        match committed {
            Committed::Live(after) if *open && after.is_none_or(|after| position > after) => {
                self.outbox.send(wire);
            }
            Committed::Live(_) | Committed::CatchingUp => {}
            Committed::Holding(held) => held.push(Held {
                position,
                id: id.map(Into::into),
                wire,
            }),
        }
    }

    /// Sends changes that were committed at these positions, in order, as far as they were not and
    /// will not be read from the journal; `whole` is all of them.
    pub fn send_changes(&self, changes: &[(Position, Wire)], whole: &Wire) {
        let mut gate = self.gate();
        let open = gate.open;
        let each = changes
            .iter()
            .map(|(position, wire)| (*position, wire.clone()));
        match &mut gate.committed {
            Committed::Live(_) | Committed::CatchingUp if !open => {}
            Committed::CatchingUp => {}
            Committed::Live(after) => {
                let first = changes.first().map(|(position, _)| *position);
                if after.is_none_or(|after| first > Some(after)) {
                    self.outbox.send(whole.clone());
                    return;
                }
                for (_, wire) in each.filter(|(position, _)| Some(*position) > *after) {
                    self.outbox.send(wire);
                }
            }
            Committed::Holding(held) => held.extend(each.map(|(position, wire)| Held {
                position,
                id: None,
                wire,
            })),
        }
    }

    /// Sends an event that is not known by its position alone, from a client or from the journal,
    /// unless its id is among those that were told.
    pub fn send_unless_told(&self, id: Option<&str>, wire: Wire) {
        let gate = self.gate();
        if gate.open && !id.is_some_and(|id| gate.told.contains(id)) {
            self.outbox.send(wire);
        }
    }

    /// Messages with these ids are told now, and not again.
    pub fn told(&self, ids: impl IntoIterator<Item = Arc<str>>) {
        self.gate().told.extend(ids);
    }

    /// From here on committed events come from the journal.
    pub fn catch_up(&self) {
        self.gate().committed = Committed::CatchingUp;
    }

    /// From here on committed events are held back.
    pub fn hold(&self) {
        self.gate().committed = Committed::Holding(Vec::new());
    }

    /// Everything up to `position` was sent; what was held back and came after it follows, and
    /// then events as they come.
    pub fn go_live(&self, position: Option<Position>) {
        let mut gate = self.gate();
        let before = std::mem::replace(&mut gate.committed, Committed::Live(position));
        let Committed::Holding(held) = before else {
            return;
        };
        for event in held {
            let told = event.id.is_some_and(|id| gate.told.contains(&id));
            let later = position.is_none_or(|position| event.position > position);
            if gate.open && later && !told {
                self.outbox.send(event.wire);
            }
        }
    }

    /// Waits until the client has read most of what was sent.
    pub async fn room(&self) {
        self.outbox.room().await;
    }

    /// Asks the socket to end this listener.
    pub fn fail(&self, failure: Failure) {
        self.outbox.fail(Failed {
            listener: self.id,
            failure,
        });
    }
}
