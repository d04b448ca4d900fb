//! The user's secrets: the env file of the functions folder.

use std::path::Path;

use common::{EnvironmentMap, Secret};

use super::SourceError;
use crate::domain::version::Secrets;

/// Names that are the platform's to set.
const RESERVED: [&str; 2] = ["SUPABASE_", "SELFDB_"];

/// Whether `name` is the platform's to set.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|prefix| name.starts_with(prefix))
}

/// The secrets in `path`; none where it is not there. Reserved names are passed over.
pub(super) fn read(path: &Path) -> Result<Secrets, SourceError> {
    if !path.exists() {
        return Ok(Secrets::default());
    }
    let file = EnvironmentMap::from_file(path).map_err(SourceError::Secrets)?;
    let secrets = file
        .iter()
        .filter(|(name, _)| !is_reserved(name))
        .map(|(name, value)| (name.to_owned(), Secret::from(value)))
        .collect();
    Ok(Secrets(secrets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_platform_cannot_be_set() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        assert!(read(&path).expect("no file is fine").0.is_empty());
        std::fs::write(
            &path,
            "STRIPE_KEY='sk 1'\nSUPABASE_URL=http://evil\nSELFDB_URL=x\n",
        )
        .expect("written");
        let secrets = read(&path).expect("valid");
        let names: Vec<_> = secrets.0.keys().collect();
        assert_eq!(names, ["STRIPE_KEY"]);
        assert_eq!(secrets.0["STRIPE_KEY"].expose(), "sk 1");
    }
}
