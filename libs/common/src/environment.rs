//! Where configuration comes from. Only `Settings` reads it, so tests and the composition root
//! inject their own.

use std::collections::BTreeMap;
use std::path::Path;

/// A source of configuration strings, by environment-variable name.
pub trait Environment: Send + Sync {
    /// The value of `name`; `None` where it is not set.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the process environment"
    )]
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl ProcessEnvironment {
    /// A copy of the variables whose names `wanted` takes; those that are not UTF-8 are left out.
    pub fn snapshot(wanted: impl Fn(&str) -> bool) -> EnvironmentMap {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| wanted(name))
            .collect()
    }
}

/// A map of values: an env file, a test's settings, or one service's share of the whole.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentMap {
    values: BTreeMap<String, String>,
}

/// An env file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the env file {path}: {source}")]
pub struct EnvFileError {
    /// The file, as given.
    pub path: String,
    /// What the reader met: a missing file, or the line that does not parse.
    pub source: dotenvy::Error,
}

impl EnvironmentMap {
    /// Every `KEY=value` of an env file (quotes, comments and `export` as in dotenv).
    pub fn from_file(path: &Path) -> Result<Self, EnvFileError> {
        let fail = |source| EnvFileError {
            path: path.display().to_string(),
            source,
        };
        let mut values = BTreeMap::new();
        for entry in dotenvy::from_path_iter(path).map_err(fail)? {
            let (name, value) = entry.map_err(fail)?;
            values.insert(name, value);
        }
        Ok(Self { values })
    }

    /// This map with one value set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// Sets one value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// All values, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for EnvironmentMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let values = entries
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self { values }
    }
}

impl Environment for EnvironmentMap {
    fn var(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }
}

impl<E: Environment + ?Sized> Environment for &E {
    fn var(&self, name: &str) -> Option<String> {
        (**self).var(name)
    }
}

/// The first environment's value where it has one, else the second's.
#[derive(Debug, Clone)]
pub struct Overlay<A, B>(pub A, pub B);

impl<A: Environment, B: Environment> Environment for Overlay<A, B> {
    fn var(&self, name: &str) -> Option<String> {
        self.0.var(name).or_else(|| self.1.var(name))
    }
}
