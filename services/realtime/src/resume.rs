//! Telling a client that comes back exactly what it missed: from the journal up to where the live
//! stream goes on.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::fan_out::{FanOut, Returning};
use crate::journal::{Chunk, Journal, Record, ResyncRequired};
use crate::listener::Listener;
use crate::replication::batch::replayed;
use crate::replication::{Catalogue, KnownTables, Position, Relations};

/// How much of the journal is read at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// How many read it at the same time: each holds a part of it in memory.
const READERS: usize = 4;
/// Once this little is left, what happens meanwhile is held back instead of being read.
const NEARLY_THERE: usize = 256;

/// Why a client could not be told what it missed; its socket begins the channel anew.
pub const GONE: &str = "resync_required: the journal no longer has what was missed";

/// How committed events go on from what a client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuation {
    /// It has seen nothing: they begin now, after the position.
    New(Option<Position>),
    /// With what followed the position, from the journal.
    Resumed(Position),
    /// What followed its token is not known any more: they begin now, after the position.
    ResyncRequired(Option<Position>),
}

impl Continuation {
    /// The word clients know it by; `None` for one that did not ask.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::New(_) => None,
            Self::Resumed(_) => Some("resumed"),
            Self::ResyncRequired(_) => Some("resync_required"),
        }
    }

    /// Lets events through to a listener that is open, unless it is to catch up first.
    pub fn start(self, listener: &Listener) {
        match self {
            Self::New(position) | Self::ResyncRequired(position) => listener.go_live(position),
            Self::Resumed(_) => {}
        }
    }

    /// The client's token until the next event.
    pub fn token(self) -> Option<Position> {
        match self {
            Self::New(token) | Self::ResyncRequired(token) => token,
            Self::Resumed(token) => Some(token),
        }
    }
}

/// Tells clients what they missed.
pub struct Resume {
    journal: Arc<Journal>,
    known: Arc<KnownTables>,
    catalogue: Arc<Catalogue>,
    fan_out: Arc<FanOut>,
    readers: Semaphore,
}

impl Resume {
    /// Reads `journal`, whose tables are `known` and types in `catalogue`, and tells through
    /// `fan_out`.
    pub fn new(
        journal: Arc<Journal>,
        known: Arc<KnownTables>,
        catalogue: Arc<Catalogue>,
        fan_out: Arc<FanOut>,
    ) -> Self {
        Self {
            journal,
            known,
            catalogue,
            fan_out,
            readers: Semaphore::new(READERS),
        }
    }

    /// Decides how committed events go on for a listener that is registered and not open yet, by
    /// the token its client has, if it has one. Once it is open, [`Continuation::start`] it.
    pub fn begin(&self, listener: &Listener, token: Option<&str>) -> Continuation {
        let now = self.journal.end();
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Continuation::New(now);
        };
        match token.parse().ok() {
            Some(from) if self.journal.follows(from) => {
                listener.catch_up();
                Continuation::Resumed(from)
            }
            Some(_) | None => Continuation::ResyncRequired(now),
        }
    }

    /// Tells `to` everything after `from`, each event once, and lets the live stream go on from
    /// there. Its listener was registered, and has been told to catch up, before.
    pub async fn run(
        &self,
        listener: &Listener,
        to: &Returning,
        mut from: Position,
    ) -> Result<(), ResyncRequired> {
        loop {
            let end = self.journal.end().ok_or(ResyncRequired)?;
            if self.tell(listener, to, from, end).await? < NEARLY_THERE {
                from = end;
                break;
            }
            from = end;
        }
        // Whatever is appended after this is handed to the listener, which holds it; whatever was
        // appended before lies up to the end.
        listener.hold();
        let end = self.journal.end().ok_or(ResyncRequired)?;
        self.tell(listener, to, from, end).await?;
        listener.go_live(Some(end));
        Ok(())
    }

    /// Tells what lies between; answers how many events that were.
    async fn tell(
        &self,
        listener: &Listener,
        to: &Returning,
        mut from: Position,
        end: Position,
    ) -> Result<usize, ResyncRequired> {
        let mut told = 0;
        while from < end {
            listener.room().await;
            let reading = self.readers.acquire().await.map_err(|_| ResyncRequired)?;
            let chunk = self.read(from, end).await?;
            from = chunk.reached;
            for record in &chunk.records {
                if let Record::Description(data) = record {
                    self.catalogue.learn_again(data).await;
                }
            }
            let relations = Relations::of_journal(Arc::clone(&self.known));
            let events = replayed(relations, chunk.records);
            told += events.len();
            self.fan_out.again(to, events).await;
            drop(reading);
        }
        Ok(told)
    }

    async fn read(&self, from: Position, end: Position) -> Result<Chunk, ResyncRequired> {
        let journal = Arc::clone(&self.journal);
        let read = move || journal.read(from, end, CHUNK_BYTES);
        let read = tokio::task::spawn_blocking(read).await;
        read.map_err(|_| ResyncRequired)?
    }
}
