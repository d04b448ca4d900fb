//! Typed reading of an [`Environment`] that gathers every mistake before it reports any.
//!
//! A service's `Config::from_settings` reads all its values first and only then unwraps them, so
//! that one start lists everything that is wrong with an env file.

use std::cell::RefCell;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::environment::Environment;
use crate::secret::{self, Secret};

/// Reads settings and remembers what was wrong with them.
pub struct Settings<'a> {
    environment: &'a dyn Environment,
    errors: RefCell<Vec<SettingError>>,
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The environment variable.
    pub name: String,
    /// What is wrong and what to do, without the value.
    pub problem: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<SettingError>);

impl Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "the configuration has {} error{plural}:", self.0.len())?;
        for error in &self.0 {
            write!(f, "\n  {}: {}", error.name, error.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl<'a> Settings<'a> {
    /// A reader over `environment` with no errors yet.
    pub fn new(environment: &'a dyn Environment) -> Self {
        Self {
            environment,
            errors: RefCell::default(),
        }
    }

    /// The text of `name`; an empty value counts as not set.
    pub fn text(&self, name: &str) -> Option<String> {
        self.environment
            .var(name)
            .map(|text| text.trim().to_owned())
            .filter(|t| !t.is_empty())
    }

    /// The text of `name`, or `default`.
    pub fn text_or(&self, name: &str, default: &str) -> String {
        self.text(name).unwrap_or_else(|| default.to_owned())
    }

    /// The text of `name`; a missing one is an error.
    pub fn required_text(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        if text.is_none() {
            self.reject(name, "is missing: set it in the env file");
        }
        text
    }

    /// The parsed value of `name`, where set; one that does not parse is an error.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T>
    where
        T::Err: Display,
    {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.reject(name, format!("cannot be read ({error})"));
                None
            }
        }
    }

    /// The parsed value of `name`, or `default`.
    pub fn parsed_or<T: FromStr>(&self, name: &str, default: T) -> T
    where
        T::Err: Display,
    {
        self.parsed(name).unwrap_or(default)
    }

    /// A TCP port (1 to 65535), or `default`.
    pub fn port(&self, name: &str, default: u16) -> u16 {
        match self.text(name).map(|text| text.parse::<u16>()) {
            None => default,
            Some(Ok(port)) if port != 0 => port,
            Some(_) => {
                self.reject(name, "is not a port: use a number from 1 to 65535");
                default
            }
        }
    }

    /// `true`, `1`, `yes`, `on` or their opposites, or `default`.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self
            .text(name)
            .map(|text| text.to_ascii_lowercase())
            .as_deref()
        {
            None => default,
            Some("true" | "1" | "yes" | "on") => true,
            Some("false" | "0" | "no" | "off") => false,
            Some(_) => {
                self.reject(name, "is not a switch: use true or false");
                default
            }
        }
    }

    /// A number of seconds, or `default`.
    pub fn seconds(&self, name: &str, default: Duration) -> Duration {
        self.parsed(name).map_or(default, Duration::from_secs)
    }

    /// A path, or `default`.
    pub fn path(&self, name: &str, default: &str) -> PathBuf {
        PathBuf::from(self.text_or(name, default))
    }

    /// A comma-separated list; empty where `name` is not set.
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(|item| item.trim().to_owned())
            .filter(|i| !i.is_empty())
            .collect()
    }

    /// A secret of at least `min_length` bytes that is not one of the defaults the world knows.
    pub fn secret(&self, name: &str, min_length: usize) -> Option<Secret> {
        let text = self.required_text(name)?;
        match secret::weakness(&text, min_length) {
            None => Some(Secret::from(text)),
            Some(weakness) => {
                self.reject(name, weakness.to_string());
                None
            }
        }
    }

    /// Notes that `name` cannot be used; `problem` says why and what to do, without the value.
    pub fn reject(&self, name: &str, problem: impl Into<String>) {
        let error = SettingError {
            name: name.to_owned(),
            problem: problem.into(),
        };
        let mut errors = self.errors.borrow_mut();
        if !errors.contains(&error) {
            errors.push(error);
        }
    }

    /// The configuration, or all errors met while it was read.
    pub fn finish<T>(self, config: Option<T>) -> Result<T, ConfigErrors> {
        let errors = self.errors.into_inner();
        match config {
            Some(config) if errors.is_empty() => Ok(config),
            Some(_) | None => Err(ConfigErrors(errors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::EnvironmentMap;

    #[test]
    fn every_error_is_listed_at_once() {
        let environment = EnvironmentMap::from_iter([
            ("API_PORT", "eighty"),
            ("JWT_SECRET", "short"),
            ("STRICT", "perhaps"),
        ]);
        let settings = Settings::new(&environment);
        let port = settings.port("API_PORT", 8000);
        let secret = settings.secret("JWT_SECRET", 32);
        let strict = settings.flag("STRICT", true);
        let missing = settings.required_text("ANON_KEY");
        let config = secret.zip(missing).map(|_| (port, strict));

        let errors = settings
            .finish(config)
            .expect_err("four settings are wrong");
        let names: Vec<_> = errors.0.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(names, ["API_PORT", "JWT_SECRET", "STRICT", "ANON_KEY"]);
        assert!(
            !errors.to_string().contains("short\n"),
            "values are not repeated"
        );
    }

    #[test]
    fn an_empty_value_counts_as_not_set() {
        let environment = EnvironmentMap::from_iter([("API_PORT", "  ")]);
        let settings = Settings::new(&environment);
        assert_eq!(settings.port("API_PORT", 8000), 8000);
        assert!(settings.finish(Some(())).is_ok());
    }
}
