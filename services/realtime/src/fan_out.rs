//! From events to the buffers of those who may hear them.

mod audience;
mod decisions;

use std::sync::Arc;

use common::Clock;
use uuid::Uuid;

use crate::broadcast::Broadcast;
use crate::bus::{Committed, CommittedEvent};
use crate::changes::delivery::{Delivery, Telling};
use crate::changes::{Access, Answer, Sight, Subscription, Subscriptions};
use crate::listener::Failure;
use crate::replication::Change;
use crate::sessions::EndedSessions;
use crate::topics::{Place, Topics};
use audience::{Audience, Group, Heard};
use decisions::Decisions;

const GAP: &str = "changes may have been missed: resubscribe and read the current state";
const UNDECIDED: &str =
    "row-level security could not be evaluated: resubscribe and read the current state";

/// Hands events to listeners.
pub struct FanOut {
    /// Who has joined what.
    pub topics: Arc<Topics>,
    /// Who listens to which changes.
    pub subscriptions: Arc<Subscriptions>,
    /// Who may see what.
    pub access: Arc<Access>,
    /// Whose tokens are good for nothing any more.
    pub ended: Arc<EndedSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// One who was away and is told what it missed.
pub struct Returning {
    /// What it listens to, if it listens to changes.
    pub subscription: Option<Arc<Subscription>>,
    /// Its place in its topic, if it has one.
    pub place: Option<Place>,
}

impl FanOut {
    /// Hands on a message.
    pub fn broadcast(&self, broadcast: &Broadcast) {
        self.topics.broadcast(broadcast, None);
    }

    /// Tells everybody who listens to changes that some may be missing.
    pub fn gap(&self) {
        for subscription in self.subscriptions.all() {
            subscription.listener.fail(Failure::again(GAP));
        }
    }

    /// Hands on what was committed, in order.
    pub async fn committed(&self, events: Vec<CommittedEvent>) {
        // Looked up after the events were read: whoever subscribed before one of them was
        // committed is found.
        let now = self.clock.unix_seconds();
        let mut audience = Audience::of_all(&events, &self.subscriptions, now);
        let decisions = Decisions::make(&self.access, &events, &audience).await;
        for (index, event) in events.iter().enumerate() {
            match &event.committed {
                Committed::Broadcast(broadcast) => {
                    // What came before is told before.
                    audience.flush(Telling::Live);
                    if let Some(session) = EndedSessions::told_by(broadcast) {
                        self.end(session);
                    }
                    self.topics.broadcast(broadcast, Some(event.position));
                }
                Committed::Change(change) => {
                    tell(&mut audience, &decisions, (index, change), Telling::Live);
                }
            }
        }
        audience.flush(Telling::Live);
    }

    /// Ends every listener of a session: nothing that was committed after it is heard.
    fn end(&self, session: Uuid) {
        self.ended.end(session);
        let subscribed = self.subscriptions.all().into_iter();
        let subscribed = subscribed.map(|subscription| Arc::clone(&subscription.listener));
        for listener in subscribed.chain(self.topics.listeners()) {
            if listener.identity().session_id() == Some(session) {
                listener.close();
                listener.fail(Failure::SIGNED_OUT);
            }
        }
    }

    /// Tells one who was away what was committed meanwhile, as far as it may see it now.
    pub async fn again(&self, to: &Returning, events: Vec<CommittedEvent>) {
        let now = self.clock.unix_seconds();
        let mut audience = Audience::of_one(&events, to.subscription.as_ref(), now);
        let decisions = Decisions::make(&self.access, &events, &audience).await;
        for (index, event) in events.iter().enumerate() {
            match (&event.committed, &to.place) {
                (Committed::Broadcast(broadcast), Some(place)) => {
                    audience.flush(Telling::Again);
                    place.tell_again(broadcast, event.position);
                }
                (Committed::Broadcast(_), None) => {}
                (Committed::Change(change), _) => {
                    tell(&mut audience, &decisions, (index, change), Telling::Again);
                }
            }
        }
        audience.flush(Telling::Again);
    }
}

/// Gathers a change for those who may see it.
fn tell(
    audience: &mut Audience,
    decisions: &Decisions,
    (index, change): (usize, &Change),
    telling: Telling,
) {
    let mut delivery = Delivery::new(change);
    let Audience { groups, of_event } = audience;
    for Heard { group, matched } in of_event.get(index).into_iter().flatten() {
        let answer = decisions.about(index, &change.relation, *group);
        if let Some(group) = groups.get_mut(*group) {
            tell_group(group, matched, answer, (&mut delivery, telling));
        }
    }
}

fn tell_group(
    group: &mut Group,
    matched: &[usize],
    answer: Option<(&Answer, usize)>,
    (delivery, telling): (&mut Delivery<'_>, Telling),
) {
    let wires = match answer {
        None => return group.fail(Failure::again(UNDECIDED)),
        Some((Answer::Unauthorized, _)) => vec![delivery.refusal(&group.shape, matched)],
        Some((
            Answer::Columns {
                readable,
                key,
                sights,
            },
            place,
        )) => match sights.get(place) {
            None | Some(Sight::Nothing) => return,
            Some(Sight::NewRow) => delivery.frames(&group.shape, matched, (readable, key)),
            Some(Sight::Everything) => delivery.frames(&group.shape, matched, (readable, readable)),
        },
    };
    for wire in wires {
        group.tell(delivery.change.position, wire, telling);
    }
}
