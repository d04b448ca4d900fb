//! Who asked to hear of which changes, found by table.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::binding::Binding;
use crate::listener::{Listener, ListenerId};

/// What one listener asked for.
#[derive(Debug)]
pub struct Subscription {
    /// Who.
    pub listener: Arc<Listener>,
    /// What.
    pub bindings: Vec<Binding>,
}

type Place = (String, String);
type Listeners = HashMap<ListenerId, Arc<Subscription>>;

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Subscriptions(RwLock<HashMap<Place, Listeners>>);

/// A subscription that ends when this is dropped.
#[derive(Debug)]
pub struct Registration {
    subscriptions: Arc<Subscriptions>,
    subscription: Arc<Subscription>,
}

impl Subscriptions {
    /// Subscribes: whatever is fanned out from here on is matched against `bindings`.
    pub fn add(self: &Arc<Self>, listener: Arc<Listener>, bindings: Vec<Binding>) -> Registration {
        let subscription = Arc::new(Subscription { listener, bindings });
        let mut places = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for binding in &subscription.bindings {
            let listeners = places.entry(place(binding)).or_default();
            listeners.insert(subscription.listener.id, Arc::clone(&subscription));
        }
        drop(places);
        Registration {
            subscriptions: Arc::clone(self),
            subscription,
        }
    }

    /// Whoever may have asked for changes of `schema.table`, each once, in order of subscribing.
    pub fn of_table(&self, schema: &str, table: &str) -> Vec<Arc<Subscription>> {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Arc<Subscription>> =
            [(schema, table), (schema, "*"), ("*", table), ("*", "*")]
                .into_iter()
                .filter_map(|(schema, table)| places.get(&(schema.to_owned(), table.to_owned())))
                .flat_map(|listeners| listeners.values().cloned())
                .collect();
        found.sort_by_key(|subscription| subscription.listener.id);
        found.dedup_by_key(|subscription| subscription.listener.id);
        found
    }

    /// Everybody, each once.
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        let places = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let all: Listeners = places
            .values()
            .flat_map(|listeners| listeners.iter())
            .map(|(id, subscription)| (*id, Arc::clone(subscription)))
            .collect();
        all.into_values().collect()
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
        let mut places = self
            .subscriptions
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for binding in &self.subscription.bindings {
            let place = place(binding);
            if let Some(listeners) = places.get_mut(&place) {
                listeners.remove(&self.subscription.listener.id);
                if listeners.is_empty() {
                    places.remove(&place);
                }
            }
        }
    }
}

fn place(binding: &Binding) -> Place {
    (binding.schema.clone(), binding.table.clone())
}
