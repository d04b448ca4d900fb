//! From the write-ahead log to events: one leader a database reads one logical slot, decodes
//! pgoutput and publishes what was committed.

pub mod array;
pub mod batch;
pub mod catalogue;
pub mod change;
pub mod composite;
pub mod cursor;
pub mod json;
pub mod leader;
pub mod pgoutput;
pub mod relations;
pub mod session;
pub mod slot;
pub mod state;
pub mod stream;
pub mod types;
pub mod watch;

pub use catalogue::Catalogue;
pub use change::{Cell, Change, Operation, Position, Row};
pub use leader::Leader;
pub use relations::{Column, KnownTables, Relation, Relations};
pub use state::{StreamState, StreamStatus};
