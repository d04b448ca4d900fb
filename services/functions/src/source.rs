//! The functions folder: which functions are in it, what belongs to each, and copies of that.
//! Everything here blocks on the file system.

mod config_file;
mod scan;
mod secrets;
mod snapshot;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::code::{Code, MAX_BYTES, MAX_FILES};
use crate::domain::version::Secrets;

pub(crate) use config_file::FunctionConfig;
pub(crate) use scan::{Found, Scan};
pub(crate) use secrets::is_reserved;
pub(crate) use snapshot::{Snapshots, write};

/// Why something in the functions folder cannot be used. The text is for the folder's owner.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{} cannot be read", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
    #[error("{} would be a function, but its name is not one: use letters, digits, - and _, beginning with a letter, and none of the platform's own names", .0.display())]
    Name(PathBuf),
    #[error("the entrypoint {0:?} in config.toml is no path of a file in the functions folder")]
    Entry(String),
    #[error("the import_map {0:?} in config.toml is no path of a file in the functions folder")]
    ImportMap(String),
    #[error("{} has more than {} files", .0.display(), MAX_FILES)]
    TooManyFiles(PathBuf),
    #[error("{} is larger than {} MiB", .0.display(), MAX_BYTES / (1024 * 1024))]
    TooLarge(PathBuf),
    #[error("{} is not valid TOML", .0.display())]
    Toml(PathBuf, #[source] toml::de::Error),
    #[error("the env file of the functions cannot be used")]
    Secrets(#[source] common::environment::EnvFileError),
}

/// The folder and the files beside it that say how functions run.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) directory: PathBuf,
    pub(crate) env_file: PathBuf,
}

/// What the folder held at one moment.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) scan: Result<Scan, SourceError>,
    pub(crate) config: Result<BTreeMap<String, FunctionConfig>, SourceError>,
    pub(crate) secrets: Result<Arc<Secrets>, SourceError>,
}

impl Source {
    /// Looks at the folder. A folder that is not there has no functions. `before` is what its
    /// `config.toml` said when that could last be read.
    pub(crate) fn list(&self, before: &BTreeMap<String, FunctionConfig>) -> Listing {
        let config = config_file::read(&self.directory.join("config.toml"));
        Listing {
            scan: scan::scan(&self.directory, config.as_ref().unwrap_or(before)),
            config,
            secrets: secrets::read(&self.env_file).map(Arc::new),
        }
    }

    /// The files of a function that was found.
    pub(crate) fn read(&self, found: &Found) -> Result<Code, SourceError> {
        snapshot::read(&self.directory, found)
    }
}

fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::Io(path, source)
}
