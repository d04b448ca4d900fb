//! `FUNCTIONS_CGROUP`: where processes have a control group each.

use std::path::PathBuf;

use common::Settings;

/// Where control groups are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ControlGroups {
    /// In the group the platform is in, where that is possible.
    Auto,
    Off,
    /// In this folder of a cgroup2 tree, which was handed to the platform.
    Below(PathBuf),
}

pub(super) fn find(settings: &Settings<'_>) -> ControlGroups {
    const NAME: &str = "FUNCTIONS_CGROUP";
    match settings.text_or(NAME, "auto").as_str() {
        "auto" => ControlGroups::Auto,
        "off" => ControlGroups::Off,
        path if path.starts_with('/') => ControlGroups::Below(PathBuf::from(path)),
        _ => {
            settings.reject(NAME, "is neither auto nor off nor the path of a folder");
            ControlGroups::Off
        }
    }
}
