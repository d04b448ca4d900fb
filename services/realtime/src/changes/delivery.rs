//! One change on its way to its listeners: each distinct frame is made once and shared.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::ws::Message;

use super::binding::Binding;
use super::render::{self, Shown};
use super::subscriptions::Subscription;
use crate::listener::Dialect;
use crate::replication::Change;
use crate::topics::event_frame;

/// What of a change is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum View {
    Columns(Shown),
    /// The new row's small values, and why not the others.
    Small(Shown),
    Unauthorized,
}

/// Whether a change is told as it happens, or again to one who missed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// As it happens.
    Live,
    /// From the journal.
    Again,
}

/// The frames of one change.
pub struct Delivery<'a> {
    /// What is delivered.
    pub change: &'a Change,
    telling: Telling,
    bodies: HashMap<View, Arc<str>>,
    frames: HashMap<(Dialect, Vec<u32>, View), Message>,
}

impl<'a> Delivery<'a> {
    /// A delivery of `change`.
    pub fn new(change: &'a Change, telling: Telling) -> Self {
        Self {
            change,
            telling,
            bodies: HashMap::new(),
            frames: HashMap::new(),
        }
    }

    /// Sends the change to one who may read the columns marked in `readable`, of the new row and
    /// of the old one, by the bindings that matched.
    pub fn send(&mut self, to: &Subscription, matched: &[usize], readable: (&[bool], &[bool])) {
        for (view, ids) in self.views(to, matched, readable) {
            self.tell(to, ids, view);
        }
    }

    /// Tells one that there was a change which its role may not read.
    pub fn refuse(&mut self, to: &Subscription, matched: &[usize]) {
        let ids = bindings(to, matched).map(|binding| binding.id).collect();
        self.tell(to, ids, View::Unauthorized);
    }

    fn tell(&mut self, to: &Subscription, ids: Vec<u32>, view: View) {
        let frame = self.frame(&to.listener.dialect, ids, view);
        match self.telling {
            Telling::Live => {
                let position = self.change.position;
                to.listener.send_committed(position, None, frame);
            }
            Telling::Again => to.listener.send(frame),
        }
    }

    /// Bindings of one listener that show the same columns share a frame.
    fn views(
        &self,
        to: &Subscription,
        matched: &[usize],
        (new, old): (&[bool], &[bool]),
    ) -> Vec<(View, Vec<u32>)> {
        let mut views: Vec<(View, Vec<u32>)> = Vec::new();
        for binding in bindings(to, matched) {
            let shown = Shown {
                new: self.shown(binding, new),
                old: self.shown(binding, old),
            };
            let view = if self.change.large {
                View::Small(shown)
            } else {
                View::Columns(shown)
            };
            match views.iter_mut().find(|(known, _)| *known == view) {
                Some((_, ids)) => ids.push(binding.id),
                None => views.push((view, vec![binding.id])),
            }
        }
        views
    }

    fn shown(&self, binding: &Binding, readable: &[bool]) -> Vec<bool> {
        let columns = self.change.relation.columns.iter().zip(readable);
        let selected = |name: &String| {
            binding
                .select
                .as_ref()
                .is_none_or(|names| names.contains(name))
        };
        columns
            .map(|(column, readable)| *readable && selected(&column.name))
            .collect()
    }

    fn frame(&mut self, dialect: &Dialect, ids: Vec<u32>, view: View) -> Message {
        let key = (dialect.clone(), ids, view);
        if let Some(frame) = self.frames.get(&key) {
            return frame.clone();
        }
        let (_, ids, view) = &key;
        let frame = match dialect {
            Dialect::Phoenix { version, topic } => {
                let payload = render::phoenix_payload(ids, &self.body(view), self.change.position);
                event_frame(*version, topic, "postgres_changes", &payload)
            }
            Dialect::SelfDb(subscription) => Message::text(match view {
                View::Columns(shown) => render::selfdb(subscription, self.change, shown),
                View::Small(shown) => render::selfdb_small(subscription, self.change, shown),
                View::Unauthorized => render::selfdb_unauthorized(subscription, self.change),
            }),
        };
        self.frames.insert(key, frame.clone());
        frame
    }

    fn body(&mut self, view: &View) -> Arc<str> {
        if let Some(body) = self.bodies.get(view) {
            return Arc::clone(body);
        }
        let body: Arc<str> = match view {
            View::Columns(shown) => render::data(self.change, shown).into(),
            View::Small(shown) => render::small(self.change, shown).into(),
            View::Unauthorized => render::unauthorized(self.change).into(),
        };
        self.bodies.insert(view.clone(), Arc::clone(&body));
        body
    }
}

fn bindings<'a>(to: &'a Subscription, matched: &'a [usize]) -> impl Iterator<Item = &'a Binding> {
    matched.iter().filter_map(|index| to.bindings.get(*index))
}
