//! One change on its way to its listeners: each distinct frame is made once and shared.

use std::collections::HashMap;
use std::sync::Arc;

use super::binding::Binding;
use super::render::{self, Shown};
use super::subscriptions::Shape;
use crate::listener::Dialect;
use crate::replication::Change;
use crate::topics::event_frame;
use crate::wire::Wire;

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
    bodies: HashMap<View, Arc<str>>,
    frames: HashMap<(Dialect, Vec<u32>, View), Wire>,
}

impl<'a> Delivery<'a> {
    /// A delivery of `change`.
    pub fn new(change: &'a Change) -> Self {
        Self {
            change,
            bodies: HashMap::new(),
            frames: HashMap::new(),
        }
    }

    /// The change for those who may read the columns marked in `readable`, of the new row and of
    /// the old one, by the bindings that matched.
    pub fn frames(
        &mut self,
        to: &Shape,
        matched: &[usize],
        readable: (&[bool], &[bool]),
    ) -> Vec<Wire> {
        let views = self.views(to, matched, readable).into_iter();
        views
            .map(|(view, ids)| self.frame(&to.dialect, ids, view))
            .collect()
    }

    /// That there was a change which the role may not read.
    pub fn refusal(&mut self, to: &Shape, matched: &[usize]) -> Wire {
        let ids = bindings(to, matched).map(|binding| binding.id).collect();
        self.frame(&to.dialect, ids, View::Unauthorized)
    }

    /// Bindings of one listener that show the same columns share a frame.
    fn views(
        &self,
        to: &Shape,
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

    fn frame(&mut self, dialect: &Dialect, ids: Vec<u32>, view: View) -> Wire {
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
            Dialect::SelfDb(subscription) => Wire::text(match view {
                View::Columns(shown) => render::selfdb(subscription, self.change, shown),
                // SelfDB's own socket tells rows of any size.
                View::Small(shown) => match &self.change.whole {
                    Some(whole) => render::selfdb(subscription, whole, shown),
                    None => render::selfdb_small(subscription, self.change, shown),
                },
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

fn bindings<'a>(to: &'a Shape, matched: &'a [usize]) -> impl Iterator<Item = &'a Binding> {
    matched.iter().filter_map(|index| to.bindings.get(*index))
}
