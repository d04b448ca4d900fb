//! Who asked to hear of which changes, found by table.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::binding::Binding;
use crate::listener::{Dialect, Listener, ListenerId};

/// What was asked for, and how it is told: subscriptions that are alike share one.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// How it is told.
    pub dialect: Dialect,
    /// What was asked for.
    pub bindings: Vec<Binding>,
}

/// What one listener asked for.
#[derive(Debug)]
pub struct Subscription {
    /// Who.
    pub listener: Arc<Listener>,
    /// What.
    pub shape: Arc<Shape>,
}

type Place = (String, String);
type Listeners = HashMap<ListenerId, Arc<Subscription>>;
/// Shapes by what names them, each with the number of its subscriptions.
type Shapes = HashMap<(Dialect, Vec<u32>), (Arc<Shape>, usize)>;

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Subscriptions(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    places: HashMap<Place, Listeners>,
    shapes: Shapes,
}

/// A subscription that ends when this is dropped.
#[derive(Debug)]
pub struct Registration {
    subscriptions: Arc<Subscriptions>,
    subscription: Arc<Subscription>,
}

impl Shape {
    /// Whether something was asked of a table.
    pub fn concerns(&self, schema: &str, table: &str) -> bool {
        let mut bindings = self.bindings.iter();
        bindings.any(|binding| binding.concerns(schema, table))
    }

    fn name(&self) -> (Dialect, Vec<u32>) {
        let ids = self.bindings.iter().map(|binding| binding.id);
        (self.dialect.clone(), ids.collect())
    }
}

impl Subscriptions {
    /// Subscribes: whatever is fanned out from here on is matched against `bindings`.
    pub fn add(self: &Arc<Self>, listener: Arc<Listener>, bindings: Vec<Binding>) -> Registration {
        let shape = Shape {
            dialect: listener.dialect.clone(),
            bindings,
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let shape = known.share(shape);
        let subscription = Arc::new(Subscription { listener, shape });
        for binding in &subscription.shape.bindings {
            let listeners = known.places.entry(place(binding)).or_default();
            listeners.insert(subscription.listener.id, Arc::clone(&subscription));
        }
        drop(known);
        Registration {
            subscriptions: Arc::clone(self),
            subscription,
        }
    }

    /// Whoever may have asked for changes of one of these tables, each once, in order of
    /// subscribing.
    pub fn of_tables<'a>(
        &self,
        tables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Arc<Subscription>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let place = |(schema, table): (&str, &str)| {
            known.places.get(&(schema.to_owned(), table.to_owned()))
        };
        let of_table = |(schema, table)| {
            [(schema, table), (schema, "*"), ("*", table), ("*", "*")]
                .into_iter()
                .filter_map(place)
                .flat_map(HashMap::values)
        };
        let mut found: Vec<&Arc<Subscription>> = tables.into_iter().flat_map(of_table).collect();
        found.sort_by_key(|subscription| subscription.listener.id);
        found.dedup_by_key(|subscription| subscription.listener.id);
        found.into_iter().cloned().collect()
    }

    /// Everybody, each once.
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let listeners = known.places.values().flat_map(HashMap::iter);
        let all: Listeners = listeners
            .map(|(id, subscription)| (*id, Arc::clone(subscription)))
            .collect();
        all.into_values().collect()
    }
}

impl Known {
    fn share(&mut self, shape: Shape) -> Arc<Shape> {
        let (shared, count) = self
            .shapes
            .entry(shape.name())
            .or_insert_with_key(|(dialect, _)| {
                let shape = Shape {
                    dialect: dialect.clone(),
                    bindings: shape.bindings.clone(),
                };
                (Arc::new(shape), 0)
            });
        if **shared == shape {
            *count += 1;
            Arc::clone(shared)
        } else {
            // Ids are short: two requests may have the same.
            Arc::new(shape)
        }
    }

    fn unshare(&mut self, shape: &Arc<Shape>) {
        let name = shape.name();
        if let Some((shared, count)) = self.shapes.get_mut(&name)
            && Arc::ptr_eq(shared, shape)
        {
            *count -= 1;
            if *count == 0 {
                self.shapes.remove(&name);
            }
        }
    }
}

impl Registration {
    /// What was asked for.
    pub fn subscription(&self) -> Arc<Subscription> {
        Arc::clone(&self.subscription)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut known = self
            .subscriptions
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for binding in &self.subscription.shape.bindings {
            let place = place(binding);
            if let Some(listeners) = known.places.get_mut(&place) {
                listeners.remove(&self.subscription.listener.id);
                if listeners.is_empty() {
                    known.places.remove(&place);
                }
            }
        }
        known.unshare(&self.subscription.shape);
    }
}

fn place(binding: &Binding) -> Place {
    (binding.schema.clone(), binding.table.clone())
}
