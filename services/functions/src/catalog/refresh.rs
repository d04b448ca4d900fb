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
pub(super) struct Last {
    missing: BTreeSet<FunctionName>,
    seen: BTreeMap<FunctionName, u64>,
    config: BTreeMap<String, FunctionConfig>,
    secrets: Arc<Secrets>,
    said: BTreeSet<String>,
}

impl Last {
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
        // A folder that cannot be read says nothing about which functions are gone.
        if let Ok(scan) = listing.scan.map_err(&mut keep) {
            scan.misnamed.into_iter().for_each(&mut keep);
            self.drop_missing(&scan.functions, &mut last);
            for (name, found) in scan.functions {
                let taken = self.take(found, secrets_changed, &mut last).await;
                if let Err(error) = taken {
                    last.seen.remove(&name);
                    keep(error);
                }
                if let Some(function) = self.find(&name) {
                    function.set_verify_jwt(self.verifies_jwt(&name, &last));
                }
            }
        }
        last.say(&errors);
    }

    /// Drops functions that were missing the last time too: some programs save a file by removing
    /// it first.
    fn drop_missing(&self, found: &BTreeMap<FunctionName, impl Sized>, last: &mut Last) {
        let mut functions = self
            .functions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let is_missing = |name: &&FunctionName| !found.contains_key(*name);
        let missing: BTreeSet<_> = functions.keys().filter(is_missing).cloned().collect();
        for name in missing.intersection(&last.missing) {
            last.seen.remove(name);
            if let Some(function) = functions.remove(name) {
                tracing::info!(function = %name, "function removed");
                function.retire();
            }
        }
        last.missing = missing;
    }

    /// Makes a version of what was found, if it has changed since the last time.
    async fn take(
        self: &Arc<Self>,
        found: Result<Found, SourceError>,
        secrets_changed: bool,
        last: &mut Last,
    ) -> Result<(), SourceError> {
        let found = found?;
        let (name, fingerprint) = (found.name.clone(), found.fingerprint);
        if last.seen.get(&name) != Some(&fingerprint) || secrets_changed {
            self.deploy(found, last).await?;
            last.seen.insert(name, fingerprint);
        }
        Ok(())
    }

    async fn deploy(self: &Arc<Self>, found: Found, last: &Last) -> Result<(), SourceError> {
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

    fn verifies_jwt(&self, name: &FunctionName, last: &Last) -> bool {
        let config = last.config.get(name.as_str());
        config
            .and_then(|config| config.verify_jwt)
            .unwrap_or(self.verify_jwt)
    }
}
