//! How events reach the fan-out of every node. In one process the bus is a call; between nodes it
//! will be a broker, without channels or replication noticing.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::broadcast::Broadcast;
use crate::fan_out::FanOut;
use crate::replication::{Change, Position};

/// What happened, for whoever listens.
#[derive(Debug, Clone)]
pub enum Event {
    /// What was committed, in order.
    Committed(Vec<CommittedEvent>),
    /// A message from a client or over HTTP.
    Broadcast(Broadcast),
    /// Committed changes may be missing between what came before and what comes next: whoever
    /// listens to changes must be told.
    Gap,
}

/// Something that a transaction did, and where it stands.
#[derive(Debug, Clone)]
pub struct CommittedEvent {
    /// Its place in the stream of all events.
    pub position: Position,
    /// What was done.
    pub committed: Committed,
}

/// What a transaction did.
#[derive(Debug, Clone)]
pub enum Committed {
    /// It changed a row.
    Change(Arc<Change>),
    /// It sent a message with `realtime.send()`.
    Broadcast(Broadcast),
}

/// Carries events to the fan-out of every node, this one's included, in the order this node
/// published them.
pub trait EventBus: Send + Sync {
    /// Publishes one event; done when this node has handed it to its listeners' buffers.
    fn publish(&self, event: Event) -> BoxFuture<'_, ()>;
}

/// The bus of a single process.
pub struct InProcessBus(pub Arc<FanOut>);

impl EventBus for InProcessBus {
    fn publish(&self, event: Event) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            match event {
                Event::Committed(events) => self.0.committed(events).await,
                Event::Broadcast(broadcast) => self.0.broadcast(&broadcast),
                Event::Gap => self.0.gap(),
            }
        })
    }
}
