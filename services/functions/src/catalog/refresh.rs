//! Bringing the catalogue up to what the folder and the registry hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use common::error::chain;

use super::{Catalog, Function};
use crate::domain::code::Code;
use crate::domain::version::{Secrets, Sign};
use crate::domain::{FunctionName, Version};
use crate::registry::Registered;
use crate::runtime::Described;
use crate::source::{Found, FunctionConfig, Scan, SourceError};
use crate::store::functions::FunctionRow;

/// More functions at once are a project that was copied, not a deploy: they wait for requests.
const MOST_STARTED: usize = 8;

/// What was seen last time: changes are told by it, and nothing is complained about twice.
#[derive(Debug, Default)]
pub(super) struct Last {
    folder: BTreeMap<FunctionName, InFolder>,
    missing: BTreeSet<FunctionName>,
    /// What the registry has not heard of yet.
    unnoted: BTreeMap<FunctionName, Note>,
    registered: Option<Registered>,
    config: BTreeMap<String, FunctionConfig>,
    secrets: Arc<Secrets>,
    said: BTreeSet<String>,
    /// Whether the platform had looked before: what is new since then was deployed just now.
    looked: bool,
}

/// A function in the folder, as it was last read.
#[derive(Debug)]
struct InFolder {
    fingerprint: u64,
    version: Arc<Version>,
}

/// Something that happened in the folder.
#[derive(Debug)]
enum Note {
    Holds(Code),
    Gone,
}

impl Last {
    /// What the function `name` finds in its environment: of the folder's env file, of the project,
    /// and of its own; the last one counts.
    pub(super) fn secrets(&self, name: &FunctionName) -> Arc<Secrets> {
        let Some(registered) = &self.registered else {
            return Arc::clone(&self.secrets);
        };
        let id = registered.functions.get(name).map(|row| row.id);
        let sets = [None, id]
            .into_iter()
            .enumerate()
            .filter(|(place, owner)| *place == 0 || owner.is_some());
        let mut merged = self.secrets.0.clone();
        for (_, owner) in sets {
            let own = registered.environment.get(&owner);
            merged.extend(
                own.into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        Arc::new(Secrets(merged))
    }

    /// Whether the registry at `revision` was heard.
    pub(super) fn knows(&self, revision: i64) -> bool {
        let known = self.registered.as_ref().map(|known| known.revision);
        known == Some(revision)
    }

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
    /// Looks at the folder and the registry; takes new functions and versions, and drops what is
    /// gone. What was deployed since the last look is started at once, as long as nobody has to make
    /// way for it and it is not a whole folder of functions; what was there when the platform
    /// started waits for a request. What has served before, or may have triggers, is always tried.
    pub(crate) async fn refresh(self: &Arc<Self>) {
        let mut last = self.refreshing.lock().await;
        self.refresh_from(&mut last).await;
    }

    pub(super) async fn refresh_from(self: &Arc<Self>, last: &mut Last) {
        let (source, config) = (self.source.clone(), last.config.clone());
        let listing = tokio::task::spawn_blocking(move || source.list(&config));
        let Ok(listing) = listing.await else {
            return;
        };
        let mut errors = Vec::new();
        let mut keep = |error| errors.push(error);
        if let Ok(config) = listing.config.map_err(&mut keep) {
            last.config = config;
        }
        if let Ok(secrets) = listing.secrets.map_err(&mut keep) {
            last.secrets = secrets;
        }
        // A folder that cannot be read says nothing about which functions are gone.
        if let Ok(scan) = listing.scan.map_err(&mut keep) {
            self.look_at(scan, last, &mut keep).await;
        }
        self.hear_registry(last).await;
        self.apply(last, &mut keep).await;
        last.looked = true;
        last.say(&errors);
    }

    async fn look_at(&self, scan: Scan, last: &mut Last, keep: &mut impl FnMut(SourceError)) {
        scan.misnamed.into_iter().for_each(&mut *keep);
        // Functions go when they were missing the last time too: some programs save a file by
        // removing it first.
        let found = &scan.functions;
        let is_missing = |name: &&FunctionName| !found.contains_key(*name);
        let missing: BTreeSet<_> = last.folder.keys().filter(is_missing).cloned().collect();
        for name in missing.intersection(&last.missing) {
            last.folder.remove(name);
            last.unnoted.insert(name.clone(), Note::Gone);
        }
        last.missing = missing;
        for (name, found) in scan.functions {
            let taken = match found {
                Ok(found) => self.take(name, found, last).await,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                keep(error);
            }
        }
    }

    /// Reads what was found, if it has changed since the last time.
    async fn take(
        &self,
        name: FunctionName,
        found: Found,
        last: &mut Last,
    ) -> Result<(), SourceError> {
        let known = last.folder.get(&name).map(|known| known.fingerprint);
        if known == Some(found.fingerprint) {
            return Ok(());
        }
        let fingerprint = found.fingerprint;
        let source = self.source.clone();
        let read = tokio::task::spawn_blocking(move || source.read(&found)).await;
        let Ok(code) = read else {
            return Ok(());
        };
        let code = code?;
        let same = last
            .folder
            .get(&name)
            .filter(|known| known.version.id.as_str() == code.hash().as_str());
        let version = match same {
            Some(known) if known.version.entry == code.entry => Arc::clone(&known.version),
            Some(_) | None => {
                let Some(version) = self.make(name.clone(), code.clone()).await? else {
                    return Ok(());
                };
                last.unnoted.insert(name.clone(), Note::Holds(code));
                version
            }
        };
        last.folder.insert(
            name,
            InFolder {
                fingerprint,
                version,
            },
        );
        Ok(())
    }

    /// A version of `code`, written down, without secrets as yet.
    async fn make(
        &self,
        name: FunctionName,
        code: Code,
    ) -> Result<Option<Arc<Version>>, SourceError> {
        let snapshots = Arc::clone(&self.snapshots);
        let making = move || snapshots.make(name, &code, Arc::default());
        match tokio::task::spawn_blocking(making).await {
            Ok(version) => version.map(Arc::new).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Tells the registry what happened in the folder, and hears what was deployed elsewhere. While
    /// Postgres is away, what was known last stays.
    async fn hear_registry(&self, last: &mut Last) {
        let Some(registry) = &self.registry else {
            last.unnoted.clear();
            return;
        };
        // A note stays until it was taken: a deploy that looks may be given up half-way.
        while let Some(first) = last.unnoted.first_entry() {
            let noted = match first.get() {
                Note::Holds(code) => registry.note_folder(first.key(), code).await,
                Note::Gone => registry.forget_folder(first.key()).await,
            };
            if let Err(error) = noted {
                tracing::debug!(error = chain(&error), "the registry was not told");
                return;
            }
            first.remove();
        }
        self.looks.fetch_add(1, Ordering::SeqCst);
        let known = last.registered.as_ref().map(|known| known.revision);
        match registry.changes(known).await {
            Ok(Some(registered)) => last.registered = Some(registered),
            Ok(None) => {}
            Err(error) => tracing::debug!(error = chain(&error), "the registry was not heard"),
        }
    }

    /// Has every function serve the version that is wanted, and drops what is not wanted at all.
    async fn apply(self: &Arc<Self>, last: &mut Last, keep: &mut impl FnMut(SourceError)) {
        let mut wanted = BTreeMap::new();
        for (name, in_folder) in &last.folder {
            wanted.insert(name.clone(), Arc::clone(&in_folder.version));
        }
        let rows = last
            .registered
            .as_ref()
            .map(|known| known.functions.clone());
        for (name, row) in rows.iter().flatten() {
            match self.of_row(name, row, last).await {
                Ok(Some(version)) => {
                    wanted.insert(name.clone(), version);
                }
                Ok(None) => {
                    wanted.remove(name);
                }
                Err(error) => keep(error),
            }
        }
        let mut deployed = Vec::new();
        for (name, version) in &wanted {
            let row = rows.as_ref().and_then(|rows| rows.get(name));
            let version = self.with_secrets(version, last);
            let verify_jwt = self.verifies_jwt(name, row, last);
            deployed.extend(self.serve(version, verify_jwt));
        }
        if last.looked && deployed.len() <= MOST_STARTED {
            for function in deployed {
                self.start_ahead(function);
            }
        }
        self.drop_unwanted(&wanted);
    }

    /// The version that a row of the registry wants; `None` where the function is not to serve.
    async fn of_row(
        &self,
        name: &FunctionName,
        row: &FunctionRow,
        last: &Last,
    ) -> Result<Option<Arc<Version>>, SourceError> {
        // A version of the folder goes with its file.
        let gone = row.origin == "folder" && !last.folder.contains_key(name);
        if !row.is_active || gone {
            return Ok(None);
        }
        let is_it = |version: &Arc<Version>| {
            version.id.as_str() == row.hash && version.entry.as_os_str() == row.entry.as_str()
        };
        let in_folder = last.folder.get(name).map(|known| &known.version);
        if let Some(version) = in_folder.filter(|version| is_it(version)) {
            return Ok(Some(Arc::clone(version)));
        }
        let serving = self.find(name).map(|function| function.newest());
        if let Some(version) = serving.filter(is_it) {
            return Ok(Some(version));
        }
        let Some(registry) = &self.registry else {
            return Ok(None);
        };
        match registry.code(row.id, row.version).await {
            Ok(Some(code)) => self.make(name.clone(), code).await,
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::warn!(function = %name, error = chain(&error), "a version's code was not read");
                Ok(self.find(name).map(|function| function.newest()))
            }
        }
    }

    fn with_secrets(&self, version: &Arc<Version>, last: &Last) -> Arc<Version> {
        let known = self.find(&version.function).map(|known| known.newest());
        let secrets = last.secrets(&version.function);
        if version.secrets.is_same_as(&secrets) {
            return Arc::clone(version);
        }
        let changed = version.with_secrets(secrets);
        match known {
            Some(known) if known.is_same_as(&changed) => known,
            Some(_) | None => Arc::new(changed),
        }
    }

    /// Has `version` serve from now on; answers its function where nothing has started it yet.
    fn serve(self: &Arc<Self>, version: Arc<Version>, verify_jwt: bool) -> Option<Arc<Function>> {
        match self.find(&version.function) {
            Some(function) => {
                function.set_verify_jwt(verify_jwt);
                let changed = !function.newest().is_same_as(&version);
                changed.then(|| self.replace(function, version)).flatten()
            }
            None => self.insert(version, verify_jwt),
        }
    }

    fn drop_unwanted(&self, wanted: &BTreeMap<FunctionName, Arc<Version>>) {
        let mut functions = self
            .functions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        functions.retain(|name, function| {
            let keep = wanted.contains_key(name);
            if !keep {
                tracing::info!(function = %name, "function removed");
                function.retire();
                self.forget_note(name);
            }
            keep
        });
    }

    fn insert(self: &Arc<Self>, version: Arc<Version>, verify_jwt: bool) -> Option<Arc<Function>> {
        tracing::info!(function = %version.function, version = %version.id, "function found");
        let names_triggers = version.traits.show(Sign::Triggers);
        if !names_triggers {
            self.note(&version, &Described::default());
        }
        let function = Arc::new(Function::new(version, verify_jwt));
        self.functions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(function.name.clone(), Arc::clone(&function));
        if names_triggers {
            self.try_newest(function);
            return None;
        }
        Some(function)
    }

    fn replace(
        self: &Arc<Self>,
        function: Arc<Function>,
        version: Arc<Version>,
    ) -> Option<Arc<Function>> {
        tracing::info!(function = %version.function, version = %version.id, "function changed");
        let names_triggers = version.traits.show(Sign::Triggers);
        if !names_triggers {
            self.note(&version, &Described::default());
        }
        if function.announce(version) || names_triggers {
            self.try_newest(function);
            return None;
        }
        Some(function)
    }

    /// Starts what was deployed just now: its first request finds it running.
    fn start_ahead(self: &Arc<Self>, function: Arc<Function>) {
        if self.runtime.has_room() {
            self.try_newest(function);
        }
    }

    fn try_newest(self: &Arc<Self>, function: Arc<Function>) {
        let catalog = Arc::clone(self);
        self.tasks.spawn(async move {
            // A version that does not start has said so in the log.
            let _ = catalog.activate(function).await;
        });
    }

    fn verifies_jwt(&self, name: &FunctionName, row: Option<&FunctionRow>, last: &Last) -> bool {
        let config = last.config.get(name.as_str());
        row.and_then(|row| row.verify_jwt)
            .or_else(|| config.and_then(|config| config.verify_jwt))
            .unwrap_or(self.verify_jwt)
    }
}
