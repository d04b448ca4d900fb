//! Telling the registry what a version says of itself: when its function is to be called.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Catalog;
use crate::domain::{FunctionName, Version};
use crate::runtime::Described;

/// Before the registry is told again where it did not take it.
const PAUSE: Duration = Duration::from_secs(1);

impl Catalog {
    /// Tells the registry what `version` says of itself, as long as it is the one that serves.
    /// Tried until the registry takes it.
    pub(super) fn note(self: &Arc<Self>, version: &Arc<Version>, described: &Described) {
        let Some(registry) = self.registry.clone() else {
            return;
        };
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let before = noted.insert(version.function.clone(), version.id.clone());
            if before.as_ref() == Some(&version.id) {
                return;
            }
        }
        let (catalog, version) = (Arc::clone(self), Arc::clone(version));
        let described = described.clone();
        self.tasks.spawn(async move {
            loop {
                let noted = registry.note(&version.function, &version.id, &described);
                match noted.await {
                    Ok(true) => return,
                    // The registry has not heard of this version yet, or knows a newer one.
                    Ok(false) if !catalog.is_noted(&version) => return,
                    Ok(false) => {}
                    Err(error) => {
                        let error = common::error::chain(&error);
                        tracing::debug!(error, function = %version.function, "a version was not noted");
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Has a function that went tell everything again when it comes back.
    pub(super) fn forget_note(&self, name: &FunctionName) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.remove(name);
    }

    /// Whether `version` is the last one of its function that was noted, and is still wanted.
    fn is_noted(&self, version: &Version) -> bool {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = noted.get(&version.function) == Some(&version.id);
        let known = self.find(&version.function);
        is_last && known.is_some_and(|function| function.newest().id == version.id)
    }
}
