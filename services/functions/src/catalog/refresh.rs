//! Bringing the catalogue up to what the folder holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use common::error::chain;

use super::{Catalog, Function};
use crate::domain::version::Secrets;
use crate::domain::{FunctionName, Version};
use crate::source::{Found, FunctionConfig, SourceError};

/// What was seen last time: changes are told by it, and nothing is complained about twice.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    seen: BTreeMap<FunctionName, u64>,
    config: BTreeMap<String, FunctionConfig>,
    secrets: Arc<Secrets>,
    said: BTreeSet<String>,
}

impl Complaints {
    /// Logs each complaint of this round that was not one of the last.
    fn say(&mut self, errors: &[SourceError]) {
        let lines: BTreeSet<String> = errors.iter().map(|error| chain(error)).collect();
        for error in lines.difference(&self.said) {
            tracing::warn!(error, "something in the functions folder cannot be used");
        }
        self.said = lines;
    }
}

impl Catalog {
    /// Looks at the folder; takes new functions and versions, and drops what is gone. A function
    /// that has served before tries its new version at once; a new one waits for a request.
    pub(crate) async fn refresh(self: &Arc<Self>) {
        let mut last = self.refreshing.lock().await;
        let source = self.source.clone();
        let Ok(listing) = tokio::task::spawn_blocking(move || source.list()).await else {
            return;
        };
        let mut errors = Vec::new();
        let mut keep = |error| errors.push(error);
        if let Ok(config) = listing.config.map_err(&mut keep) {
            last.config = config;
        }
        let mut secrets_changed = false;
        if let Ok(secrets) = listing.secrets.map_err(&mut keep) {
            secrets_changed = !secrets.is_same_as(&last.secrets);
            last.secrets = secrets;
        }
        let mut found = BTreeMap::new();
        for function in listing.functions {
            match function {
                Ok(function) => {
                    found.insert(function.name.clone(), function);
                }
                Err(error) => keep(error),
            }
        }
        // A folder that cannot be read says nothing about which functions are gone.
        if errors.is_empty() {
            self.drop_missing(&found, &mut last);
        }
        for function in found.into_values() {
            let name = function.name.clone();
            let fingerprint = function.fingerprint;
            let known = last.seen.get(&name) == Some(&fingerprint) && !secrets_changed;
            if !known {
                match self.deploy(function, &last).await {
                    Ok(()) => last.seen.insert(name.clone(), fingerprint),
                    Err(error) => {
                        errors.push(error);
                        last.seen.remove(&name)
                    }
                };
            }
            if let Some(function) = self.find(&name) {
                function.set_verify_jwt(self.verifies_jwt(&name, &last));
            }
        }
        last.say(&errors);
    }

    fn drop_missing(&self, found: &BTreeMap<FunctionName, Found>, last: &mut Complaints) {
        last.seen.retain(|name, _| found.contains_key(name));
        let mut functions = self
            .functions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        functions.retain(|name, function| {
            let stays = found.contains_key(name);
            if !stays {
                tracing::info!(function = %name, "function removed");
                function.retire();
            }
            stays
        });
    }

    async fn deploy(self: &Arc<Self>, found: Found, last: &Complaints) -> Result<(), SourceError> {
        let verify_jwt = self.verifies_jwt(&found.name, last);
        let catalog = Arc::clone(self);
        let secrets = Arc::clone(&last.secrets);
        let copied = tokio::task::spawn_blocking(move || {
            catalog
                .snapshots
                .take(&catalog.source.directory, &found, secrets)
        });
        let Ok(version) = copied.await else {
            return Ok(());
        };
        let version = Arc::new(version?);
        match self.find(&version.function) {
            Some(function) if function.newest().is_same_as(&version) => {}
            Some(function) => self.replace(function, version),
            None => self.insert(version, verify_jwt),
        }
        Ok(())
    }

    fn insert(&self, version: Arc<Version>, verify_jwt: bool) {
        tracing::info!(function = %version.function, version = %version.id, "function found");
        let function = Arc::new(Function::new(version, verify_jwt));
        let mut functions = self
            .functions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        functions.insert(function.name.clone(), function);
    }

    fn replace(self: &Arc<Self>, function: Arc<Function>, version: Arc<Version>) {
        tracing::info!(function = %version.function, version = %version.id, "function changed");
        if function.announce(version) {
            let catalog = Arc::clone(self);
            self.tasks.spawn(async move {
                // A version that does not start has said so in the log.
                let _ = catalog.activate(function).await;
            });
        }
    }

    fn verifies_jwt(&self, name: &FunctionName, last: &Complaints) -> bool {
        let config = last.config.get(name.as_str());
        config
            .and_then(|config| config.verify_jwt)
            .unwrap_or(self.verify_jwt)
    }
}
