//! How the API describes itself.

use common::Settings;
use http::Uri;
use pg::RoleRules;

use super::{FunctionName, function};

const PROXY: &str = "PGRST_OPENAPI_SERVER_PROXY_URI";
const MODE: &str = "PGRST_OPENAPI_MODE";

/// How the API describes itself.
#[derive(Debug, Clone)]
pub(crate) struct DescriptionSettings {
    pub mode: DescriptionMode,
    pub security: Security,
    /// Where clients reach this API.
    pub url: Uri,
    /// The function that answers in place of the description.
    pub root: Option<FunctionName>,
}

/// What of the API is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DescriptionMode {
    /// What the role that asks may use.
    FollowPrivileges,
    /// All of it.
    IgnorePrivileges,
    /// Nothing.
    Disabled,
}

/// Whether the description says how to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Told,
    Untold,
}

impl DescriptionSettings {
    pub(super) fn read(settings: &Settings<'_>, rules: RoleRules) -> Self {
        let security = if settings.flag("PGRST_OPENAPI_SECURITY_ACTIVE", false) {
            Security::Told
        } else {
            Security::Untold
        };
        Self {
            mode: mode(settings),
            security,
            url: url(settings, rules),
            root: function(settings, "PGRST_DB_ROOT_SPEC"),
        }
    }
}

fn mode(settings: &Settings<'_>) -> DescriptionMode {
    match settings.text(MODE).as_deref() {
        None | Some("follow-privileges") => DescriptionMode::FollowPrivileges,
        Some("ignore-privileges") => DescriptionMode::IgnorePrivileges,
        Some("disabled") => DescriptionMode::Disabled,
        Some(_) => {
            let known = "is not known: use follow-privileges, ignore-privileges or disabled";
            settings.reject(MODE, known);
            DescriptionMode::Disabled
        }
    }
}

/// `PGRST_OPENAPI_SERVER_PROXY_URI`; else `/rest/v1` at `API_EXTERNAL_URL`, or where an operator's
/// own server listens.
fn url(settings: &Settings<'_>, rules: RoleRules) -> Uri {
    let url = settings.text(PROXY).unwrap_or_else(|| match rules {
        RoleRules::Platform => {
            let url = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
            format!("{}/rest/v1", url.trim_end_matches('/'))
        }
        RoleRules::Operator => {
            let host = settings.text_or("PGRST_SERVER_HOST", "!4");
            let is_any = host.starts_with(['*', '!']);
            let host = if is_any { "0.0.0.0" } else { &host };
            let port = settings.text_or("PGRST_SERVER_PORT", "3000");
            format!("http://{host}:{port}/")
        }
    });
    let parsed: Option<Uri> = url.parse().ok();
    let is_whole =
        |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
    parsed.filter(is_whole).unwrap_or_else(|| {
        settings.reject(PROXY, "is no URL: use http://host:port/path");
        Uri::default()
    })
}
