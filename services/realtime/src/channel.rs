//! Phoenix channels: what a client joins, and what it may do there.

pub mod broadcast;
pub mod conversation;
pub mod join;
pub mod presence;
pub mod replies;
pub mod rights;
pub mod selfdb;

use std::sync::Arc;

use crate::broadcast::Topic;
use crate::changes::Registration;
use crate::listener::Listener;
use crate::presence::Tracked;
use crate::protocol::Reference;
use crate::topics::Membership;

/// A channel that was joined. Dropping it leaves everything.
#[derive(Debug)]
pub struct Channel {
    /// The join it came from.
    pub join_ref: Option<Reference>,
    /// Its topic.
    pub topic: Topic,
    /// Who listens.
    pub listener: Arc<Listener>,
    /// Its place in the topic.
    pub membership: Membership,
    /// The changes it listens to.
    pub registration: Option<Registration>,
    /// Whether broadcasts are answered.
    pub ack: bool,
    /// The name it is present under.
    pub presence_key: String,
    /// Its place among the present.
    pub tracked: Option<Tracked>,
}
