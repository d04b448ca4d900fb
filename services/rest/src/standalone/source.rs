//! Where the configuration comes from, in the order of who has the last word: the file, the
//! environment over it, and the database over both.

use std::path::PathBuf;

use common::{ConfigErrors, Environment as _, EnvironmentMap, ProcessEnvironment, Settings};
use pg::sqlx::postgres::PgPool;

use super::parameters::{PARAMETERS, Parameter, variable};
use super::{file, in_database};
use crate::config::{Config, function};

const APP_SETTING: &str = "app.settings.";
const APP_VARIABLE: &str = "PGRST_APP_SETTINGS_";
const PRE_CONFIG: &str = "PGRST_DB_PRE_CONFIG";
const DATABASE: &str = "PGRST_DB_CONFIG";
/// Parameters that may be the name of a file which holds the value: `@/run/secrets/jwt`.
const FROM_FILES: [&str; 2] = ["PGRST_DB_URI", "PGRST_JWT_SECRET"];

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    file: Option<PathBuf>,
    environment: EnvironmentMap,
}

/// The values of all parameters, by their names in the environment.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(super) parameters: EnvironmentMap,
    /// `app.settings.…`, in order.
    pub(super) app_settings: Vec<(String, String)>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("cannot read the configuration file {0}: {1}")]
    File(String, std::io::Error),
    #[error("{0}, {1}")]
    Syntax(String, file::FileError),
    #[error("{0} names the file {1}, which cannot be read: {2}")]
    Value(&'static str, String, std::io::Error),
    #[error(transparent)]
    Settings(#[from] ConfigErrors),
    #[error("Failed to query database settings for the config parameters. {0}")]
    Database(#[from] pg::sqlx::Error),
}

impl Source {
    /// The file, if any, and the variables of this process.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        let wanted = |name: &str| {
            name.starts_with("PGRST_")
                || name.starts_with("PG")
                || name.starts_with("REST_")
                || ["USER", "LOGNAME"].contains(&name)
        };
        let environment = ProcessEnvironment::snapshot(wanted);
        Self { file, environment }
    }

    /// What the file and the environment say.
    pub(super) fn local(&self) -> Result<Values, SourceError> {
        let mut parameters = self.environment.clone();
        let mut app_settings = Vec::new();
        for (key, value) in self.file_entries()? {
            if key.starts_with(APP_SETTING) {
                app_settings.push((key, value));
                continue;
            }
            let known = PARAMETERS
                .iter()
                .find(|parameter| parameter.key == key || parameter.alias == Some(key.as_str()));
            let name = known.map_or_else(|| variable(&key), Parameter::variable);
            if self.environment.var(&name).is_none() {
                parameters.set(&name, value);
            }
        }
        for (name, value) in self.environment.iter() {
            if let Some(name) = name.strip_prefix(APP_VARIABLE) {
                let name = format!("{APP_SETTING}{name}");
                app_settings.retain(|(known, _)| *known != name);
                app_settings.push((name, value.to_owned()));
            }
        }
        if parameters.var("PGRST_DB_URI").is_none() {
            parameters.set("PGRST_DB_URI", "postgresql://");
        }
        for name in FROM_FILES {
            if let Some(path) = parameters
                .var(name)
                .as_deref()
                .and_then(|v| v.strip_prefix('@'))
            {
                let value = std::fs::read_to_string(path)
                    .map_err(|error| SourceError::Value(name, path.to_owned(), error))?;
                parameters.set(name, value.trim_end());
            }
        }
        Ok(Values {
            parameters,
            app_settings,
        })
    }

    /// What the file, the environment and the database at `pool` say.
    pub(crate) async fn values_with(&self, pool: &PgPool) -> Result<Values, SourceError> {
        let mut values = self.local()?;
        if !is_asked(&values) {
            return Ok(values);
        }
        if let Some(name) = in_database::function_setting(pool).await? {
            values.parameters.set(PRE_CONFIG, name);
        }
        let function = {
            let settings = Settings::new(&values.parameters);
            let function = function(&settings, PRE_CONFIG);
            settings.finish(Some(function))?
        };
        for (parameter, value) in in_database::read(pool, function.as_ref()).await? {
            values.parameters.set(&parameter.variable(), value);
        }
        Ok(values)
    }

    /// The whole configuration.
    pub(crate) async fn read_with(&self, pool: &PgPool) -> Result<Config, SourceError> {
        self.values_with(pool).await?.config()
    }

    fn file_entries(&self) -> Result<Vec<(String, String)>, SourceError> {
        let Some(path) = &self.file else {
            return Ok(Vec::new());
        };
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| SourceError::File(shown.clone(), error))?;
        file::parse(&text, &ProcessEnvironment).map_err(|error| SourceError::Syntax(shown, error))
    }
}

impl Values {
    /// The values as the service needs them.
    pub(crate) fn config(&self) -> Result<Config, SourceError> {
        let settings = Settings::new(&self.parameters);
        let config = Config::read(&settings);
        let mut config = settings.finish(config)?;
        config
            .transaction
            .app_settings
            .clone_from(&self.app_settings);
        Ok(config)
    }
}

/// Whether the database is asked for the configuration.
fn is_asked(values: &Values) -> bool {
    Settings::new(&values.parameters).flag(DATABASE, true)
}
