//! Who hears of the changes of a batch: listeners who are told the same are one group.

use std::collections::HashMap;
use std::sync::Arc;

use jwt::Identity;

use crate::bus::{Committed, CommittedEvent};
use crate::changes::delivery::Telling;
use crate::changes::subscriptions::Shape;
use crate::changes::{Subscription, Subscriptions};
use crate::listener::{Failure, Listener};
use crate::replication::{Change, Position, Relation};
use crate::wire::Wire;

/// What is gathered for a group before it is handed on.
const GATHERED_BYTES: usize = 256 * 1024;

/// Listeners of one shape with the same token: they are told the same.
pub(super) struct Group {
    pub(super) shape: Arc<Shape>,
    pub(super) identity: Arc<Identity>,
    listeners: Vec<Arc<Listener>>,
    told: Vec<(Position, Wire)>,
    bytes: usize,
}

/// A group some of whose bindings match a change.
pub(super) struct Heard {
    /// The group's index.
    pub(super) group: usize,
    /// The bindings that match.
    pub(super) matched: Vec<usize>,
}

/// Who hears of the changes of a batch.
pub(super) struct Audience {
    pub(super) groups: Vec<Group>,
    /// For each event, those who hear of it.
    pub(super) of_event: Vec<Vec<Heard>>,
}

/// The tables that a batch changes, each once.
fn relations(events: &[CommittedEvent]) -> HashMap<usize, &Relation> {
    let relations = events.iter().filter_map(|event| match &event.committed {
        Committed::Change(change) => Some(&change.relation),
        Committed::Broadcast(_) => None,
    });
    relations
        .map(|relation| (Arc::as_ptr(relation).addr(), &**relation))
        .collect()
}

impl Audience {
    /// Everybody who has subscribed, those apart whose token has expired at `now`, in seconds since
    /// 1970.
    pub(super) fn of_all(events: &[CommittedEvent], all: &Subscriptions, now: i64) -> Self {
        let relations = relations(events);
        let tables = relations
            .values()
            .map(|relation| (relation.schema.as_str(), relation.table.as_str()));
        // One look: nobody is in two groups.
        Self::new(events, &relations, all.of_tables(tables), now)
    }

    /// One alone.
    pub(super) fn of_one(
        events: &[CommittedEvent],
        one: Option<&Arc<Subscription>>,
        now: i64,
    ) -> Self {
        let one = one.cloned().into_iter().collect();
        Self::new(events, &relations(events), one, now)
    }

    fn new(
        events: &[CommittedEvent],
        relations: &HashMap<usize, &Relation>,
        subscriptions: Vec<Arc<Subscription>>,
        now: i64,
    ) -> Self {
        let groups = groups(subscriptions, now);
        let concerned = |relation: &Relation| -> Vec<usize> {
            let concerned = groups
                .iter()
                .enumerate()
                .filter(|(_, group)| group.shape.concerns(&relation.schema, &relation.table));
            concerned.map(|(index, _)| index).collect()
        };
        let concerned: HashMap<usize, Vec<usize>> = relations
            .iter()
            .map(|(address, relation)| (*address, concerned(relation)))
            .collect();
        let hearers = |event: &CommittedEvent| match &event.committed {
            Committed::Broadcast(_) => Vec::new(),
            Committed::Change(change) => {
                let address = Arc::as_ptr(&change.relation).addr();
                let concerned = concerned.get(&address).into_iter().flatten();
                let heard = concerned.filter_map(|group| {
                    let matched = groups.get(*group)?.matched(change);
                    let group = *group;
                    (!matched.is_empty()).then_some(Heard { group, matched })
                });
                heard.collect()
            }
        };
        Self {
            of_event: events.iter().map(hearers).collect(),
            groups,
        }
    }

    /// Hands on what was gathered for everybody.
    pub(super) fn flush(&mut self, telling: Telling) {
        for group in &mut self.groups {
            group.flush(telling);
        }
    }
}

fn groups(subscriptions: Vec<Arc<Subscription>>, now: i64) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = HashMap::new();
    for subscription in subscriptions {
        let identity = subscription.listener.identity();
        if identity.expires_at.is_some_and(|end| end <= now) {
            continue;
        }
        let shape = &subscription.shape;
        let key = (Arc::as_ptr(shape).addr(), Arc::as_ptr(&identity).addr());
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group {
                shape: Arc::clone(shape),
                identity,
                listeners: Vec::new(),
                told: Vec::new(),
                bytes: 0,
            });
        }
        if let Some(group) = groups.get_mut(place) {
            group.listeners.push(Arc::clone(&subscription.listener));
        }
    }
    groups
}

impl Group {
    fn matched(&self, change: &Change) -> Vec<usize> {
        let bindings = self.shape.bindings.iter().enumerate();
        bindings
            .filter(|(_, binding)| binding.matches(change))
            .map(|(index, _)| index)
            .collect()
    }

    /// Gathers what all of them are told.
    pub(super) fn tell(&mut self, position: Position, wire: Wire, telling: Telling) {
        self.bytes += wire.len();
        self.told.push((position, wire));
        if self.bytes >= GATHERED_BYTES {
            self.flush(telling);
        }
    }

    /// Hands on what was gathered, with one write to each where that can be.
    fn flush(&mut self, telling: Telling) {
        self.bytes = 0;
        let told = std::mem::take(&mut self.told);
        let whole = match told.as_slice() {
            [] => return,
            [(_, only)] => only.clone(),
            several => Wire::join(several.iter().map(|(_, wire)| wire)),
        };
        for listener in &self.listeners {
            match telling {
                Telling::Live => listener.send_changes(&told, &whole),
                Telling::Again => listener.send(whole.clone()),
            }
        }
    }

    /// None of them can go on.
    pub(super) fn fail(&self, failure: Failure) {
        for listener in &self.listeners {
            listener.fail(failure);
        }
    }
}
